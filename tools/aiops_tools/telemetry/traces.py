"""Traces: the slow and the failed ones, and where the time of one went."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field

from aiops.analyze.traces.errors import is_error
from aiops.analyze.traces.forest import children, forest
from aiops.analyze.traces.times import critical_path
from aiops.analyze.wording import duration
from aiops.errors import ToolFailed
from aiops.model import SpanTable
from aiops.model.rows import Span
from aiops.model.rows import spans as spans_of
from aiops.model.tool import Unread
from aiops_tools.names import ServiceName
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Result
from aiops_tools.tables import paragraphs, rounded, table
from aiops_tools.telemetry.gathering import Readers, gather
from aiops_tools.telemetry.known import without_rows
from aiops_tools.telemetry.told import Told, heading
from aiops_tools.windows import InWindow, stretch, told

MOST_STEPS: Final = 60
"""Spans of a critical path that are answered: those waited for longest."""
TraceId = Annotated[str, Field(min_length=1, max_length=128, json_schema_extra={"format": "trace"})]


class TraceSearch(InWindow):
    """Which traces: those with a span that meets every condition that is given."""

    service: ServiceName | None = None
    operation: Annotated[
        str | None, Field(min_length=1, max_length=300, description="part of its name")
    ] = None
    trace_id: TraceId | None = None
    longer_than_s: Annotated[float | None, Field(ge=0, le=86400)] = None
    failed: Annotated[bool, Field(description="whose status is an error")] = False
    order: Literal["slowest", "newest"] = "slowest"
    limit: Annotated[int, Field(ge=1, le=100, description="traces answered")] = 20


class TraceRow(Result):
    """One trace, by the span of it that meets the conditions and comes first in the order.

    ``matching`` spans of it meet them, ``failing`` of those state an error.
    """

    trace_id: str
    service: str
    operation: str
    started: datetime
    duration_s: float | None
    status: str | None
    matching: int
    failing: int


class TracesFound(Told):
    """Traces in the order asked for; ``spans`` were looked at."""

    spans: int
    traces: list[TraceRow]


def search(readers: Readers, asked: TraceSearch) -> Answer:
    """The traces that meet every condition."""
    window = asked.window(readers.now())
    services = None if asked.service is None else (asked.service,)
    gathered = gather(readers, "spans", services, window)
    unread = without_rows(readers, services or (), gathered, "traces", window)
    every = [] if gathered.found.spans is None else list(spans_of(gathered.found.spans))
    by_trace: dict[str, list[Span]] = {}
    for span in every:
        if _wanted(span, asked):
            by_trace.setdefault(span.trace_id, []).append(span)
    rows = sorted(
        (_trace_row(found, asked.order) for found in by_trace.values()), key=_order(asked)
    )
    shown = rows[: asked.limit]
    result = TracesFound(
        window=stretch(window),
        sources=list(gathered.sources),
        total=len(rows),
        left_out=len(rows) - len(shown),
        spans=len(every),
        traces=shown,
    )
    summary = paragraphs(
        heading(f"traces among {len(every)} spans", gathered, window, len(rows), len(shown)),
        table(
            ("trace", "service", "operation", "started", "seconds", "status", "failing"),
            (
                (
                    r.trace_id,
                    r.service,
                    r.operation,
                    f"{r.started:%H:%M:%S}",
                    r.duration_s,
                    r.status,
                    r.failing,
                )
                for r in shown
            ),
        ),
    )
    return Answer(result, summary, (*gathered.unread, *unread))


class OneTrace(InWindow):
    """Which trace, and when it began."""

    trace_id: TraceId


class Step(Result):
    """A span that the request waited for: ``waited_s`` by itself, ``after_s`` from the start."""

    service: str
    operation: str
    after_s: float | None
    duration_s: float | None
    waited_s: float | None
    share: float | None
    failed: bool


class CriticalPath(Told):
    """Spans on the critical path of a trace, from the root down; ``total`` of them."""

    trace_id: str
    spans: int
    services: list[str]
    duration_s: float | None
    failed: int
    steps: list[Step]


def follow(readers: Readers, asked: OneTrace) -> Answer:
    """Where the time of one request went: the spans it waited for, one after the other."""
    window = asked.window(readers.now())
    gathered = gather(readers, "spans", None, window)
    table_ = gathered.found.spans
    own = None if table_ is None else table_.rows(table_.trace_ids == asked.trace_id)
    if own is None or not len(own.starts):
        missing = "".join(f"; not read: {each.what}, {each.reason}" for each in gathered.unread)
        raise ToolFailed(
            "not_found",
            f"no span of trace {asked.trace_id!r} began in {told(window)}; widen the window, or "
            f"search for traces first{missing}",
        )
    trees = forest(own)
    if not len(trees.parent):
        raise ToolFailed("failed", f"trace {asked.trace_id!r} has no span with a usable time")
    roots = np.flatnonzero(trees.parent < 0)
    root = int(roots[trees.spans.durations[roots].argmax()])
    path = critical_path(trees, root, children(trees))
    longest = {row for row, _ in sorted(path, key=lambda one: -one[1])[:MOST_STEPS]}
    whole = float(trees.spans.durations[root])
    began = float(trees.spans.starts[root])
    steps = [
        _step(trees.spans, row, waited, whole, began) for row, waited in path if row in longest
    ]
    names = [own.services[code] for code in sorted(set(own.service_of.tolist()))]
    result = CriticalPath(
        window=stretch(window),
        sources=list(gathered.sources),
        total=len(path),
        left_out=len(path) - len(steps),
        trace_id=asked.trace_id,
        spans=len(own.starts),
        services=names,
        duration_s=rounded(whole),
        failed=sum(is_error(span.status) for span in spans_of(own)),
        steps=steps,
    )
    summary = paragraphs(
        f"trace {asked.trace_id}: {duration(whole)}, {result.spans} spans of {len(names)} "
        f"services, {result.failed} failed",
        heading("spans waited for", gathered, window, len(path), len(steps)),
        table(
            ("service", "operation", "after s", "waited s", "share", "failed"),
            (
                (s.service, s.operation, s.after_s, s.waited_s, s.share, "yes" if s.failed else "")
                for s in steps
            ),
        ),
    )
    oddities = tuple(Unread("the trace as recorded", note) for note in trees.oddities.notes())
    if len(roots) > 1:
        apart = f"{len(roots)} parts of it hang together by no span; the longest was followed"
        oddities = (*oddities, Unread("the other parts of the trace", apart))
    return Answer(result, summary, (*gathered.unread, *oddities), (asked.trace_id,))


def _wanted(span: Span, asked: TraceSearch) -> bool:
    return (
        (asked.trace_id is None or span.trace_id == asked.trace_id)
        and (asked.operation is None or asked.operation.casefold() in span.operation.casefold())
        and (asked.longer_than_s is None or span.duration > asked.longer_than_s)
        and (not asked.failed or is_error(span.status))
    )


def _trace_row(found: list[Span], order: Literal["slowest", "newest"]) -> TraceRow:
    first = max(found, key=lambda span: span.duration if order == "slowest" else span.start)
    return TraceRow(
        trace_id=first.trace_id,
        service=first.service,
        operation=first.operation,
        started=datetime.fromtimestamp(first.start, UTC),
        duration_s=rounded(first.duration),
        status=first.status or None,
        matching=len(found),
        failing=sum(is_error(span.status) for span in found),
    )


def _order(asked: TraceSearch) -> Callable[[TraceRow], tuple[float, str]]:
    if asked.order == "slowest":
        return lambda row: (-(row.duration_s or 0.0), row.trace_id)
    return lambda row: (-row.started.timestamp(), row.trace_id)


def _step(spans: SpanTable, row: int, waited: float, whole: float, began: float) -> Step:
    statuses = spans.statuses
    return Step(
        service=spans.services[spans.service_of[row]],
        operation=spans.operations[spans.operation_of[row]],
        after_s=rounded(float(spans.starts[row]) - began),
        duration_s=rounded(float(spans.durations[row])),
        waited_s=rounded(waited),
        share=rounded(waited / whole) if whole else None,
        failed=statuses is not None and is_error(str(statuses[row])),
    )


SEARCH = Question(
    "traces",
    "Traces with a slow or failed span, by service, operation or id.",
    TraceSearch,
    TracesFound,
    search,
    ("Which requests to checkout are slow?", "Show me failed traces of the last ten minutes"),
)
FOLLOW = Question(
    "critical_path",
    "Where the time of one request went: the spans that it waited for, from its root down.",
    OneTrace,
    CriticalPath,
    follow,
    ("Why was this request slow?", "What did trace 4bf92f3577b34da6 wait for?"),
)
