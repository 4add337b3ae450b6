"""Where the time of a request goes: each span's own, and the chain that the rest waited for."""

import numpy as np

from aiops.analyze.traces.forest import Children, Forest, Rows
from aiops.model.telemetry import FloatArray


def aligned_starts(forest: Forest) -> FloatArray:
    """(n,) start of each span on its parent's clock, unix seconds.

    A child that starts before its parent ran on another clock. If it fits into the parent it is
    centred there, network time being equal both ways (Jaeger's clock skew adjustment); what does
    not fit starts with the parent.
    """
    starts = forest.spans.starts.copy()
    child = np.flatnonzero(forest.parent >= 0)
    parent = forest.parent[child]
    early = starts[child] < starts[parent]
    durations = forest.spans.durations
    slack = np.maximum(durations[parent] - durations[child], 0.0)
    starts[child] = np.where(early, forest.spans.starts[parent] + slack / 2, starts[child])
    return starts


def self_times(forest: Forest) -> FloatArray:
    """(n,) seconds of each span in which no child of it ran.

    Children may overlap (parallel calls) and outlive their parent (asynchronous work): their
    union is counted, cut to the parent's span.
    """
    durations = forest.spans.durations
    child = np.flatnonzero(forest.parent >= 0)
    parent = forest.parent[child]
    starts = aligned_starts(forest)[child] - forest.spans.starts[parent]
    busy = covered(parent, starts, starts + durations[child], durations)
    own: FloatArray = np.maximum(durations - busy, 0.0)
    return own


def covered(owner: Rows, low: FloatArray, high: FloatArray, length: FloatArray) -> FloatArray:
    """(g,) seconds of each owner that its intervals cover together.

    Args:
        owner: (k,) whose interval it is, 0 to g - 1.
        low, high: (k,) where it begins and ends, in seconds from its owner's start; what lies
            outside the owner is cut off.
        length: (g,) seconds of each owner.
    """
    # As fractions of the owner, offset by its number: one running maximum serves all owners, and
    # none reaches into the next.
    whole = length[owner]
    scale = np.where(whole > 0, whole, 1.0)
    low, high = np.clip(low, 0.0, whole) / scale, np.clip(high, 0.0, whole) / scale
    order = np.lexsort((low, owner))
    owner, low, high = owner[order], low[order], high[order]
    group = np.cumsum(np.diff(owner, prepend=-1) != 0).astype(np.float64)
    reached = np.maximum.accumulate(group + high)
    before = np.concatenate([[0.0], reached[:-1]])[: len(group)] - group
    share = np.maximum(high - np.maximum(low, before), 0.0)
    seconds: FloatArray = np.bincount(owner, share * length[owner], len(length)).astype(np.float64)
    return seconds


def critical_path(forest: Forest, root: int, tree: Children) -> tuple[tuple[int, float], ...]:
    """The spans that the root waited for, and the seconds it waited for each itself.

    Walked back from the end: the child that ended last, then whatever ended last before that one
    began (Zhang et al., "CRISP: Critical Path Analysis of Large-Scale Microservice
    Architectures", USENIX ATC 2022, section 3). The seconds sum to the root's duration.

    Args:
        root: row of any span.
        tree: the children of the spans of ``forest``.

    Returns:
        (row, seconds) in order of first appearance, from the root down.
    """
    starts = aligned_starts(forest)
    path: list[tuple[int, float]] = []
    # Each entry: a span, and the stretch of it that somebody waited for, on its parent's clock.
    todo = [(root, float(starts[root]), float(starts[root] + forest.spans.durations[root]))]
    while todo:
        span, low, high = todo.pop()
        offset = float(forest.spans.starts[span] - starts[span])
        low, high = low + offset, high + offset
        own, at = 0.0, high
        for child in _latest_first(forest, tree.of(span), starts):
            end = min(at, float(starts[child] + forest.spans.durations[child]))
            begin = max(low, float(starts[child]))
            if end <= begin:
                continue
            own += at - end
            todo.append((int(child), begin, end))
            at = begin
        path.append((span, own + at - low))
    return tuple(path)


def _latest_first(forest: Forest, children: Rows, starts: FloatArray) -> Rows:
    ends = starts[children] + forest.spans.durations[children]
    return children[np.argsort(-ends, kind="stable")]
