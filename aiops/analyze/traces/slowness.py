"""Services that became slow by themselves: starved of CPU, or reached through a slow network.

Neither a caller that waits for its callee nor a callee that is called more often is slow by
itself. What counts is time that no recorded call explains: the visit's own work, and the share of
calls that neither end worked.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.analyze.traces.blame import Blame, blamed
from aiops.analyze.traces.contrasts import Rise, pooled, rises
from aiops.analyze.traces.edges import Calls
from aiops.analyze.traces.forest import Rows
from aiops.analyze.traces.visits import Visits
from aiops.model.telemetry import FloatArray

FLOOR_S = 0.02
"""Seconds by which a call or a visit must be slower to matter: garbage collection, a reconnect or
a cold cache cost as much on a healthy system; people notice a hundred milliseconds."""
FLOOR_SHARE = 0.25
"""Share of the usual time that a rise must reach to matter: slow operations vary by their size."""
WORK_SHARE = 0.1
"""Rise of own work, as a share of the rise around it on the network, from which the instance is
starved rather than delayed: packets wait without any work, starved threads do both slowly."""


@dataclass(frozen=True, slots=True)
class Slow:
    """One service that is slow by itself; times in seconds for each call or visit.

    Attributes:
        service: its index.
        own: rise of its own work, 0 where none is sure.
        usual: its own work in the reference.
        blame: the slow calls it explains, None where none.
        entry: operation of its visits whose work rose most, -1 where none did.
        waits_for: a service that it calls without a recorded call, itself slow enough to explain
            this one's work; -1 where there is none.
    """

    service: int
    own: float
    usual: float
    blame: Blame | None
    entry: int
    waits_for: int = -1

    @property
    def network(self) -> float:
        """Seconds a call through its slow edges is slower."""
        return 0.0 if self.blame is None else self.blame.seconds

    @property
    def working(self) -> bool:
        """Slow in its own work, not only on the way to and from others."""
        return self.own >= WORK_SHARE * self.network and self.own > 0

    @property
    def starved(self) -> bool:
        """Slow in its work and on the way: it waits for CPU at every step of either."""
        return self.working and self.blame is not None

    @property
    def seconds(self) -> float:
        """What a caller loses by it."""
        return self.network + (self.own if self.working else 0.0)

    @property
    def floor(self) -> float:
        """Seconds from which that matters."""
        return max(FLOOR_S, FLOOR_SHARE * self.usual) if self.working else FLOOR_S


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Pairs of services that call each other, (e,) each, and how much slower the network became."""

    caller: Rows
    callee: Rows
    rise: Rise

    @property
    def excess(self) -> FloatArray:
        """(e,) sure seconds of excess a call, 0 below the share that matters; NaN if unknown."""
        material = self.rise.sure >= FLOOR_SHARE * np.nan_to_num(self.rise.usual)
        return np.where(np.isnan(self.rise.usual), np.nan, np.where(material, self.rise.sure, 0.0))


def edges(calls: Calls, phase: npt.NDArray[np.int8]) -> Edges:
    """The rise of the network's share on each edge.

    Args:
        phase: (n,) of each span.
    """
    rise = rises(calls.edge, calls.network, phase[calls.client], len(calls.pairs))
    return Edges(calls.pairs[:, 0], calls.pairs[:, 1], rise)


def slow_services(
    visits: Visits,
    found: Edges,
    phase: npt.NDArray[np.int8],
    services: int,
    known_calls: frozenset[tuple[int, int]] = frozenset(),
) -> tuple[Slow, ...]:
    """Services that are slow by themselves, in the order of what they explain.

    Args:
        found: the edges and their rises.
        phase: (n,) of each span, see contrasts.Phase.
        services: how many there are.
        known_calls: (caller, callee) pairs known from elsewhere; the traces need not have them.
    """
    work = rises(visits.group, visits.work, phase[visits.entry], len(visits.kinds))
    by_service = pooled(work, visits.kinds[:, 0], services)
    blames = {
        blame.entity: blame
        for blame in blamed(found.caller, found.callee, found.excess, found.rise.seen, FLOOR_S)
    }
    own = by_service.sure
    usual = np.nan_to_num(by_service.usual)
    own = np.where(own >= np.maximum(FLOOR_S / 4, FLOOR_SHARE * usual), own, 0.0)
    suspects = [*blames, *(s for s in np.flatnonzero(own).tolist() if s not in blames)]
    slow = [
        Slow(
            service=service,
            own=float(own[service]),
            usual=float(usual[service]),
            blame=blames.get(service),
            entry=_entry(visits, work, service) if own[service] > 0 else -1,
        )
        for service in suspects
    ]
    return _explained(slow, found, known_calls)


def _entry(visits: Visits, work: Rise, service: int) -> int:
    """Operation of the visits of ``service`` whose work rose most in all."""
    total = np.where(visits.kinds[:, 0] == service, work.sure * work.seen, -1.0)
    return int(visits.kinds[int(total.argmax()), 1])


def _explained(
    slow: list[Slow], found: Edges, known_calls: frozenset[tuple[int, int]]
) -> tuple[Slow, ...]:
    """Own work that may be the wait for a slow service behind an unrecorded call, marked so."""
    recorded = set(
        zip(
            found.caller[found.rise.seen > 0].tolist(),
            found.callee[found.rise.seen > 0].tolist(),
            strict=True,
        )
    )
    answer = []
    for one in slow:
        behind = [
            other
            for other in slow
            if (one.service, other.service) in known_calls - recorded
            and other.seconds >= other.floor
        ]
        worst = max(behind, key=lambda other: other.seconds, default=None)
        if worst is None or not one.working:
            answer.append(one)
            continue
        answer.append(Slow(one.service, one.own, one.usual, one.blame, one.entry, worst.service))
    return tuple(answer)
