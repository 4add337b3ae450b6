"""OTLP/HTTP bodies: encodings, limits, and what is refused or rejected."""

import gzip
import json
import zlib

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from otlp_requests import (
    AT,
    JSON,
    PROTOBUF,
    SPAN,
    TRACE,
    as_json,
    logs,
    sent_traces,
    span,
    traces,
)

from aiops.errors import BadPayload
from aiops.ingest.otlp.bodies import refusal
from aiops.ingest.otlp.limits import Limits
from aiops.ingest.otlp.logs import decode_logs
from aiops.ingest.otlp.traces import decode_traces
from aiops.model.rows import log_lines, spans


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
