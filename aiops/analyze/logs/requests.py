"""Lines and spans on one numbering: which line belongs to which span, and who called it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.analyze.logs.lines import Lines
from aiops.analyze.logs.order import Events, sequence
from aiops.model import SpanTable
from aiops.model.telemetry import FloatArray, IntArray

DEEPEST_CALL = 64
"""Calls above each other that are followed; deeper chains are cycles in practice."""
SKEW_S = 0.005
"""Seconds two hosts' clocks may differ: a synchronised cluster keeps within milliseconds."""


@dataclass(frozen=True, slots=True, eq=False)
class Requests:
    """The spans that lines and a span table name.

    Attributes:
        events: lines and starts of operations inside spans, in order.
        starts: (s,) when each span began: its own start, else its first line; NaN if unknown.
        service_of: (s,) index into ``services``; -1 where unknown.
        parent_of: (s,) number of the calling span; -1 for a root or where unknown.
        line_span: (n,) the span of each line; -1 for a line outside of any.
        traced: (s,) whether the span table holds the span.
    """

    events: Events
    starts: FloatArray
    service_of: IntArray
    parent_of: IntArray
    line_span: IntArray
    traced: npt.NDArray[np.bool_]

    def handled(self, services: int, low: float, high: float) -> npt.NDArray[np.int64]:
        """(services,) spans of each service that began in [low, high)."""
        chosen = (self.starts >= low) & (self.starts < high) & (self.service_of >= 0)
        return np.bincount(self.service_of[chosen], minlength=services).astype(np.int64)


@dataclass(slots=True)
class Steps:
    """Numbers the steps of all recordings alike: statements of a service, starts of operations."""

    of: dict[tuple[int, int], int]
    names: list[tuple[int, int]]

    def number(self, service_of: IntArray, thing_of: IntArray) -> IntArray:
        """(n,) the number of each (service, thing)."""
        if not len(service_of):
            return np.empty(0, dtype=np.int32)
        wide = int(thing_of.max()) + 1
        codes = service_of.astype(np.int64) * wide + thing_of
        distinct, inverse = np.unique(codes, return_inverse=True)
        numbers = np.empty(len(distinct), dtype=np.int32)
        for i, code in enumerate(distinct.tolist()):
            key = divmod(code, wide)
            if key not in self.of:
                self.of[key] = len(self.names)
                self.names.append(key)
            numbers[i] = self.of[key]
        return numbers[inverse]


def requests_of(
    lines: Lines,
    service_of: IntArray,
    statement_of: IntArray,
    spans: SpanTable | None,
    span_service_of: IntArray,
    span_operation_of: IntArray,
    steps: Steps,
    *,
    partial: bool = False,
) -> Requests:
    """Joins the lines of one recording with its spans.

    Args:
        service_of, span_service_of: index of the service of each line, of each span, in a list
            that all recordings share.
        statement_of, span_operation_of: numbers of statements and of operations; operations are
            numbered after all statements, so that they never meet one.
        partial: a recording of normal times, in which a span before its service's first line was
            not recorded in the logs; in an incident it may have been silenced.
    """
    ids, line_span, span_at, parent_at = _numbers(lines, spans)
    line_trace, trace_at, logged = _traces(lines, spans)
    starts = np.full(ids, np.nan)
    owner = np.full(ids, -1, dtype=np.int32)
    parent_of = np.full(ids, -1, dtype=np.int32)
    traced = np.zeros(ids, dtype=np.bool_)
    inside = np.flatnonzero((line_span >= 0) & np.isfinite(lines.times))
    step_of = steps.number(service_of[inside], statement_of[inside])
    owner[line_span[inside]] = service_of[inside]
    first = np.full(ids, np.inf)
    np.minimum.at(first, line_span[inside], lines.times[inside])
    starts[np.isfinite(first)] = first[np.isfinite(first)]
    span_of, times, trace_of = line_span[inside], lines.times[inside], line_trace[inside]
    rank = np.ones(len(inside), dtype=np.int32)
    if spans is not None and len(spans.starts):
        # A span outside of the recorded lines, or of a trace without any, has none because of
        # that.
        low, high = _covered(lines, service_of, span_service_of, partial=partial)
        covered = (spans.starts >= low) & (spans.starts <= high) & logged[trace_at]
        starts[span_at] = spans.starts
        owner[span_at] = span_service_of
        parent_of[span_at] = parent_at
        traced[span_at] = True
        rows = np.flatnonzero(covered)
        begun = steps.number(span_service_of[rows], span_operation_of[rows])
        span_of = np.concatenate([span_of, span_at[rows]])
        step_of = np.concatenate([step_of, begun])
        # Clocks of two recorders differ: a start comes before the lines of its span.
        opened = np.minimum(spans.starts[rows], first[span_at[rows]])
        times = np.concatenate([times, opened])
        trace_of = np.concatenate([trace_of, trace_at[rows]])
        rank = np.concatenate([rank, np.zeros(len(rows), dtype=np.int32)])
    events = sequence(Events(span_of, step_of, times, trace_of), rank)
    return Requests(events, starts, owner, parent_of, line_span, traced)


