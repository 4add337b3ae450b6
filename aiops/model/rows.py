"""Log lines and spans one by one, and back into tables: for what reads or merges them singly."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.model.telemetry import IntArray, LogTable, SpanTable


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line. ``time`` in unix seconds, None where unknown; other unknowns are ""."""

    time: float | None
    service: str
    message: str
    instance: str = ""
    trace_id: str = ""
    span_id: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """One operation of one service: ``start`` in unix seconds, ``duration`` in seconds.

    The parent of a root is ""; ``instance`` and ``status`` are "" where unknown.
    """

    trace_id: str
    span_id: str
    parent_id: str
    service: str
    operation: str
    start: float
    duration: float
    instance: str = ""
    status: str = ""


def log_lines(table: LogTable) -> Iterator[LogLine]:
    """The lines of a table, in its order."""
    rows = len(table.times)
    instances = _names(table.instances, table.instance_of, rows)
    trace_ids, span_ids = _texts(table.trace_ids, rows), _texts(table.span_ids, rows)
    for i, time in enumerate(table.times.tolist()):
        yield LogLine(
            time=None if np.isnan(time) else time,
            service=table.services[table.service_of[i]],
            message=str(table.messages[i]),
            instance=instances[i],
            trace_id=trace_ids[i],
            span_id=span_ids[i],
        )


def log_table(lines: Iterable[LogLine], source: str = "logs") -> LogTable:
    """A table of lines, in their order; columns that no line fills are None."""
    rows = list(lines)
    services, service_of = _coded([line.service for line in rows])
    instances, instance_of = _coded([line.instance for line in rows])
    known = any(instances)
    times = [np.nan if line.time is None else line.time for line in rows]
    return LogTable(
        times=np.array(times, dtype=np.float64),
        services=services,
        service_of=service_of,
        messages=_objects([line.message for line in rows]),
        instances=instances if known else (),
        instance_of=instance_of if known else None,
        trace_ids=_unless_empty([line.trace_id for line in rows]),
        span_ids=_unless_empty([line.span_id for line in rows]),
        source=source,
    )


def spans(table: SpanTable) -> Iterator[Span]:
    """The spans of a table, in its order."""
    rows = len(table.starts)
    instances = _names(table.instances, table.instance_of, rows)
    statuses = _texts(table.statuses, rows)
    for i, start in enumerate(table.starts.tolist()):
        yield Span(
            trace_id=str(table.trace_ids[i]),
            span_id=str(table.span_ids[i]),
            parent_id=str(table.parent_ids[i]),
            service=table.services[table.service_of[i]],
            operation=table.operations[table.operation_of[i]],
            start=start,
            duration=float(table.durations[i]),
            instance=instances[i],
            status=statuses[i],
        )


def span_table(found: Iterable[Span], source: str = "traces") -> SpanTable:
    """A table of spans, in their order; columns that no span fills are None."""
    rows = list(found)
    services, service_of = _coded([span.service for span in rows])
    operations, operation_of = _coded([span.operation for span in rows])
    instances, instance_of = _coded([span.instance for span in rows])
    known = any(instances)
    return SpanTable(
        trace_ids=_objects([span.trace_id for span in rows]),
        span_ids=_objects([span.span_id for span in rows]),
        parent_ids=_objects([span.parent_id for span in rows]),
        services=services,
        service_of=service_of,
        operations=operations,
        operation_of=operation_of,
        starts=np.array([span.start for span in rows], dtype=np.float64),
        durations=np.array([span.duration for span in rows], dtype=np.float64),
        instances=instances if known else (),
        instance_of=instance_of if known else None,
        statuses=_unless_empty([span.status for span in rows]),
        source=source,
    )


def _coded(names: list[str]) -> tuple[tuple[str, ...], IntArray]:
    """The distinct names as they appear, and (n,) indices into them."""
    code = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return tuple(code), np.array([code[name] for name in names], dtype=np.int32)


def _names(names: tuple[str, ...], codes: IntArray | None, rows: int) -> list[str]:
    return [""] * rows if codes is None else [names[code] for code in codes]


def _texts(column: npt.NDArray[np.object_] | None, rows: int) -> list[str]:
    return [""] * rows if column is None else [str(text) for text in column]


def _unless_empty(texts: list[str]) -> npt.NDArray[np.object_] | None:
    return _objects(texts) if any(texts) else None


def _objects(texts: list[str]) -> npt.NDArray[np.object_]:
    column = np.empty(len(texts), dtype=np.object_)
    column[:] = texts
    return column
