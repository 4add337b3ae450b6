"""What the network can do to a call: the hooks of network and DNS faults."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce
from typing import Literal


@dataclass(frozen=True, slots=True)
class Link:
    """Bad weather between two services; ``None`` stands for any.

    Attributes:
        caller, callee: services' names.
        caller_pods, callee_pods: addresses of the pods that are meant; empty: all of the service's.
        delay_s, jitter_s: added on the way to the callee; jitter is uniform, up to this much.
        loss: share of pieces lost; TCP sends them again, so what is seen is delay
            (200 ms, doubled at each further loss).
        bandwidth: bytes a second each way; ``None``: as it is.
        stall: answers are held back until the weather ends.
        reset: share of new connections, and of requests on open ones, that end in a reset.
        partition: nothing passes either way; connections caught in it are reset when it ends.
    """

    caller: str | None
    callee: str | None
    delay_s: float = 0.0
    jitter_s: float = 0.0
    loss: float = 0.0
    bandwidth: float | None = None
    stall: bool = False
    reset: float = 0.0
    partition: bool = False
    caller_pods: tuple[str, ...] = ()
    callee_pods: tuple[str, ...] = ()

    def fits(self, call: Ends) -> bool:
        """Whether it is the weather of a call."""
        return (
            self.caller in (None, call.caller)
            and self.callee in (None, call.callee)
            and (not self.caller_pods or call.caller_ip in self.caller_pods)
            and (not self.callee_pods or call.callee_ip in self.callee_pods)
        )


@dataclass(frozen=True, slots=True)
class Ends:
    """Who calls whom: services, and the addresses of their pods where these are known."""

    caller: str | None
    callee: str
    caller_ip: str = ""
    callee_ip: str = ""


@dataclass(frozen=True, slots=True)
class Lookup:
    """Names that do not resolve for a caller; ``None`` stands for any.

    Attributes:
        pods: addresses of the caller's pods that are meant; empty: all.
    """

    caller: str | None
    name: str | None
    answer: Literal["NXDOMAIN", "SERVFAIL", "TIMEOUT"]
    pods: tuple[str, ...] = ()


def between(links: tuple[Link, ...], call: Ends) -> Link | None:
    """The weather of a call: all the rules that fit it, together."""
    fitting = [link for link in links if link.fits(call)]
    return reduce(_both, fitting) if fitting else None


def _both(one: Link, other: Link) -> Link:
    rates = [link.bandwidth for link in (one, other) if link.bandwidth is not None]
    return Link(
        caller=one.caller,
        callee=one.callee,
        delay_s=one.delay_s + other.delay_s,
        jitter_s=one.jitter_s + other.jitter_s,
        loss=1 - (1 - one.loss) * (1 - other.loss),
        bandwidth=min(rates, default=None),
        stall=one.stall or other.stall,
        reset=1 - (1 - one.reset) * (1 - other.reset),
        partition=one.partition or other.partition,
    )


def answer(lookups: tuple[Lookup, ...], caller: str | None, name: str, ip: str = "") -> str | None:
    """What a name lookup from an address is answered instead of the address."""
    short = name.split(".")[0]
    for lookup in lookups:
        meant = not lookup.pods or ip in lookup.pods
        if meant and lookup.caller in (None, caller) and lookup.name in (None, short):
            return lookup.answer
    return None
