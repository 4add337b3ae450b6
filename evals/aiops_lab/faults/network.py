"""Faults of the network, in the proxies that every call passes, and of its name service.

Without ``from`` and ``to`` they hit all connections of the target, as a fault on its pods' network
interface does (Chaos Mesh: NetworkChaos, DNSChaos); with one of them, a single edge.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aiops.errors import InvalidInput
from aiops.model.faults import FaultType
from aiops_lab.faults.effects import Linked, Unresolved
from aiops_lab.faults.fault import Aim, Choice, Fault, Level, callers, calling, serving, throughout
from aiops_lab.net.weather import Link, Lookup

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiops_lab.faults.effects import Phase
    from aiops_lab.faults.ports import Ground

ALL = "all"
TO = Choice(
    "to",
    lambda ground, target: (ALL, *ground.topology.services[target].targets),
    "only on its calls of this service",
)
FROM = Choice(
    "from",
    lambda ground, target: (ALL, *callers(ground.topology, target)),
    "only on this service's calls of it",
)


def _on_links(weather: Callable[[Aim], Link]) -> Callable[[Aim], tuple[Phase, ...]]:
    """The same weather on every link that is meant."""

    def phases(aim: Aim) -> tuple[Phase, ...]:
        to, caller = aim.text("to"), aim.text("from")
        if ALL not in (to, caller):
            raise InvalidInput(f"{aim.target}: name to or from, not both: an edge has two ends")
        out = replace(weather(aim), caller=aim.target, callee=None if to == ALL else to)
        into = replace(weather(aim), caller=None if caller == ALL else caller, callee=aim.target)
        meant = [out] * (caller == ALL) + [into] * (to == ALL)
        return throughout(*map(Linked, meant))

    return phases


def _late(aim: Aim) -> Link:
    return Link(None, None, aim.level("delay") / 1e3, aim.level("jitter") / 1e3)


NETWORK_DELAY = Fault(
    name="network-delay",
    type=FaultType.NETWORK_DELAY,
    says="what goes over its links arrives late",
    metric="request_duration_p99_seconds",
    phases=_on_links(_late),
    parameters=(
        Level("delay", "ms", 100, 700, 1, 60_000, "added each way into a call"),
        Level("jitter", "ms", 10, 90, 0, 60_000, "more at most, evenly drawn"),
        TO,
        FROM,
    ),
)


def _lossy(aim: Aim) -> Link:
    return Link(None, None, loss=aim.level("loss"), reset=aim.level("resets"))


NETWORK_LOSS = Fault(
    name="network-loss",
    type=FaultType.NETWORK_LOSS,
    says="a share of what goes over its links is lost: stalls of 200 ms and up, some resets",
    metric="request_duration_p99_seconds",
    phases=_on_links(_lossy),
    parameters=(
        Level("loss", "share", 0.1, 0.5, 0.001, 0.95, "of the pieces"),
        Level("resets", "share", 0.02, 0.2, 0, 1, "of connections and requests that are reset"),
        TO,
        FROM,
    ),
)
NETWORK_STALL = Fault(
    name="network-stall",
    type=FaultType.NETWORK_LOSS,
    says="requests pass and no answer comes back until it is over",
    metric="request_errors_ops",
    phases=_on_links(lambda _: Link(None, None, stall=True)),
    parameters=(TO, FROM),
)
NETWORK_RESET = Fault(
    name="network-reset",
    type=FaultType.NETWORK_LOSS,
    says="connections are reset, when they open or when a request goes over them",
    metric="request_errors_ops",
    phases=_on_links(lambda aim: Link(None, None, reset=aim.level("share"))),
    parameters=(
        Level("share", "share", 0.3, 1.0, 0.01, 1, "of connections and requests"),
        TO,
        FROM,
    ),
)


def _linked(ground: Ground) -> tuple[str, ...]:
    """Services that others reach, or that reach others."""
    meant = {*serving(ground), *calling(ground)}
    return tuple(name for name in ground.topology.services if name in meant)


NETWORK_PARTITION = Fault(
    name="network-partition",
    type=FaultType.NETWORK_PARTITION,
    says="nothing passes its links either way",
    metric="request_errors_ops",
    phases=_on_links(lambda _: Link(None, None, partition=True)),
    parameters=(TO, FROM),
    targets=_linked,
)


def _nameless(aim: Aim) -> tuple[Phase, ...]:
    to, asked = aim.text("to"), aim.text("answer")
    lookup = Lookup(aim.target, None if to == ALL else to, asked)  # type: ignore[arg-type]  # one of its three
    return throughout(Unresolved(lookup))


# What is kept lasts a few seconds more, and so do open connections.
DNS = Fault(
    name="dns",
    type=FaultType.DNS,
    says="names that it looks up do not resolve, once kept answers and open connections age out",
    metric="request_errors_ops",
    phases=_nameless,
    parameters=(
        Choice("answer", lambda *_: ("NXDOMAIN", "SERVFAIL", "TIMEOUT"), "to every question"),
        TO,
    ),
    targets=calling,
)
