"""Down one failing trace, as a person would read it: collapse, follow what is unusual, conclude.

RCLAgent (arXiv 2508.20370) and ThinkFL (arXiv 2504.18776) let a model walk a trace span by span.
Here the walk is deterministic: siblings of one (service, operation) are collapsed first, only
children that took unusually long are entered, and the conclusion is drawn from the leaves up:
a step is to blame for the excess that the steps below it leave.
"""

from dataclasses import dataclass

import numpy as np

from aiops.analyze.traces.forest import Children, Forest, Mask
from aiops.model.telemetry import FloatArray

MOST_STEPS = 10
"""Steps down at most; calls nest less deep than that, and what is deeper reads as noise."""
LEAST_SHARE = 0.2
"""Share of a step's excess that a child must carry to be entered."""


@dataclass(frozen=True, slots=True)
class Step:
    """All spans of one (service, operation) below one parent step.

    Attributes:
        service, operation: indices.
        spans: their rows.
        seconds: how long they took together.
        usual: what as many took in the past; NaN where the operation was never seen.
        own: excess seconds that no step below explains.
        below: the steps entered from here, the largest excess first.
    """

    service: int
    operation: int
    spans: tuple[int, ...]
    seconds: float
    usual: float
    own: float
    below: tuple["Step", ...] = ()

    @property
    def excess(self) -> float:
        """Seconds beyond the usual; all of them where nothing is known."""
        return self.seconds if np.isnan(self.usual) else self.seconds - self.usual


def usual_durations(forest: Forest, past: Mask) -> FloatArray:
    """(services, operations) mean seconds of a span in the past, NaN where there was none."""
    shape = (max(1, len(forest.spans.services)), max(1, len(forest.spans.operations)))
    code = np.ravel_multi_index((forest.service[past], forest.operation[past]), shape)
    size = shape[0] * shape[1]
    seen = np.bincount(code, minlength=size)
    total = np.bincount(code, weights=forest.spans.durations[past], minlength=size)
    return np.where(seen > 0, total / np.maximum(seen, 1), np.nan).reshape(shape)


def read_down(forest: Forest, root: int, usual: FloatArray, tree: Children) -> Step:
    """The trace below ``root``, expanded where it is unusually slow.

    Args:
        usual: (services, operations) seconds, see ``usual_durations``.
        tree: the children of the spans of ``forest``.
    """
    return _step(forest, (root,), usual, tree, MOST_STEPS)


def conclusion(step: Step) -> tuple[Step, ...]:
    """The steps from the top to the one with the largest excess of its own."""
    best: tuple[Step, ...] = (step,)
    for below in step.below:
        path = (step, *conclusion(below))
        if path[-1].own > best[-1].own:
            best = path
    return best


def _step(
    forest: Forest,
    spans: tuple[int, ...],
    usual: FloatArray,
    tree: Children,
    left: int,
) -> Step:
    service = int(forest.service[spans[0]])
    operation = int(forest.operation[spans[0]])
    seconds = float(forest.spans.durations[list(spans)].sum())
    expected = float(usual[service, operation]) * len(spans)
    excess = seconds if np.isnan(expected) else seconds - expected
    if left == 0 or excess <= 0:
        return Step(service, operation, spans, seconds, expected, max(excess, 0.0))
    collapsed: dict[tuple[int, int], list[int]] = {}
    for span in spans:
        for child in tree.of(span).tolist():
            kind = (int(forest.service[child]), int(forest.operation[child]))
            collapsed.setdefault(kind, []).append(child)
    below = []
    for (to, name), rows in collapsed.items():
        took = float(forest.spans.durations[rows].sum())
        past = float(usual[to, name]) * len(rows)
        if took - (0.0 if np.isnan(past) else past) >= LEAST_SHARE * excess:
            below.append(_step(forest, tuple(rows), usual, tree, left - 1))
    below.sort(key=lambda one: (-one.excess, one.service, one.operation))
    explained = sum(max(one.excess, 0.0) for one in below)
    own = max(excess - explained, 0.0)
    return Step(service, operation, spans, seconds, expected, own, tuple(below))
