"""Requests that end early: the service calls X as usual, and then nobody any more.

An exception or a wrong answer seldom shows in times. It shows in what does not happen any more:
P(end | X was the last call) rises. Then X's answer stopped the caller, or, where the visit ends
before any call, the service itself did. The order of steps inside one visit is what Nezha (Yu et
al., FSE 2023) mines from logs and traces together.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.analyze.traces.contrasts import rising_shares
from aiops.analyze.traces.forest import Forest
from aiops.analyze.traces.visits import Visits

FLOOR = 0.1
"""Rise of the probability that a visit ends here: below one request in ten it is traffic mix."""
_START = -1


@dataclass(frozen=True, slots=True)
class Ending:
    """Visits of one kind that end after one kind of call, or before any.

    Attributes:
        service, operation: the kind of visit.
        last, last_operation: service and operation called last; -1 where none was.
        rise: of the probability to end there, with 95 % confidence.
        usual, now: the probability in the reference and during the episode.
        seen: visits during the episode that came that far.
    """

    service: int
    operation: int
    last: int
    last_operation: int
    rise: float
    usual: float
    now: float
    seen: int

    @property
    def stopped_by(self) -> int:
        """Whose doing it is: the service called last, or the visited one before any call."""
        return self.service if self.last < 0 else self.last


def early_ends(forest: Forest, visits: Visits, phase: npt.NDArray[np.int8]) -> tuple[Ending, ...]:
    """Where visits end more often than they used to, the largest rise first."""
    operations = max(1, len(forest.spans.operations))
    service, parent = forest.service, forest.parent
    entered = visits.entry[parent[visits.entry] >= 0]
    count = len(visits.entry)
    # Steps of all visits in order: the start of each, then the visits it caused.
    visit = np.concatenate([np.arange(count), visits.of_span[parent[entered]]])
    step = np.concatenate(
        [np.full(count, _START), service[entered] * operations + forest.operation[entered]]
    )
    at = np.concatenate([np.full(count, -np.inf), forest.spans.starts[entered]])
    order = np.lexsort((at, visit))
    visit, step = visit[order], step[order]
    last = np.append(visit[1:] != visit[:-1], True)[: len(visit)]
    pair = visits.group[visit].astype(np.int64) * (step.max(initial=0) + 2) + step + 1
    kinds, first, kind = np.unique(pair, return_index=True, return_inverse=True)
    rise = rising_shares(kind.astype(np.intp), last, phase[visits.entry[visit]], len(kinds))
    found = []
    for i in np.flatnonzero(rise.sure >= FLOOR).tolist():
        entry, code = visits.kinds[visits.group[visit[first[i]]]], int(step[first[i]])
        found.append(
            Ending(
                service=int(entry[0]),
                operation=int(entry[1]),
                last=_START if code == _START else code // operations,
                last_operation=_START if code == _START else code % operations,
                rise=float(rise.sure[i]),
                usual=float(rise.usual[i]),
                now=float(rise.now[i]),
                seen=int(rise.seen[i]),
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.rise, one.service, one.operation)))
