"""What becomes of spans, of what happened in them, and of log records."""

import json

import pytest
from otlp_requests import (
    AT,
    JSON,
    PARENT,
    SPAN,
    TRACE,
    as_json,
    attributes,
    logs,
    sent_traces,
    span,
)

from aiops.ingest.otlp.logs import decode_logs
from aiops.model.rows import Span, log_lines, spans


def test_a_span_keeps_its_ids_its_time_its_service_and_its_pod():
    (window,) = sent_traces(span(status={"code": "STATUS_CODE_ERROR"})).windows
    (found,) = spans(window.spans)
    assert found == Span(TRACE, SPAN, PARENT, "web", "GET /", AT / 1e9, 0.25, "web-7f", "ERROR")
    assert window.start.timestamp() <= found.start < window.end.timestamp()


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