def _covered(
    lines: Lines, service_of: IntArray, span_service_of: IntArray, *, partial: bool
) -> tuple[FloatArray, float]:
    """From when, for each span, and until when lines were recorded."""
    known = np.isfinite(lines.times)
    low, high = lines.times[known].min(initial=np.inf), lines.times[known].max(initial=-np.inf)
    if not partial:
        return np.full(len(span_service_of), low), float(high)
    first = np.full(int(max(service_of.max(initial=0), span_service_of.max(initial=0))) + 1, np.inf)
    np.minimum.at(first, service_of[known], lines.times[known])
    return first[span_service_of], float(high)


def callers(
    since: FloatArray, failed_at: FloatArray, requests: Requests
) -> tuple[npt.NDArray[np.bool_], frozenset[tuple[int, int]]]:
    """Which failing spans called, directly or not, a span of another service that failed later.

    A callee's failure reaches its caller after the caller's last sign of life: what failed before
    its callee did cannot have caught it from there.

    Args:
        since: (s,) from when a callee's failure could reach each span: its last sign of life, or
            its start where it lived on to complain; unix seconds, NaN for spans that do not fail.
        failed_at: (s,) when each failing span failed itself; NaN for others.

    Returns:
        (s,) the spans whose failure a callee explains, and the pairs (service that failed,
        service that called it).
    """
    explained = np.zeros(len(failed_at), dtype=np.bool_)
    pairs: set[tuple[int, int]] = set()
    failing = np.flatnonzero(np.isfinite(failed_at))
    origin, at = requests.service_of[failing], failed_at[failing]
    current = requests.parent_of[failing]
    for _ in range(DEEPEST_CALL):
        going = current >= 0
        origin, at, current = origin[going], at[going], current[going]
        if not len(current):
            break
        service = requests.service_of[current]
        # NaN compares false: only callers that fail themselves.
        caught = (service != origin) & (at >= since[current] - SKEW_S)
        explained[current[caught]] = True
        pairs.update(zip(origin[caught].tolist(), service[caught].tolist(), strict=True))
        current = requests.parent_of[current]
    return explained, frozenset(pairs)


def _numbers(lines: Lines, spans: SpanTable | None) -> tuple[int, IntArray, IntArray, IntArray]:
    """How many span ids there are, and the number of each line's, each span's, each parent's."""
    none: npt.NDArray[np.object_] = np.empty(0, dtype=object)
    nowhere = np.full(len(lines), "", dtype=object)
    ids, codes = _encoded(
        [
            lines.spans if lines.spans is not None else nowhere,
            spans.span_ids if spans is not None else none,
            spans.parent_ids if spans is not None else none,
        ]
    )
    return ids, codes[0], codes[1], codes[2]


def _traces(
    lines: Lines, spans: SpanTable | None
) -> tuple[IntArray, IntArray, npt.NDArray[np.bool_]]:
    """The number of each line's trace, of each span's, and which traces have lines.

    A line without a trace id is a trace of its own span.
    """
    none: npt.NDArray[np.object_] = np.empty(0, dtype=object)
    of_line = lines.traces if lines.traces is not None else lines.spans
    if of_line is None:
        of_line = np.full(len(lines), "", dtype=object)
    of_span = spans.trace_ids if spans is not None else none
    ids, (line_trace, span_trace) = _encoded([of_line, of_span])
    # Number -1 (no id) becomes one more trace.
    line_trace, span_trace = line_trace % (ids + 1), span_trace % (ids + 1)
    logged = np.zeros(ids + 1, dtype=np.bool_)
    logged[line_trace] = True
    return line_trace, span_trace, logged


def _encoded(parts: list[npt.NDArray[np.object_]]) -> tuple[int, list[IntArray]]:
    """How many distinct texts there are, and the number of each; -1 for ""."""
    import pyarrow as pa

    column = pa.array(np.concatenate(parts), type=pa.string(), from_pandas=True)
    encoded = column.dictionary_encode()
    codes: IntArray = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32)
    codes[codes == encoded.dictionary.index("").as_py()] = -1
    bounds = np.cumsum([len(part) for part in parts])
    return len(encoded.dictionary), np.split(codes, bounds[:-1])
