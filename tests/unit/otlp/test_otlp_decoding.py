"""OTLP/HTTP bodies: what becomes of spans, log records and points, and what is refused."""

import gzip
import json
import zlib
from base64 import b64encode
from typing import Any

import numpy as np
import pytest
from google.protobuf import json_format
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from aiops.errors import BadPayload
from aiops.ingest.otlp.bodies import refusal
from aiops.ingest.otlp.decoded import Decoded
from aiops.ingest.otlp.histograms import Accumulated
from aiops.ingest.otlp.limits import Limits
from aiops.ingest.otlp.logs import decode_logs
from aiops.ingest.otlp.metrics import decode_metrics
from aiops.ingest.otlp.traces import decode_traces
from aiops.model import Entity
from aiops.model.rows import Span, log_lines, spans
from aiops.store.memory import MemoryTelemetry

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


def test_a_span_keeps_its_ids_its_time_its_service_and_its_pod():
    (window,) = sent_traces(span(status={"code": "STATUS_CODE_ERROR"})).windows
    (found,) = spans(window.spans)
    assert found == Span(TRACE, SPAN, PARENT, "web", "GET /", AT / 1e9, 0.25, "web-7f", "ERROR")
    assert window.start.timestamp() <= found.start < window.end.timestamp()


def test_protobuf_and_json_say_the_same():
    request = ExportTraceServiceRequest()
    scope = request.resource_spans.add().scope_spans.add()
    request.resource_spans[0].resource.attributes.add(key="service.name").value.string_value = "web"
    scope.spans.add(
        trace_id=bytes.fromhex(TRACE),
        span_id=bytes.fromhex(SPAN),
        name="GET /",
        start_time_unix_nano=AT,
        end_time_unix_nano=AT + 1,
    )
    by_protobuf = decode_traces(request.SerializeToString(), PROTOBUF)
    written = json_format.MessageToDict(request)
    written["resourceSpans"][0]["scopeSpans"][0]["spans"][0] |= {"traceId": TRACE, "spanId": SPAN}
    by_json = decode_traces(as_json(written), JSON)
    assert list(spans(by_protobuf.windows[0].spans)) == list(spans(by_json.windows[0].spans))


def test_a_compressed_body_is_read_and_a_bomb_is_not_unpacked():
    body = as_json(traces(span()))
    assert decode_traces(gzip.compress(body, mtime=0), JSON, "gzip").taken == 1
    bomb = gzip.compress(bytes(50_000_000), mtime=0)
    with pytest.raises(BadPayload, match="more than 1000 bytes unpacked"):
        decode_traces(bomb, PROTOBUF, "gzip", limits=Limits(body_bytes=1000))


