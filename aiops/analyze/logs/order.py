"""What follows what inside a span: code that takes another way than it used to.

A statement's successor inside one span is decided by the program, not by the load. Where "A is
followed by B" has become rarer, something between the two throws, returns early or branches
elsewhere (the event-graph idea of Nezha, FSE 2023, reduced to pairs inside one span, so that the
callers of a broken service are not accused of its silence).
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from aiops.model.telemetry import FloatArray, IntArray

TAIL_S = 1.0
"""Seconds before the end of a recording in which a statement's successor may not be written yet."""
MIN_BEFORE = 4
"""Times a statement was seen in a reference: with fewer, "always" is an accident."""
MIN_NOW = 3
"""Times it was seen since the onset."""
Z_FLOOR = 2.5
"""Standard errors a drop must have: a normal minute holds half a dozen requests of many kinds, so
more cannot be asked; accidents among hundreds of pairs stay weak, since what is below
Z_SURE counts by its square."""
UNSEEN = 0.05
"""Share of a step's successors up to which a successor counts as hardly seen before."""
Z_SURE = 5.0
"""Standard errors from which a drop counts in full: below one accident in a million pairs."""


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """What happened inside spans, (n,) each, ordered by span, then time.

    Attributes:
        span_of: number of the span.
        step_of: number of the step: a statement of one service, or the start of an operation.
        times: unix seconds.
        trace_of: number of the trace. Spans of one trace share its data and take the same branch
            together, so traces are counted where certainty is.
    """

    span_of: IntArray
    step_of: IntArray
    times: FloatArray
    trace_of: IntArray

    def take(self, rows: npt.NDArray[np.bool_]) -> "Events":
        """The given rows; spans must be taken whole."""
        return Events(self.span_of[rows], self.step_of[rows], self.times[rows], self.trace_of[rows])


@dataclass(frozen=True, slots=True)
class Break:
    """A pair of steps that has become rarer.

    Attributes:
        first, then: the steps; ``then`` used to follow ``first``.
        before, now: share of the firsts that were followed by it, 0 to 1.
        seen_before, seen_now: how many firsts there were.
        z: standard errors between the two shares.
        novel: share of the drop that went to successors never or hardly seen before, the span's
            end among them, 0 to 1. A shift between known branches is the data's doing.
        lost: (k,) numbers of the spans in which it is missing.
        lost_at: (k,) when ``first`` was last seen in each.
    """

    first: int
    then: int
    before: float
    now: float
    seen_before: int
    seen_now: int
    z: float
    novel: float
    lost: IntArray
    lost_at: FloatArray

    @property
    def drop(self) -> float:
        """How much rarer, in probability."""
        return self.before - self.now


@dataclass(frozen=True, slots=True, eq=False)
class _Pairs:
    codes: npt.NDArray[np.int64]
    counts: npt.NDArray[np.int64]
    firsts: npt.NDArray[np.int64]
    traces: npt.NDArray[np.int64]


def sequence(events: Events, rank: IntArray) -> Events:
    """``events`` in order; ties of time by ``rank`` (a span's start before its lines)."""
    order = np.lexsort((rank, events.times, events.span_of))
    return Events(
        events.span_of[order], events.step_of[order], events.times[order], events.trace_of[order]
    )


def breaks(
    now: Events,
    references: list[Events],
    steps: int,
    ignored: npt.NDArray[np.bool_],
) -> tuple[Break, ...]:
    """The pairs that have become rarer than in a reference, the stronger contrast of each.

    Args:
        now: events since the onset.
        references: events of the recent past, of a known-normal time.
        steps: how many steps there are.
        ignored: (steps,) successors that are not missed: error lines that no longer come.
    """
    until = float(now.times.max(initial=-np.inf)) - TAIL_S
    here = _pairs(now, steps, until)
    best: dict[tuple[int, int], tuple[float, Break]] = {}
    for events in references:
        for one in _rarer(here, _pairs(events, steps, np.inf), steps, ignored):
            strength = one.drop * min(one.z, Z_SURE)
            pair = one.first, one.then
            if pair not in best or strength > best[pair][0]:
                best[pair] = strength, one
    return _with_lost(now, [one for _, one in best.values()], until)


