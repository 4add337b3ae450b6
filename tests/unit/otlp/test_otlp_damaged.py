"""Any bytes and any request with something replaced are taken in or refused."""

import json
from base64 import b64encode
from typing import Any

from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)
from otlp_requests import (
    AT,
    JSON,
    PARENT,
    PROTOBUF,
    SPAN,
    TRACE,
    histogram,
    logs,
    metrics,
    span,
    summed,
    traces,
)

from aiops.errors import BadPayload
from aiops.ingest.otlp.histograms import Accumulated
from aiops.ingest.otlp.limits import Limits
from aiops.ingest.otlp.logs import decode_logs
from aiops.ingest.otlp.metrics import decode_metrics
from aiops.ingest.otlp.traces import decode_traces
from aiops.store.memory import MemoryTelemetry


def all_decoded(body: bytes, kind: str, coding: str) -> None:
    limits = Limits(body_bytes=100_000)
    for decode in (decode_traces, decode_logs):
        decode(body, kind, coding, limits=limits)
    decode_metrics(body, kind, coding, limits=limits, accumulated=Accumulated())


@given(st.binary(max_size=300), st.sampled_from([PROTOBUF, JSON]), st.sampled_from(["", "gzip"]))
@settings(max_examples=200, deadline=None)
def test_any_bytes_are_read_or_refused(body, kind, coding):
    try:
        all_decoded(body, kind, coding)
    except BadPayload:
        return


LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from(["", "NaN", "-Infinity", str(AT), str(2**64 - 1), TRACE, "x", "\0"])
)


def damaged(value: Any, data: st.DataObject) -> Any:
    """A copy with some members replaced."""
    if data.draw(st.integers(0, 25)) == 0:
        return data.draw(LEAF | st.lists(LEAF, max_size=2))
    if isinstance(value, dict):
        return {name: damaged(one, data) for name, one in value.items()}
    return [damaged(one, data) for one in value] if isinstance(value, list) else value


EXPONENTIAL = {
    "timeUnixNano": str(AT),
    "startTimeUnixNano": str(AT - 10**9),
    "count": "7",
    "sum": 9.0,
    "scale": 1,
    "zeroCount": "1",
    "positive": {"offset": -3, "bucketCounts": ["1", "2"]},
    "negative": {"offset": 2, "bucketCounts": ["3"]},
}
EVERYTHING = [
    (decode_traces, traces(span(events=[{"name": "exception", "timeUnixNano": "7"}], kind=3))),
    (decode_logs, logs({"timeUnixNano": str(AT), "severityNumber": 9, "body": {"intValue": "4"}})),
    (
        lambda *given: decode_metrics(*given, accumulated=Accumulated()),
        metrics(
            summed(1),
            histogram(10, [1, 2, 3, 4], 1),
            {
                "name": "e",
                "exponentialHistogram": {"aggregationTemporality": 1, "dataPoints": [EXPONENTIAL]},
            },
            {
                "name": "s",
                "summary": {
                    "dataPoints": [
                        {
                            "timeUnixNano": str(AT),
                            "count": "3",
                            "quantileValues": [{"quantile": 0.5, "value": 2}],
                        }
                    ]
                },
            },
        ),
    ),
]


@given(st.data(), st.sampled_from(EVERYTHING))
@settings(max_examples=300, deadline=None)
def test_a_request_with_anything_in_it_replaced_is_taken_in_or_refused(data, signal):
    decode, request = signal
    try:
        decoded = decode(json.dumps(damaged(request, data)).encode(), JSON)
    except BadPayload:
        return
    for window in decoded.windows:
        assert window.start < window.end
        MemoryTelemetry().append(window)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_a_protobuf_request_with_bytes_replaced_is_taken_in_or_refused(data):
    kinds = (ExportTraceServiceRequest, ExportLogsServiceRequest, ExportMetricsServiceRequest)
    n = data.draw(st.integers(0, 2))
    decode, request = EVERYTHING[n]
    written = json.dumps(request)
    for plain in (TRACE, SPAN, PARENT):
        written = written.replace(plain, b64encode(bytes.fromhex(plain)).decode())
    for_protobuf = json.loads(written)
    body = bytearray(json_format.ParseDict(for_protobuf, kinds[n]()).SerializeToString())
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    try:
        decode(bytes(body), PROTOBUF)
    except BadPayload:
        return
