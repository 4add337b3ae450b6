"""Requests as an OpenTelemetry exporter sends them, and what becomes of them."""

import json
from typing import Any

import numpy as np

from aiops.ingest.otlp.decoded import Decoded
from aiops.ingest.otlp.histograms import Accumulated
from aiops.ingest.otlp.limits import Limits
from aiops.ingest.otlp.metrics import decode_metrics
from aiops.ingest.otlp.traces import decode_traces

PROTOBUF, JSON = "application/x-protobuf", "application/json; charset=utf-8"
AT = 1_779_288_000_000_000_000
TRACE, SPAN, PARENT = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b173"


def attributes(**said: str) -> list[dict[str, Any]]:
    return [
        {"key": name.replace("_", "."), "value": {"stringValue": value}}
        for name, value in said.items()
    ]


RESOURCE = {
    "attributes": attributes(
        service_name="web",
        k8s_pod_name="web-7f",
        k8s_namespace_name="shop",
        k8s_cluster_name="eu1",
    )
}


def span(**more: Any) -> dict[str, Any]:
    return {
        "traceId": TRACE,
        "spanId": SPAN,
        "parentSpanId": PARENT,
        "name": "GET /",
        "kind": 2,
        "startTimeUnixNano": str(AT),
        "endTimeUnixNano": str(AT + 250_000_000),
    } | more


def traces(*found: dict[str, Any], resource: dict[str, Any] = RESOURCE) -> dict[str, Any]:
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(found)}]}]}


def logs(*found: dict[str, Any]) -> dict[str, Any]:
    return {"resourceLogs": [{"resource": RESOURCE, "scopeLogs": [{"logRecords": list(found)}]}]}


def metrics(*found: dict[str, Any], resource: dict[str, Any] = RESOURCE) -> dict[str, Any]:
    return {"resourceMetrics": [{"resource": resource, "scopeMetrics": [{"metrics": list(found)}]}]}


def as_json(request: dict[str, Any]) -> bytes:
    return json.dumps(request).encode()


def sent_traces(*found: dict[str, Any], limits: Limits | None = None) -> Decoded:
    return decode_traces(as_json(traces(*found)), JSON, limits=limits)


def sent_metrics(*found: dict[str, Any], accumulated: Accumulated | None = None) -> Decoded:
    return decode_metrics(as_json(metrics(*found)), JSON, accumulated=accumulated or Accumulated())


def values(decoded: Decoded) -> dict[str, list[float]]:
    """Samples by the name of their series, in order of time."""
    return {
        one.metric: [float(v) for v in table.values[:, i] if np.isfinite(v)]
        for window in decoded.windows
        if (table := window.metrics) is not None
        for i, one in enumerate(table.series)
    }


def summed(temporality: int, *, monotonic: bool = True) -> dict[str, Any]:
    point = {"timeUnixNano": str(AT), "startTimeUnixNano": str(AT - 10 * 10**9), "asInt": "50"}
    return {
        "name": "jobs",
        "unit": "{job}",
        "sum": {
            "aggregationTemporality": temporality,
            "isMonotonic": monotonic,
            "dataPoints": [point],
        },
    }


def histogram(at: int, counts: list[int], temporality: int = 2, start: int = 0) -> dict[str, Any]:
    point = {
        "timeUnixNano": str(AT + at * 10**9),
        "startTimeUnixNano": str(AT + start * 10**9),
        "count": str(sum(counts)),
        "sum": 2.0 * sum(counts),
        "bucketCounts": [str(count) for count in counts],
        "explicitBounds": [1.0, 2.0, 4.0],
    }
    data = {"aggregationTemporality": temporality, "dataPoints": [point]}
    return {"name": "http.server.request.duration", "unit": "s", "histogram": data}