def _next(events: Events) -> IntArray:
    """(n,) the step that follows in the same span; -1 where none does."""
    following = np.full(len(events.step_of), -1, dtype=np.int32)
    if len(following) > 1:
        same = events.span_of[1:] == events.span_of[:-1]
        following[:-1][same] = events.step_of[1:][same]
    return following


def _pairs(events: Events, steps: int, until: float) -> _Pairs:
    following = _next(events)
    counted = (following >= 0) | (events.times < until)
    first, then = events.step_of[counted].astype(np.int64), following[counted]
    # The end of the span is a successor too, numbered after all steps.
    codes = first * (steps + 1) + np.where(then < 0, steps, then)
    distinct, counts = np.unique(codes, return_counts=True)
    wide = int(events.trace_of.max(initial=0)) + 1
    clusters = np.unique(first * wide + events.trace_of[counted])
    return _Pairs(
        distinct,
        counts.astype(np.int64),
        np.bincount(first, minlength=steps).astype(np.int64),
        np.bincount(clusters // wide, minlength=steps).astype(np.int64),
    )


def _count(pairs: _Pairs, codes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    if not len(pairs.codes):
        return np.zeros(len(codes), dtype=np.int64)
    at = np.minimum(np.searchsorted(pairs.codes, codes), len(pairs.codes) - 1)
    return np.where(pairs.codes[at] == codes, pairs.counts[at], 0)


def _rarer(now: _Pairs, before: _Pairs, steps: int, ignored: npt.NDArray[np.bool_]) -> list[Break]:
    first, then = np.divmod(before.codes, steps + 1)
    n0, n1 = before.firsts[first], now.firsts[first]
    enough = (n0 >= MIN_BEFORE) & (n1 >= MIN_NOW) & (then < steps)
    enough &= ~ignored[np.minimum(then, steps - 1)]
    first, then, n0, n1 = first[enough], then[enough], n0[enough], n1[enough]
    k0, k1 = before.counts[enough], _count(now, before.codes[enough])
    p0, p1 = k0 / n0, k1 / n1
    # One imaginary success and failure keep small samples from looking certain.
    pooled = (k0 + k1 + 1) / (n0 + n1 + 2)
    t0, t1 = before.traces[first], now.traces[first]
    z = (p0 - p1) / np.sqrt(pooled * (1 - pooled) * (1 / t0 + 1 / t1))
    none, never = np.empty(0, dtype=np.int32), np.empty(0)
    return [
        Break(
            int(first[i]), int(then[i]), float(p0[i]), float(p1[i]),
            int(n0[i]), int(n1[i]), float(z[i]),
            _novel(now, before, int(first[i]), steps, float(p0[i] - p1[i])), none, never,
        )
        for i in np.flatnonzero(z >= Z_FLOOR)
    ]  # fmt: skip


def _novel(now: _Pairs, before: _Pairs, first: int, steps: int, drop: float) -> float:
    low, high = np.searchsorted(now.codes, [first * (steps + 1), (first + 1) * (steps + 1)])
    p0 = _count(before, now.codes[low:high]) / before.firsts[first]
    p1 = now.counts[low:high] / now.firsts[first]
    gained = float((p1 - p0)[(p0 < UNSEEN) & (p1 > p0)].sum())
    return min(1.0, gained / drop)


def _with_lost(now: Events, found: list[Break], until: float) -> tuple[Break, ...]:
    following = _next(now)
    counted = (following >= 0) | (now.times < until)
    order = np.argsort(now.step_of, kind="stable")
    sorted_steps = now.step_of[order]
    filled = []
    for one in found:
        low, high = np.searchsorted(sorted_steps, [one.first, one.first + 1])
        rows = order[low:high]
        missing = rows[(following[rows] != one.then) & counted[rows]]
        # Rows are in order of span, then time: the last of each span is kept.
        spans, last = np.unique(now.span_of[missing][::-1], return_index=True)
        at = now.times[missing][::-1][last]
        filled.append(replace(one, lost=spans, lost_at=at))
    return tuple(filled)
