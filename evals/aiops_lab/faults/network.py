"""Faults of the network, in the proxies that every call passes, and of its name service.

Without ``from`` and ``to`` they hit all connections of the target, as a fault on its pods' network
interface does (Chaos Mesh: NetworkChaos, DNSChaos); with one of them, a single edge.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from aiops.errors import InvalidInput
from aiops.model.entity import Indicator
from aiops.model.faults import FaultType
from aiops_lab.faults.effects import Linked, Phase, Unresolved
from aiops_lab.faults.fault import Aim, Choice, Fault, Level, callers, calling, serving
from aiops_lab.net.weather import Link, Lookup

if TYPE_CHECKING:
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


def _on_links(aim: Aim, weather: Link) -> tuple[Phase, ...]:
    """The same weather on every link that is meant."""
    to, caller = aim.text("to"), aim.text("from")
    if ALL not in (to, caller):
        raise InvalidInput(f"{aim.target}: name to or from, not both: an edge has two ends")
    out = replace(weather, caller=aim.target, callee=None if to == ALL else to)
    into = replace(weather, caller=None if caller == ALL else caller, callee=aim.target)
    meant = [out] * (caller == ALL) + [into] * (to == ALL)
    return (Phase(0.0, tuple(map(Linked, meant))),)


class NetworkDelay(Fault):
    """Every piece on the way to the callee is late."""

    name = "network-delay"
    type = FaultType.NETWORK_DELAY
    says = "what goes over its links arrives late"
    indicator = Indicator("metric", "client_request_duration_seconds")
    parameters = (
        Level("delay", "ms", 100, 700, 1, 60_000, "added each way into a call"),
        Level("jitter", "ms", 10, 90, 0, 60_000, "more at most, evenly drawn"),
        TO,
        FROM,
    )

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        late = Link(None, None, aim.level("delay") / 1e3, aim.level("jitter") / 1e3)
        return _on_links(aim, late)


class NetworkLoss(Fault):
    """Pieces are lost: TCP sends them again, which shows as stalls; some connections reset."""

    name = "network-loss"
    type = FaultType.NETWORK_LOSS
    says = "a share of what goes over its links is lost: stalls of 200 ms and up, some resets"
    indicator = Indicator("metric", "client_request_duration_seconds")
    parameters = (
        Level("loss", "share", 0.1, 0.5, 0.001, 0.95, "of the pieces"),
        Level("resets", "share", 0.02, 0.2, 0, 1, "of new connections that are reset"),
        TO,
        FROM,
    )

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        return _on_links(aim, Link(None, None, loss=aim.level("loss"), reset=aim.level("resets")))


class NetworkStall(Fault):
    """Answers are held back until it is over."""

    name = "network-stall"
    type = FaultType.NETWORK_LOSS
    says = "requests pass and no answer comes back until it is over"
    indicator = Indicator("metric", "client_errors_total")
    parameters = (TO, FROM)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        return _on_links(aim, Link(None, None, stall=True))


class NetworkReset(Fault):
    """Connections are reset."""

    name = "network-reset"
    type = FaultType.NETWORK_LOSS
    says = "connections are reset when they open; with a share of 1, those that stand too"
    indicator = Indicator("metric", "client_errors_total")
    parameters = (Level("share", "share", 0.4, 1.0, 0.01, 1, "of connections"), TO, FROM)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        return _on_links(aim, Link(None, None, reset=aim.level("share")))


class NetworkPartition(Fault):
    """Nothing passes either way."""

    name = "network-partition"
    type = FaultType.NETWORK_PARTITION
    says = "nothing passes its links either way"
    indicator = Indicator("metric", "client_errors_total")
    parameters = (TO, FROM)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        return _on_links(aim, Link(None, None, partition=True))

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Services that others reach, or that reach others."""
        topology = ground.topology
        return tuple(n for n in topology.services if n in {*serving(topology), *calling(topology)})


class Dns(Fault):
    """The names it looks up do not resolve; what is kept lasts a few seconds more."""

    name = "dns"
    type = FaultType.DNS
    says = "names that it looks up do not resolve, once kept answers and open connections age out"
    indicator = Indicator("metric", "client_errors_total")
    parameters = (
        Choice("answer", lambda *_: ("NXDOMAIN", "SERVFAIL", "TIMEOUT"), "to every question"),
        TO,
    )

    def targets(self, ground: Ground) -> tuple[str, ...]:
        """Services that look up others."""
        return calling(ground.topology)

    def phases(self, aim: Aim) -> tuple[Phase, ...]:
        """See Fault."""
        to = aim.text("to")
        asked = aim.text("answer")
        lookup = Lookup(aim.target, None if to == ALL else to, asked)  # type: ignore[arg-type]  # one of its three
        return (Phase(0.0, (Unresolved(lookup),)),)
