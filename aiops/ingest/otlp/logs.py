"""Log records from OTLP: severity, body and exception as one line each."""

from typing import Final

from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import (
    ExportLogsServiceRequest,
    ExportLogsServiceResponse,
)
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from aiops.ingest.otlp import bodies
from aiops.ingest.otlp.attributes import Origin, kept, origin_of, text_of, texts
from aiops.ingest.otlp.decoded import Decoded, Rejections, decoded
from aiops.ingest.otlp.exceptions import exception_text
from aiops.ingest.otlp.limits import Limits
from aiops.ingest.otlp.traces import EARLIEST_NS, LATEST_NS, SOURCE, span_of
from aiops.model import TelemetryWindow
from aiops.model.rows import LogLine, log_table

_LEVELS: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
"""Each is four severity numbers (logs data model, "SeverityNumber"), from 1 on."""
_SEEN_IN: Final = 80
"""Characters at a line's start in which a logger writes the severity itself."""


def decode_logs(
    body: bytes, content_type: str, content_encoding: str = "", *, limits: Limits | None = None
) -> Decoded:
    """The lines of a request to ``/v1/logs``.

    A record is the line its body says (structured bodies as JSON), with its severity in front
    where the body does not say it and its exception below. The time is that of the event, else
    that of its observation; a record without either is rejected.

    Raises:
        BadPayload: the body cannot be read; nothing of it was taken.
    """
    limits = limits or Limits()
    written = bodies.encoding(content_type)
    sent = bodies.message(
        ExportLogsServiceRequest, body, content_type, content_encoding, limits.body_bytes
    )
    lines: list[LogLine] = []
    rejections = Rejections()
    for resource in sent.resource_logs:
        origin = origin_of(resource.resource, limits)
        for scope in resource.scope_logs:
            timed = [record for record in scope.log_records if _usable(record)]
            rejections.add("log records without time", len(scope.log_records) - len(timed))
            room = limits.items - len(lines)
            rejections.add(f"log records beyond {limits.items} of a request", len(timed) - room)
            lines += [_line(origin, record, limits) for record in timed[:room]]
    return decoded(
        _windows(lines),
        (),
        len(lines),
        rejections,
        written,
        ExportLogsServiceResponse(),
        "rejected_log_records",
    )


def _windows(lines: list[LogLine]) -> tuple[TelemetryWindow, ...]:
    times = [line.time for line in lines if line.time is not None]
    if not times:
        return ()
    return (TelemetryWindow(*span_of(min(times), max(times)), logs=log_table(lines, SOURCE)),)


def _usable(record: LogRecord) -> bool:
    return EARLIEST_NS <= _nanoseconds(record) < LATEST_NS


def _nanoseconds(record: LogRecord) -> int:
    return record.time_unix_nano or record.observed_time_unix_nano


def _line(origin: Origin, record: LogRecord, limits: Limits) -> LogLine:
    said = text_of(record.body, limits.text) or record.event_name
    raised = exception_text(texts(record.attributes, limits)) if record.attributes else ""
    level = record.severity_text or _level(record.severity_number)
    if level and level.lower() not in said[:_SEEN_IN].lower():
        said = f"{level} {said}"
    return LogLine(
        time=_nanoseconds(record) / 1e9,
        service=origin.service,
        message=kept(f"{said}\n{raised}" if raised else said, limits.text),
        instance=origin.instance,
        trace_id=record.trace_id.hex(),
        span_id=record.span_id.hex(),
    )


def _level(number: int) -> str:
    return _LEVELS[(number - 1) // 4] if 1 <= number <= 24 else ""
