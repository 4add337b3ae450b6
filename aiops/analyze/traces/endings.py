"""Requests that end early: the service calls X as usual, and then nobody any more.

An exception or a wrong answer seldom shows in times. It shows in what does not happen any more:
P(end | X was the last call) rises. Then X's answer stopped the caller, or, where the visit ends
before any call, the service itself did. The order of steps inside one visit is what Nezha (Yu et
al., FSE 2023) mines from logs and traces together.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.analyze.traces.contrasts import Outcomes, rising_shares
from aiops.analyze.traces.forest import Forest
from aiops.analyze.traces.visits import Visits

FLOOR = 0.1
"""Rise of the probability that a visit ends here: below one request in ten it is traffic mix."""
# No operation: they count from 0.
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


def steps(forest: Forest, visits: Visits) -> Outcomes:
    """For each step of each visit whether it was the last.

    The kinds are (service, operation, service called, operation called); the last two are -1 for
    the start of a visit, which is its first step.
    """
    operations = max(1, len(forest.spans.operations))
    service, parent = forest.service, forest.parent
    entered = visits.entry[parent[visits.entry] >= 0]
    count = len(visits.entry)
    visit = np.concatenate([np.arange(count), visits.of_span[parent[entered]]])
    step = np.concatenate(
        [np.full(count, _START), service[entered] * operations + forest.operation[entered]]
    )
    at = np.concatenate([np.full(count, -np.inf), forest.spans.starts[entered]])
    order = np.lexsort((at, visit))
    visit, step = visit[order], step[order]
    last = np.append(visit[1:] != visit[:-1], True)[: len(visit)]
    codes = step.max(initial=0) + 2
    pairs, kind = np.unique(visits.group[visit] * codes + step + 1, return_inverse=True)
    called = pairs % codes - 1
    kinds = np.column_stack(
        [
            visits.kinds[pairs // codes],
            np.where(called < 0, _START, called // operations),
            np.where(called < 0, _START, called % operations),
        ]
    )
    return Outcomes(visits.entry[visit], kind.astype(np.intp), last, kinds.astype(np.intp))


def early_ends(outcomes: Outcomes, phase: npt.NDArray[np.int8]) -> tuple[Ending, ...]:
    """Where visits end more often than they used to, the largest rise first.

    Args:
        outcomes: the steps of the visits.
        phase: (n,) of each span.
    """
    rise = rising_shares(outcomes, phase)
    found = []
    for i in np.flatnonzero(rise.sure >= FLOOR).tolist():
        service, operation, last, last_operation = outcomes.kinds[i].tolist()
        found.append(
            Ending(
                service=service,
                operation=operation,
                last=last,
                last_operation=last_operation,
                rise=float(rise.sure[i]),
                usual=float(rise.usual[i]),
                now=float(rise.now[i]),
                seen=int(rise.seen[i]),
            )
        )
    return tuple(sorted(found, key=lambda one: (-one.rise, one.service, one.operation)))