@pytest.mark.parametrize(
    ("body", "kind", "coding", "said"),
    [
        (b"", "text/plain", "", "content type 'text/plain'"),
        (b"", PROTOBUF, "br", "send gzip or none"),
        (b"no", PROTOBUF, "gzip", "not gzip"),
        (gzip.compress(bytes(1000), mtime=0)[:-12], PROTOBUF, "gzip", "cut off"),
        (zlib.compress(b"{}"), JSON, "gzip", "not gzip"),
        (b"\x0a\xff", PROTOBUF, "", "not the protobuf message"),
        (b"{", JSON, "", "line 1, column 2"),
        (b"[]", JSON, "", "an object is expected"),
        (b'{"resourceSpans": 7}', JSON, "", "resourceSpans"),
        (as_json(traces(span(traceId="xyz"))), JSON, "", "/spans/0/traceId: an id is expected"),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_with_the_reason(body, kind, coding, said):
    with pytest.raises(BadPayload) as refused:
        decode_traces(body, kind, coding)
    assert said in str(refused.value)


def test_spans_that_cannot_be_used_are_told_in_both_encodings_and_the_rest_is_taken():
    found = (span(), span(traceId=""), span(spanId="00" * 8), span(startTimeUnixNano="0"))
    decoded = sent_traces(*found)
    assert (decoded.taken, decoded.rejected) == (1, 3)
    assert json.loads(decoded.response)["partialSuccess"]["rejectedSpans"] == "3"
    request = ExportTraceServiceRequest()
    request.resource_spans.add().scope_spans.add().spans.add()
    decoded = decode_traces(request.SerializeToString(), PROTOBUF)
    said = ExportTraceServiceResponse.FromString(decoded.response)
    assert said.partial_success.rejected_spans == 1
    assert "ids or time" in said.partial_success.error_message
    assert decoded.windows == ()


def test_a_request_that_is_taken_in_whole_is_answered_without_partial_success():
    assert json.loads(sent_traces(span()).response) == {}
    assert decode_traces(b"", PROTOBUF).response == b""


def test_spans_beyond_the_limit_are_rejected_and_counted():
    decoded = sent_traces(*[span(spanId=f"{i:016x}") for i in range(1, 8)], limits=Limits(items=5))
    assert (decoded.taken, decoded.rejected) == (5, 2)


def test_a_span_that_ends_before_it_starts_took_no_time():
    (window,) = sent_traces(span(endTimeUnixNano="0")).windows
    assert window.spans.durations.tolist() == [0.0]


def test_an_exception_of_a_span_is_a_log_line_of_it():
    raised = {
        "name": "exception",
        "timeUnixNano": str(AT + 5),
        "attributes": attributes(exception_type="TimeoutError", exception_message="after 2 s"),
    }
    (window,) = sent_traces(span(events=[raised, {"name": "retry"}])).windows
    (line,) = log_lines(window.logs)
    assert (line.message, line.service) == ("ERROR TimeoutError: after 2 s", "web")
    assert (line.trace_id, line.span_id) == (TRACE, SPAN)


@pytest.mark.parametrize(
    ("kind", "said", "ends"),
    [
        (3, {"db_system": "postgresql", "server_address": "stock-db"}, ("web", "stock-db")),
        (3, {"db_system": "postgresql", "server_address": "10.0.0.7"}, ("web", "postgresql")),
        (3, {"peer_service": "billing"}, ("web", "billing")),
        ("SPAN_KIND_PRODUCER", {"messaging_destination_name": "mails"}, ("web", "mails")),
        (5, {"messaging_destination_name": "mails"}, ("mails", "web")),
    ],
)
def test_a_far_end_without_spans_is_known_by_what_its_caller_says(kind, said, ends):
    failed = {"code": 2}
    calls = sent_traces(span(kind=kind, attributes=attributes(**said), status=failed)).calls
    assert [(one.source.name, one.target.name, one.calls, one.errors) for one in calls] == [
        (*ends, 1, 1)
    ]


def test_a_plain_call_by_http_names_no_peer():
    said = attributes(server_address="cart.shop.svc", http_request_method="GET")
    assert sent_traces(span(kind=3, attributes=said)).calls == ()


@pytest.mark.parametrize(
    ("said", "entity"),
    [
        ({"service_name": "a"}, Entity("service", "a")),
        ({"service_name": "a", "service_namespace": "n"}, Entity("service", "a", "n")),
        (
            {"service_name": "a", "service_instance_id": "i"},
            Entity("instance", "i", service="a"),
        ),
        ({"host_name": "h"}, Entity("node", "h")),
        ({}, Entity("service", "unknown_service")),
    ],
)
def test_a_resource_is_the_most_specific_thing_that_it_names(said, entity):
    point = {"timeUnixNano": str(AT), "asInt": "3"}
    request = metrics(
        {"name": "threads", "gauge": {"dataPoints": [point]}},
        resource={"attributes": attributes(**said)},
    )
    (window,) = decode_metrics(as_json(request), JSON, accumulated=Accumulated()).windows
    assert window.metrics.series[0].entity == entity


def test_a_log_record_is_one_line_with_severity_body_and_exception():
    record = {
        "timeUnixNano": str(AT),
        "severityNumber": "SEVERITY_NUMBER_ERROR2",
        "body": {
            "kvlistValue": {
                "values": [
                    {"key": "user", "value": {"arrayValue": {"values": [{"intValue": "7"}]}}}
                ]
            }
        },
        "traceId": TRACE,
        "spanId": SPAN,
        "attributes": attributes(exception_type="KeyError", exception_message="sku"),
    }
    (line,) = log_lines(decode_logs(as_json(logs(record)), JSON).windows[0].logs)
    assert line.message == 'ERROR {"user": [7]}\nERROR KeyError: sku'
    assert (line.time, line.instance) == (AT / 1e9, "web-7f")
    assert (line.trace_id, line.span_id) == (TRACE, SPAN)


def test_a_severity_that_the_line_says_itself_is_not_said_twice():
    record = {"timeUnixNano": str(AT), "severityText": "Warn", "body": {"stringValue": "[warn] x"}}
    (line,) = log_lines(decode_logs(as_json(logs(record)), JSON).windows[0].logs)
    assert line.message == "[warn] x"


def test_a_record_without_time_has_that_of_its_observation_or_is_rejected():
    records = ({"observedTimeUnixNano": str(AT)}, {"body": {"stringValue": "when?"}})
    decoded = decode_logs(as_json(logs(*records)), JSON)
    assert (decoded.taken, decoded.rejected) == (1, 1)
    assert decoded.windows[0].logs.times.tolist() == [AT / 1e9]
    assert json.loads(decoded.response)["partialSuccess"]["rejectedLogRecords"] == "1"


def test_a_gauge_is_kept_with_its_unit():
    point = {"timeUnixNano": str(AT), "asDouble": 0.5}
    decoded = sent_metrics({"name": "heap.used", "unit": "By", "gauge": {"dataPoints": [point]}})
    (one,) = decoded.windows[0].metrics.series
    assert (one.metric, one.unit, one.type) == ("heap.used", "bytes", "gauge")


@pytest.mark.parametrize(
    ("said", "unit"),
    [("s", "seconds"), ("{request}", None), ("1", "ratio"), ("", None), ("furlongs", "furlongs")],
)
def test_units_are_those_the_sender_states_in_our_words(said, unit):
    point = {"timeUnixNano": str(AT), "asDouble": 0.5}
    decoded = sent_metrics({"name": "x", "unit": said, "gauge": {"dataPoints": [point]}})
    assert decoded.windows[0].metrics.series[0].unit == unit


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


def test_a_cumulative_sum_is_a_counter_a_delta_is_a_rate_and_one_that_may_fall_a_gauge():
    said = [
        sent_metrics(summed(2)),
        sent_metrics(summed(1)),
        sent_metrics(summed(2, monotonic=False)),
    ]
    series = [decoded.windows[0].metrics.series[0] for decoded in said]
    assert [(one.type, one.unit) for one in series] == [
        ("counter", None),
        ("gauge", "1/s"),
        ("gauge", None),
    ]
    assert [values(decoded)["jobs"] for decoded in said] == [[50.0], [5.0], [50.0]]


def test_attributes_make_series_of_their_own_that_are_called_the_same_in_every_push():
    points = [
        {"timeUnixNano": str(AT), "asInt": "1", "attributes": attributes(route=route)}
        for route in ("/a", "/b")
    ]
    metric = {"name": "open", "gauge": {"dataPoints": points}}
    first, again = sent_metrics(metric), sent_metrics(metric)
    assert set(values(first)) == {'open{route="/a"}', 'open{route="/b"}'}
    columns = [[one.column for one in d.windows[0].metrics.series] for d in (first, again)]
    assert columns[0] == columns[1]
    assert len(set(columns[0])) == 2


def test_a_call_between_services_is_the_callees_on_that_edge():
    point = {
        "timeUnixNano": str(AT),
        "asInt": "9",
        "attributes": attributes(source_workload="web", destination_service_name="cart"),
    }
    decoded = sent_metrics({"name": "requests_total", "gauge": {"dataPoints": [point]}})
    (one,) = decoded.windows[0].metrics.series
    assert one.entity == Entity("service", "cart")
    assert one.metric.startswith("edge:web:requests_total{")


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


def test_a_delta_histogram_becomes_quantiles_mean_and_a_rate_of_calls():
    found = values(sent_metrics(histogram(10, [0, 100, 100, 0], temporality=1)))
    assert found["http.server.request.duration_p50"] == [2.0]
    assert found["http.server.request.duration_p90"] == pytest.approx([3.6])
    assert found["http.server.request.duration_mean"] == [2.0]
    assert found["http.server.request.calls"] == [20.0]


def test_a_cumulative_histogram_tells_what_came_since_the_last_push():
    accumulated = Accumulated()
    pushes = [histogram(10, [1000, 0, 0, 0]), histogram(20, [1000, 0, 50, 0])]
    first, second = (values(sent_metrics(one, accumulated=accumulated)) for one in pushes)
    assert first == {}
    assert second["http.server.request.duration_p50"] == [3.0]
    assert second["http.server.request.calls"] == [5.0]
    assert sent_metrics(pushes[1], accumulated=accumulated).windows == ()


def test_a_process_that_starts_again_is_new_from_there():
    accumulated = Accumulated()
    sent_metrics(histogram(10, [1000, 0, 0, 0]), accumulated=accumulated)
    again = histogram(30, [0, 10, 0, 0], start=20)
    assert values(sent_metrics(again, accumulated=accumulated))["http.server.request.calls"] == [
        1.0
    ]


def test_a_point_that_says_there_is_no_value_is_none():
    point = {"timeUnixNano": str(AT), "asDouble": 1.0, "flags": 1}
    decoded = sent_metrics({"name": "x", "gauge": {"dataPoints": [point]}})
    assert (decoded.windows, decoded.rejected) == ((), 0)


@pytest.mark.parametrize(
    "metric",
    [
        {"name": "x", "gauge": {"dataPoints": [{"asInt": "1"}]}},
        {"name": "x", "gauge": {"dataPoints": [{"timeUnixNano": str(AT)}]}},
        histogram(10, [1, 2, 3], temporality=1),
        histogram(0, [1, 2, 3, 4], temporality=1),
        histogram(10, [1, 2, 3, 2**60], temporality=1),
        histogram(10, [1, 2, 3, 4], temporality=0),
    ],
)
def test_a_point_that_makes_no_sense_is_rejected_and_the_others_are_taken(metric):
    fine = {"name": "y", "gauge": {"dataPoints": [{"timeUnixNano": str(AT), "asInt": "1"}]}}
    decoded = sent_metrics(metric, fine)
    assert (decoded.taken, decoded.rejected) == (1, 1)
    assert json.loads(decoded.response)["partialSuccess"]["rejectedDataPoints"] == "1"


def test_points_of_many_times_and_series_do_not_make_one_huge_table():
    metric = {
        "name": "x",
        "gauge": {
            "dataPoints": [
                {"timeUnixNano": str(AT + i), "asInt": "1", "attributes": attributes(i=str(i))}
                for i in range(0, 2_500_000, 1000)
            ]
        },
    }
    decoded = sent_metrics(metric)
    assert decoded.taken == 2500
    assert max(window.metrics.values.size for window in decoded.windows) <= 250_000


def test_what_was_decoded_can_be_kept_and_pushed_again():
    store = MemoryTelemetry()
    decoded = [sent_traces(span()), sent_metrics(summed(2), histogram(10, [1, 1, 1, 1], 1))]
    for window in [window for one in decoded for window in (*one.windows, *one.windows)]:
        store.append(window)
    window = decoded[0].windows[0]
    assert len(store.spans(["web"], window.start, window.end).starts) == 1


def test_names_and_lines_are_bounded_and_without_nul():
    long = span(name="n" * 5000 + "\0")
    (window,) = sent_traces(long, limits=Limits(name=10)).windows
    assert window.spans.operations == ("n" * 10,)
    record = {"timeUnixNano": str(AT), "body": {"stringValue": "a\0" + "b" * 500}}
    decoded = decode_logs(as_json(logs(record)), JSON, limits=Limits(text=100))
    (line,) = log_lines(decoded.windows[0].logs)
    assert len(line.message) == 100
    assert "\0" not in line.message


def test_a_refusal_is_a_status_with_the_reason():
    assert json.loads(refusal("json", "too large")) == {"code": 3, "message": "too large"}
    assert b"too large" in refusal("protobuf", "too large")


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
