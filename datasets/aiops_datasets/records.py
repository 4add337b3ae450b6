"""Log and span files, read into columns. Names of columns differ by tool; the lists say which."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from aiops.model import LogTable, SpanTable
from aiops.model.telemetry import FloatArray, IntArray
from aiops_datasets import clock, foreign_times
from aiops_datasets.text_columns import Columns, TextFile, Wanted

_LOG_TIME = ("time_ns", "timestamp", "time", "ts")
_LOG_SERVICE = ("service", "container_name", "service_name", "container")
_MESSAGE = ("message", "line", "body", "log")
_POD = ("pod", "pod_name", "instance")
_TRACE = ("trace_id", "traceID", "traceId")
_SPAN = ("span_id", "spanID", "spanId")
_PARENT = ("parent_id", "parentSpanID", "parent_span_id", "parentSpanId")
_SPAN_SERVICE = ("service", "serviceName", "service_name")
_OPERATION = ("operation", "operationName", "methodName", "name")
_START = ("start_ns", "startTime", "start_time", "startTimeMillis")
_STATUS = ("statusCode", "status_code", "status")
_TELLING = 200  # first cells of a column of times that tell their form
# Jaeger's "duration" counts microseconds.
_DURATION = {"duration_us": 1e-6, "duration": 1e-6, "duration_ms": 1e-3, "duration_ns": 1e-9}


def read_logs(path: Path) -> tuple[LogTable, tuple[str, ...]]:
    """The log lines in ``path``, and what to say about them; times are NaN where there are none.

    Raises:
        InvalidData: see ``TextFile``; no service or no message column.
    """
    file = TextFile(path)
    service, message = file.need("service", _LOG_SERVICE), file.need("message", _MESSAGE)
    pod, time = file.find(_POD), file.find(_LOG_TIME)
    trace, span = file.find(_TRACE), file.find(_SPAN)
    found = file.read(
        Wanted((message, trace, span), (service, pod), ((time, _time_reader(file, time)),))
    )
    services, service_of = found.codes[service]
    instances, instance_of = _codes(found, pod)
    table = LogTable(
        times=_unix(found.numbers[time]) if time else np.full(found.rows, np.nan),
        services=services,
        service_of=service_of,
        messages=found.texts[message],
        instances=instances,
        instance_of=instance_of,
        trace_ids=found.texts[trace] if trace else None,
        span_ids=found.texts[span] if span else None,
        source=path.name,
    )
    return table, found.notes


def read_spans(path: Path) -> tuple[SpanTable, tuple[str, ...]]:
    """The spans in ``path``, and what to say about them.

    Raises:
        InvalidData: see ``TextFile``; a column missing.
    """
    file = TextFile(path)
    service, operation = file.need("service", _SPAN_SERVICE), file.need("operation", _OPERATION)
    trace, span = file.need("trace id", _TRACE), file.need("span id", _SPAN)
    start, duration = file.need("start", _START), file.need("duration", tuple(_DURATION))
    pod, status, parent = file.find(_POD), file.find(_STATUS), file.find(_PARENT)
    found = file.read(
        Wanted(
            (trace, span, parent, status),
            (service, operation, pod),
            ((start, _time_reader(file, start)), (duration, float)),
            together=trace,
        )
    )
    instances, instance_of = _codes(found, pod)
    parents = found.texts[parent] if parent else np.full(found.rows, "", dtype=object)
    parents[parents == "root"] = ""
    services, service_of = found.codes[service]
    operations, operation_of = found.codes[operation]
    table = SpanTable(
        trace_ids=found.texts[trace],
        span_ids=found.texts[span],
        parent_ids=parents,
        services=services,
        service_of=service_of,
        operations=operations,
        operation_of=operation_of,
        starts=_unix(found.numbers[start]),
        durations=found.numbers[duration] * _DURATION[duration],
        instances=instances,
        instance_of=instance_of,
        statuses=found.texts[status] if status else None,
        source=path.name,
    )
    return table, found.notes


def _codes(found: Columns, name: str | None) -> tuple[tuple[str, ...], IntArray | None]:
    return found.codes[name] if name else ((), None)


def _time_reader(file: TextFile, column: str | None) -> Callable[[str], float]:
    """Counts and ISO 8601 dates, or whatever other form the first cells of ``column`` have."""
    cells = [cell for cell in file.first(column, _TELLING) if cell.strip()] if column else []
    others = [cell for cell in cells if not _is_time(cell)]
    if not others:
        return _time
    try:
        return foreign_times.reader_of(cells)
    except ValueError:
        return _time  # which refuses the column, or leaves single cells out


def _is_time(cell: str) -> bool:
    try:
        _time(cell)
    except ValueError:
        return False
    return True


def _time(text: str) -> float:
    """A count or an ISO 8601 date; raises ValueError."""
    try:
        return float(text)
    except ValueError:
        return clock.parse_iso(text)


def _unix(counts: FloatArray) -> FloatArray:
    """(n,) unix seconds, whatever the unit of the counts; NaN where one is no time."""
    usual = counts[counts > 0]
    rhythm = clock.detect(float(np.median(usual)) if len(usual) else 0.0)
    found = counts * rhythm.scale
    # A damaged stamp costs its line the time, not the case its logs.
    sound = (found >= clock.EARLIEST) & (found <= clock.LATEST) & (rhythm.relative | (found > 0))
    return np.where(sound, found, np.nan)
