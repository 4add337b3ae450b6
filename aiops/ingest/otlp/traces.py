"""Spans from OTLP: columns of a span table; their exceptions as log lines; calls to the outside."""

from datetime import UTC, datetime, timedelta
from itertools import chain, repeat
from typing import Final

import numpy as np
import numpy.typing as npt
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from aiops.ingest.otlp import bodies
from aiops.ingest.otlp.attributes import Origin, kept, origin_of, texts
from aiops.ingest.otlp.decoded import Decoded, Rejections, decoded
from aiops.ingest.otlp.exceptions import exception_text
from aiops.ingest.otlp.limits import Limits
from aiops.ingest.otlp.peers import Peers
from aiops.model import SpanTable, TelemetryWindow
from aiops.model.rows import LogLine, log_table
from aiops.model.telemetry import FloatArray, IntArray

SOURCE: Final = "otlp"
EARLIEST_NS: Final = 946_684_800 * 10**9
"""Times before the year 2000 are unset counters, as in webhooks."""
LATEST_NS: Final = 2**63
"""Times from the year 2262 on are no times."""
_NO_TRACE, _NO_SPAN = bytes(16), bytes(8)
_STATUSES = {0: "", 1: "OK", 2: "ERROR"}


def decode_traces(
    body: bytes, content_type: str, content_encoding: str = "", *, limits: Limits | None = None
) -> Decoded:
    """The spans of a request to ``/v1/traces``.

    Links and events are not kept, but exceptions: each is a log line of its span. A span without
    ids or time is rejected; one that ends before it starts took no time.

    Raises:
        BadPayload: the body cannot be read; nothing of it was taken.
    """
    limits = limits or Limits()
    written = bodies.encoding(content_type)
    sent = bodies.message(
        ExportTraceServiceRequest, body, content_type, content_encoding, limits.body_bytes
    )
    columns, rejections = _Columns(limits), Rejections()
    for resource in sent.resource_spans:
        origin = origin_of(resource.resource, limits)
        for scope in resource.scope_spans:
            usable = [span for span in scope.spans if _usable(span)]
            rejections.add("spans without valid ids or time", len(scope.spans) - len(usable))
            room = limits.items - columns.rows
            rejections.add(f"spans beyond {limits.items} of a request", len(usable) - room)
            columns.add(origin, usable[:room])
    return decoded(
        columns.windows(),
        columns.peers.calls(),
        columns.rows,
        rejections,
        written,
        ExportTraceServiceResponse(),
        "rejected_spans",
    )


def _usable(span: Span) -> bool:
    trace_id, span_id = span.trace_id, span.span_id
    return (
        len(trace_id) == 16
        and len(span_id) == 8
        and trace_id != _NO_TRACE
        and span_id != _NO_SPAN
        and EARLIEST_NS <= span.start_time_unix_nano < LATEST_NS
    )


class _Columns:
    """Collects spans by column: a list comprehension a column is the quickest Python there is."""

    def __init__(self, limits: Limits) -> None:
        self.peers, self.rows, self._limits = Peers(limits), 0, limits
        self._ids: tuple[list[str], list[str], list[str]] = ([], [], [])
        self._names: list[str] = []
        self._services: list[str] = []
        self._instances: list[str] = []
        self._statuses: list[str] = []
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._exceptions: list[LogLine] = []

    def add(self, origin: Origin, found: list[Span]) -> None:
        self.rows += len(found)
        trace_ids, span_ids, parent_ids = self._ids
        trace_ids += [span.trace_id.hex() for span in found]
        span_ids += [span.span_id.hex() for span in found]
        parent_ids += [span.parent_span_id.hex() for span in found]
        self._names += [span.name for span in found]
        self._statuses += [_STATUSES.get(span.status.code, "") for span in found]
        self._starts += [span.start_time_unix_nano for span in found]
        self._ends += [span.end_time_unix_nano for span in found]
        self._services += repeat(origin.service, len(found))
        self._instances += repeat(origin.instance, len(found))
        self.peers.look_at(origin.service, found)
        self._exceptions += chain.from_iterable(
            self._raised(origin, span) for span in found if span.events
        )

    def windows(self) -> tuple[TelemetryWindow, ...]:
        if not self.rows:
            return ()
        starts = np.array(self._starts, dtype=np.uint64)
        ends = np.array(self._ends, dtype=np.uint64)
        times = seconds(starts)
        trace_ids, span_ids, parent_ids = self._ids
        services, service_of = _coded(self._services)
        operations, operation_of = _coded([kept(name, self._limits.name) for name in self._names])
        instances, instance_of = _coded(self._instances)
        table = SpanTable(
            trace_ids=_objects(trace_ids),
            span_ids=_objects(span_ids),
            parent_ids=_objects(parent_ids),
            services=services,
            service_of=service_of,
            operations=operations,
            operation_of=operation_of,
            starts=times,
            durations=seconds(np.where(ends > starts, ends - starts, 0)),
            instances=instances if any(instances) else (),
            instance_of=instance_of if any(instances) else None,
            statuses=_objects(self._statuses) if any(self._statuses) else None,
            source=SOURCE,
        )
        return (
            TelemetryWindow(
                *span_of(times.min(), times.max()),
                spans=table,
                logs=log_table(self._exceptions, SOURCE) if self._exceptions else None,
            ),
        )

    def _raised(self, origin: Origin, span: Span) -> list[LogLine]:
        return [
            LogLine(
                time=(event.time_unix_nano or span.start_time_unix_nano) / 1e9,
                service=origin.service,
                message=kept(text, self._limits.text),
                instance=origin.instance,
                trace_id=span.trace_id.hex(),
                span_id=span.span_id.hex(),
            )
            for event in span.events[: self._limits.attributes]
            if event.name == "exception"
            and (text := exception_text(texts(event.attributes, self._limits)))
        ]


def seconds(nanoseconds: npt.NDArray[np.uint64]) -> FloatArray:
    """Nanoseconds as seconds."""
    return nanoseconds.astype(np.float64) / 1e9


def span_of(low: float, high: float) -> tuple[datetime, datetime]:
    """Bounds of a window that holds all times from ``low`` to ``high``, unix seconds."""
    start = datetime.fromtimestamp(float(low), UTC)
    return start, datetime.fromtimestamp(float(high), UTC) + timedelta(milliseconds=1)


def _coded(names: list[str]) -> tuple[tuple[str, ...], IntArray]:
    code = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return tuple(code), np.array([code[name] for name in names], dtype=np.int32)


def _objects(column: list[str]) -> npt.NDArray[np.object_]:
    made = np.empty(len(column), dtype=np.object_)
    made[:] = column
    return made
