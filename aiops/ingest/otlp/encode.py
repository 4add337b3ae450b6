"""Telemetry as OTLP requests, in protobuf: what a replay sends. The inverse of decoding."""

from collections.abc import Iterator
from hashlib import blake2b
from itertools import islice
from typing import Any, Final, TypeVar

import numpy as np
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.metrics.v1.metrics_pb2 import AggregationTemporality, Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Status

from aiops.analyze.samples import sampled
from aiops.analyze.traces.errors import is_error
from aiops.model import Entity, LogTable, MetricTable, SpanTable
from aiops.model.rows import LogLine, Span, log_lines, spans

ITEMS: Final = 5_000
"""Spans, lines or points of one request: a few hundred kilobytes."""
_Row = TypeVar("_Row", Span, LogLine)


def metric_requests(table: MetricTable) -> Iterator[bytes]:
    """The samples, ascending in time. Counters become cumulative sums, the rest gauges."""
    rows = max(1, ITEMS // max(1, len(table.series)))
    for first in range(0, len(table.times), rows):
        times, values = table.times[first : first + rows], table.values[first : first + rows]
        sent = ExportMetricsServiceRequest()
        for i in np.flatnonzero(sampled(values).any(axis=0)):
            one = table.series[i]
            resource = sent.resource_metrics.add()
            _say(resource.resource, one.entity)
            metric = resource.scope_metrics.add().metrics.add(name=one.metric, unit=one.unit or "")
            points = _points(metric, growing=one.type == "counter")
            for row in np.flatnonzero(sampled(values[:, i])):
                points.add(time_unix_nano=_ns(times[row]), as_double=float(values[row, i]))
        if sent.resource_metrics:
            yield sent.SerializeToString()


def log_requests(table: LogTable) -> Iterator[bytes]:
    """The lines in their order; those of unknown time are left out, OTLP has no word for them."""
    lines = (line for line in log_lines(table) if line.time is not None)
    while some := list(islice(lines, ITEMS)):
        sent = ExportLogsServiceRequest()
        for (service, instance), own in _by_origin(some).items():
            resource = sent.resource_logs.add()
            _say(resource.resource, _entity(service, instance))
            records = resource.scope_logs.add().log_records
            for line in own:
                record = records.add(
                    time_unix_nano=_ns(line.time or 0.0),
                    trace_id=_id(line.trace_id, 16),
                    span_id=_id(line.span_id, 8),
                )
                record.body.string_value = line.message
        yield sent.SerializeToString()


def span_requests(table: SpanTable) -> Iterator[bytes]:
    """The spans in their order; ids that are none of OTLP's are hashed into some."""
    found = spans(table)
    while some := list(islice(found, ITEMS)):
        sent = ExportTraceServiceRequest()
        for (service, instance), own in _by_origin(some).items():
            resource = sent.resource_spans.add()
            _say(resource.resource, _entity(service, instance))
            scope = resource.scope_spans.add()
            for span in own:
                scope.spans.add(
                    trace_id=_id(span.trace_id, 16),
                    span_id=_id(span.span_id, 8),
                    parent_span_id=_id(span.parent_id, 8),
                    name=span.operation,
                    start_time_unix_nano=_ns(span.start),
                    end_time_unix_nano=_ns(span.start + max(span.duration, 0.0)),
                    status=Status(code=_code(span.status)),
                )
        yield sent.SerializeToString()


def _points(metric: Metric, *, growing: bool) -> Any:
    if not growing:
        return metric.gauge.data_points
    metric.sum.is_monotonic = True
    metric.sum.aggregation_temporality = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
    return metric.sum.data_points


def _by_origin(rows: list[_Row]) -> dict[tuple[str, str], list[_Row]]:
    found: dict[tuple[str, str], list[_Row]] = {}
    for row in rows:
        found.setdefault((row.service, row.instance), []).append(row)
    return found


def _entity(service: str, instance: str) -> Entity:
    if not instance:
        return Entity("service", service)
    return Entity("instance", instance, service=service)


def _say(resource: Resource, entity: Entity) -> None:
    said = {
        "service.name": None if entity.kind == "node" else entity.service_name,
        "host.name": entity.name if entity.kind == "node" else None,
        "service.instance.id": entity.name if entity.kind == "instance" else None,
        "k8s.namespace.name": entity.namespace,
        "k8s.cluster.name": entity.cluster,
    }
    for name, value in said.items():
        if value:
            resource.attributes.add(key=name).value.string_value = value


def _ns(seconds: float) -> int:
    return round(float(seconds) * 1e9)


def _id(text: str, size: int) -> bytes:
    if not text:
        return b""
    if len(text) == 2 * size and not set(text.lower()) - set("0123456789abcdef"):
        return bytes.fromhex(text)
    return blake2b(text.encode(), digest_size=size).digest()


def _code(status: str) -> Status.StatusCode.ValueType:
    if is_error(status):
        return Status.STATUS_CODE_ERROR
    return Status.STATUS_CODE_OK if status else Status.STATUS_CODE_UNSET
