"""What arrives at a webhook is alerts or a BadPayload with a place, whatever the bytes."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from alert_parsers import ALERT_PARSERS
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.errors import BadPayload
from aiops.ingest.webhooks import (
    alertmanager,
    cloudwatch,
    datadog,
    grafana,
    pagerduty,
)
from aiops.ingest.webhooks.labels import MOST_LABELS, MOST_VALUE
from aiops.ingest.webhooks.payload import MOST_DEPTH, decode
from aiops.model.alert import Alert
from aiops.ports.webhook import AlertParser, Push

RECEIVED = datetime(2026, 5, 20, 15, tzinfo=UTC)


def push(body: bytes, **headers: str) -> Push:
    return Push("hook", body, headers, RECEIVED)


def group(**alert: Any) -> bytes:
    whole = {"status": "firing", "labels": {"alertname": "a"}, "startsAt": "2026-05-20T14:00:00Z"}
    return json.dumps({"alerts": [whole | alert]}).encode()


def one(**alert: Any) -> Alert:
    (read,) = alertmanager.parse(push(group(**alert)))
    return read


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "line 1, column 1: not JSON: the body is empty"),
        (b"payload=%7B%7D", "line 1, column 1: not JSON: this is a form; set the sender's content"),
        (b"<alert/>", "line 1, column 1: not JSON: this looks like XML or HTML"),
        (b'{"alerts": [}', "line 1, column 13: not JSON"),
        (b'{\n  "alerts": nope}', "line 2, column 13: not JSON"),
        (b'{"a": 1} x', "line 1, column 10: not JSON: Extra data"),
        (b'{"a": "\xff"}', "byte 7: not UTF-8"),
        ("{}".encode("utf-16"), "byte 0: not plain UTF-8"),
        ("{}".encode("utf-16-le"), "byte 0: not plain UTF-8"),
        ("{}".encode("utf-8-sig"), "byte 0: not plain UTF-8"),
        (b'{"a": NaN}', "NaN is no finite number"),
        (b'{"a": -Infinity}', "-Infinity is no finite number"),
        (b'{"a": 1e999}', "1e999 is no finite number"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "a number of 5000 digits"),
        (b'{"a": 1, "b": {"c": 1, "c": 2}}', "the name 'c' stands twice in one object"),
        (b"[" * 100_000, "nested deeper than 32 levels"),
        (b"[" * 40 + b"]" * 40, "nested deeper than 32 levels"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "nested deeper than 32 levels"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_body_that_is_no_clean_json_is_refused_with_its_place(body, said):
    with pytest.raises(BadPayload) as caught:
        decode(body)
    assert str(caught.value).startswith(said)


def test_nesting_up_to_the_limit_is_read():
    deep = b"[" * MOST_DEPTH + b"]" * MOST_DEPTH
    assert json.dumps(decode(deep)).encode() == deep


def test_characters_that_no_database_keeps_are_replaced():
    assert decode(rb'{"a\u0000": ["\ud800x", "\ud83d\ude00"]}') == {"a\ufffd": ["\ufffdx", "😀"]}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[]", "/: a list where an object is expected"),
        (b"{}", "/alerts: missing"),
        (b'{"alerts": {}}', "/alerts: an object where a list is expected"),
        (b'{"alerts": [1]}', "/alerts/0: a number where an object is expected"),
        (group(labels=[1]), "/alerts/0/labels: a list where an object is expected"),
        (group(status=None), "/alerts/0/status: missing or empty"),
        (group(status="odd"), "/alerts/0/status: 'odd', not firing or resolved"),
        (group(startsAt="soon"), "/alerts/0/startsAt: 'soon' is no time"),
        (group(startsAt=True), "/alerts/0/startsAt: neither text nor a number"),
        (group(fingerprint={}), "/alerts/0/fingerprint: an object where text is expected"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_pointer(body, said):
    with pytest.raises(BadPayload) as caught:
        alertmanager.parse(push(body))
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize("empty", [None, "", [], {}], ids=["null", "text", "list", "object"])
def test_labels_that_are_empty_in_any_way_are_no_labels(empty):
    assert one(labels=empty, annotations=empty).labels == ()


def test_a_rule_of_grafana_without_data_is_called_by_its_own_name():
    silent = {"alertname": "DatasourceNoData", "rulename": "Checkout p99"}
    (alert,) = grafana.parse(push(group(labels=silent)))
    assert alert.name == "Checkout p99: no data"


def test_metric_math_of_cloudwatch_is_about_what_all_its_metrics_measure():
    def metric(**dimensions: str) -> dict[str, Any]:
        listed = [{"name": name, "value": value} for name, value in dimensions.items()]
        return {"Id": "m", "MetricStat": {"Metric": {"MetricName": "n", "Dimensions": listed}}}

    measured = [
        {"Id": "e1", "Expression": "100*m1/m2"},
        metric(ServiceName="web", TargetGroup="blue"),
        metric(ServiceName="web", TargetGroup="green"),
    ]
    alarm = {"AlarmName": "rate", "NewStateValue": "ALARM", "Trigger": {"Metrics": measured}}
    (alert,) = cloudwatch.parse(push(json.dumps(alarm).encode()))
    assert dict(alert.labels) == {"alertname": "rate", "ServiceName": "web"}
    assert alert.entity is not None
    assert alert.entity.name == "web"


@pytest.mark.parametrize(("state", "status"), [("ALARM", "firing"), ("OK", "resolved")])
def test_an_alarm_that_eventbridge_tells_of_is_the_same_alert(state, status):
    arn = "arn:aws:cloudwatch:eu-west-1:123456789012:alarm:rate"
    metric = {"namespace": "AWS/ECS", "name": "n", "dimensions": {"ServiceName": "web"}}
    event = {
        "detail-type": "CloudWatch Alarm State Change",
        "source": "aws.cloudwatch",
        "account": "123456789012",
        "region": "eu-west-1",
        "resources": [arn],
        "detail": {
            "alarmName": "rate",
            "state": {
                "value": state,
                "reason": "too much",
                "timestamp": "2026-05-20T14:00:00.000+0000",
            },
            "configuration": {"metrics": [{"id": "m", "metricStat": {"metric": metric}}]},
        },
    }
    (alert,) = cloudwatch.parse(push(json.dumps(event).encode()))
    old = {"AlarmName": "rate", "NewStateValue": state, "AlarmArn": arn}
    (same,) = cloudwatch.parse(push(json.dumps(old).encode()))
    assert (alert.status, alert.key) == (status, same.key)
    assert alert.entity is not None
    assert alert.entity.name == "web"
    assert alert.starts_at == datetime(2026, 5, 20, 14, tzinfo=UTC)


def test_a_pointer_escapes_what_json_pointers_escape():
    body = b'{"event": {"event_type": "incident.x", "data": {"type": "incident", "id": []}}}'
    with pytest.raises(BadPayload, match=r"^/event/data/status: missing"):
        pagerduty.parse(push(body))


@pytest.mark.parametrize(
    "written",
    [
        "2026-05-20T14:00:00Z",
        "2026-05-20T16:00:00.000000001+02:00",
        "2026-05-20T14:00:00",
        "2026-05-20 14:00:00 UTC",
        "2026-05-20T14:00:00.000+0000",
        1779285600,
        1779285600.0,
        1779285600000,
        "1779285600",
        "1779285600000",
        1779285600000000,
        1779285600000000000,
    ],
)
def test_one_moment_is_read_in_every_form(written):
    assert one(startsAt=written).starts_at == datetime(2026, 5, 20, 14, tzinfo=UTC)


@pytest.mark.parametrize(
    "absurd",
    [
        "0001-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "2026-05-20T15:00:01Z",
        0,
        -1e30,
        1e30,
        "99999999999999999999999999999",
    ],
)
def test_an_absurd_time_becomes_that_of_receipt_with_a_note(absurd):
    alert = one(startsAt=absurd)
    assert alert.starts_at == RECEIVED
    (note,) = json.loads(alert.extra)["notes"]
    assert "receipt stands in" in note


def test_ten_thousand_labels_are_cut_but_not_those_that_say_what_it_is_about():
    labels = {f"a{n}": "x" for n in range(10_000)} | {"service": "web", "severity": "page"}
    alert = one(labels=labels)
    assert len(alert.labels) == MOST_LABELS
    assert alert.label("service") == "web"
    assert alert.severity == "SEV1"
    assert json.loads(alert.extra)["notes"] == ["labels: 100 of 10002 kept"]


def test_labels_that_were_cut_still_tell_alerts_apart():
    first = {f"a{n}": "x" for n in range(10_000)}
    assert one(labels=first).key != one(labels=first | {"a9999": "y"}).key


def test_a_label_of_a_megabyte_is_cut_with_a_note():
    alert = one(labels={"big": "x" * 1_000_000})
    assert alert.labels == (("big", "x" * MOST_VALUE),)
    assert json.loads(alert.extra)["notes"] == [f"labels: 1 cut to {MOST_VALUE} characters (big)"]


def test_names_that_are_cut_to_the_same_stay_one_label():
    alert = one(labels={"n" * 1_000 + end: end for end in "ab"})
    assert len(alert.labels) == 1


def test_unknown_fields_are_kept_and_bounded_with_a_note():
    assert json.loads(one(new={"a": [1, None]}).extra)["fields"] == {"new": {"a": [1, None]}}
    alert = one(huge=["x" * 1_000_000], small=1)
    extra = json.loads(alert.extra)
    assert len(alert.extra) < 10_000
    assert extra["fields"] == {"small": 1}
    assert extra["notes"] == ["1 unknown fields too large to keep (huge)"]


@pytest.mark.parametrize(
    ("labels", "kind", "name", "service"),
    [
        ({"pod": "web-1", "deployment": "web", "namespace": "n"}, "instance", "web-1", "web"),
        ({"deployment": "web", "namespace": "n"}, "workload", "web", "web"),
        ({"app": "web", "node": "n1"}, "service", "web", "web"),
        ({"app.kubernetes.io/name": "web"}, "service", "web", "web"),
        ({"service": "kube-state-metrics", "pod": "web-1"}, "instance", "web-1", "web-1"),
        ({"job": "node-exporter", "instance": "n1:9100"}, "instance", "n1:9100", "n1:9100"),
        ({"job": "web", "instance": "10.0.0.1:80"}, "service", "web", "web"),
        ({"node": "n1", "job": "kubelet"}, "node", "n1", "n1"),
        ({"namespace": "n"}, "namespace", "n", "n"),
    ],
)
def test_the_most_specific_label_says_what_an_alert_is_about(labels, kind, name, service):
    entity = one(labels=labels).entity
    assert (entity.kind, entity.name, entity.service_name) == (kind, name, service)


def test_labels_about_nothing_name_no_entity():
    assert one(labels={"alertname": "a", "team": "b"}).entity is None


@pytest.mark.parametrize(
    ("word", "severity"),
    [
        ("critical", "SEV1"),
        ("page", "SEV1"),
        ("P1", "SEV1"),
        ("sev-1", "SEV1"),
        ("Error", "SEV2"),
        ("high", "SEV2"),
        ("warning", "SEV3"),
        ("P3", "SEV3"),
        ("info", "SEV4"),
        ("P5", "SEV4"),
        ("none", "SEV4"),
        ("purple", "SEV3"),
        ("1", "SEV3"),
        ("", "SEV3"),
    ],
)
def test_words_of_severity_are_put_on_one_scale(word, severity):
    assert one(labels={"severity": word}).severity == severity


def test_an_address_that_a_page_would_run_is_no_link():
    alert = one(annotations={"runbook_url": "javascript:x()"}, generatorURL="data:text/html,x")
    assert (alert.runbook_url, alert.link) == (None, None)


@pytest.mark.parametrize("parse", ALERT_PARSERS.values(), ids=ALERT_PARSERS)
@given(body=st.binary(max_size=60))
@settings(max_examples=60, deadline=None)
def test_arbitrary_bytes_are_alerts_or_a_bad_payload(parse, body):
    reads_or_refuses(parse, push(body))


def reads_or_refuses(parse: AlertParser, request: Push) -> None:
    try:
        alerts = parse(request)
    except BadPayload:
        return
    for alert in alerts:
        names = [name for name, _ in alert.labels]
        assert names == sorted(set(names))
        assert alert.starts_at <= (alert.ends_at or alert.starts_at) <= RECEIVED
        assert alert.fingerprint
        assert alert.name
        assert isinstance(json.loads(alert.extra), dict)
        repr(alert).encode()


@pytest.mark.parametrize(
    ("title", "name", "status", "severity"),
    [
        ("[Triggered on {host:a}] Disk", "Disk", "firing", "SEV3"),
        ("[P1] [Re-Triggered] Disk", "Disk", "firing", "SEV1"),
        ("[Recovered] Disk", "Disk", "resolved", "SEV3"),
        ("[No Data on {host:a}] Disk", "Disk", "firing", "SEV3"),
        ("[EU] Disk [full]", "[EU] Disk [full]", "firing", "SEV3"),
        ("Disk", "Disk", "firing", "SEV3"),
        ("[Triggered]", "[Triggered]", "firing", "SEV3"),
    ],
)
def test_a_title_of_datadog_says_what_its_template_does_not(title, name, status, severity):
    (alert,) = datadog.parse(push(json.dumps({"title": title}).encode()))
    assert (alert.name, alert.status, alert.severity) == (name, status, severity)
