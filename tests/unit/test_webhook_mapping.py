"""A mapping file makes alerts of any JSON, and says what it did not find."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.errors import BadPayload, InvalidInput
from aiops.ingest.webhooks.generic import MappedParser, Missing, parse, try_mapping
from aiops.ingest.webhooks.mapping import load_mapping, read_mapping
from aiops.ingest.webhooks.paths import path
from aiops.model.alert import Alert
from aiops.model.entity import Entity
from aiops.ports.webhook import Push

RECEIVED = datetime(2026, 5, 20, 15, tzinfo=UTC)
MAPPING = """
alerts: report.problems
fields:
  fingerprint: {template: "{$.site}/{id}"}
  status: {path: state, values: {OPEN: firing, CLOSED: resolved}, default: firing}
  name: {template: "{check.name} on {hosts[0]}"}
  starts_at: since
  ends_at: until
  severity: {path: impact, values: {"1": critical, "2": error}, default: warning}
  summary: text
  link: {template: "https://monitor.example.org/problems/{id}"}
  service: check.service
labels:
  "*": tags.*
  site: $.site
  zone: '["zone.id"]'
annotations:
  text: text
"""
PROBLEM: dict[str, Any] = {
    "id": 7,
    "state": "OPEN",
    "check": {"name": "disk", "service": "web"},
    "hosts": ["web-1", "web-2"],
    "since": 1779285600,
    "impact": 1,
    "text": "Disk full",
    "tags": {"team": "shop", "n": 3},
    "zone.id": "a",
    "odd": [1],
}


def push(problem: dict[str, Any] | None = None, **root: Any) -> Push:
    payload = {"site": "fra", "report": {"problems": [problem or PROBLEM]}} | root
    return Push("hook", json.dumps(payload).encode(), {}, RECEIVED)


def one(problem: dict[str, Any] | None = None, mapping: str = MAPPING) -> Alert:
    (alert,) = MappedParser(read_mapping(mapping))(push(problem))
    return alert


def test_every_field_comes_from_where_the_mapping_says():
    assert one() == Alert(
        source="hook",
        fingerprint="fra/7",
        status="firing",
        name="disk on web-1",
        labels=(
            ("alertname", "disk on web-1"),
            ("n", "3"),
            ("site", "fra"),
            ("team", "shop"),
            ("zone", "a"),
        ),
        annotations=(("text", "Disk full"),),
        starts_at=datetime(2026, 5, 20, 14, tzinfo=UTC),
        severity="SEV1",
        entity=Entity("service", "web"),
        summary="Disk full",
        link="https://monitor.example.org/problems/7",
        extra='{"fields":{"check":{"name":"disk","service":"web"},"hosts":["web-1","web-2"],'
        '"odd":[1]}}',
    )


def test_an_end_has_the_key_of_its_beginning():
    closed = one(PROBLEM | {"state": "CLOSED", "until": "2026-05-20T14:30:00Z"})
    assert (closed.status, closed.key) == ("resolved", one().key)
    assert closed.ends_at == datetime(2026, 5, 20, 14, 30, tzinfo=UTC)


def test_a_fingerprint_with_a_part_missing_is_not_used():
    first, second = PROBLEM | {"id": None}, PROBLEM | {"id": None, "tags": {"team": "other"}}
    assert one(first).key != one(second).key
    assert len(one(first).fingerprint) == 64


def test_what_is_absent_has_the_default_of_its_rule():
    alert = one({name: PROBLEM[name] for name in ("id", "check", "hosts")})
    assert (alert.status, alert.severity) == ("firing", "SEV3")


def test_a_trial_says_which_rules_found_nothing_and_where_they_looked():
    trial = try_mapping(
        read_mapping(MAPPING), push({"check": {"name": "disk"}, "hosts": ["a"], "since": 0})
    )
    (alert,) = trial.alerts
    assert (alert.name, alert.link) == ("disk on a", None)
    assert trial.missing == (
        Missing("fields.fingerprint", ("/site", "/report/problems/0/id")),
        Missing("fields.ends_at", ("/report/problems/0/until",)),
        Missing("fields.summary", ("/report/problems/0/text",)),
        Missing("fields.link", ("/report/problems/0/id",)),
        Missing("fields.service", ("/report/problems/0/check/service",)),
        Missing("labels.*", ("/report/problems/0/tags",)),
        Missing("labels.zone", ("/report/problems/0/zone.id",)),
        Missing("annotations.text", ("/report/problems/0/text",)),
    )


def test_a_mapping_of_one_alert_needs_no_list():
    mapping = read_mapping("fields: {name: title}\nlabels: {'*': $.*}")
    push = Push("hook", b'{"title": "Full", "disk": "sda"}', {}, RECEIVED)
    (alert,) = MappedParser(mapping)(push)
    assert alert.labels == (("alertname", "Full"), ("disk", "sda"), ("title", "Full"))


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (
            PROBLEM | {"since": "soon"},
            (
                "/report/problems/0/since: 'soon' is no time; send RFC 3339 or seconds since 1970 "
                "(mapping key 'fields.starts_at')"
            ),
        ),
        (
            PROBLEM | {"state": "ODD"},
            (
                "/report/problems/0/state: 'ODD' is no status; translate it with values to firing "
                "or resolved (mapping key 'fields.status')"
            ),
        ),
        (
            {"id": 7},
            (
                "/report/problems/0/check/name, /report/problems/0/hosts/0: missing or empty "
                "(mapping key 'fields.name')"
            ),
        ),
        (
            PROBLEM | {"tags": [1]},
            (
                "/report/problems/0/tags: not an object, so it has no members to take "
                "(mapping key 'labels.*')"
            ),
        ),
    ],
)
def test_a_payload_that_does_not_fit_is_refused_with_key_and_place(problem, said):
    with pytest.raises(BadPayload) as caught:
        one(problem)
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("report", "said"),
    [
        (None, "/report/problems: no list of alerts is there (mapping key 'alerts')"),
        ({"problems": [1]}, "/report/problems/0: not an object (mapping key 'alerts')"),
    ],
)
def test_a_payload_without_the_list_is_refused(report, said):
    with pytest.raises(BadPayload) as caught:
        MappedParser(read_mapping(MAPPING))(push(report=report))
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("fields: [", "m.yaml, line 1: not YAML"),
        ("", "m.yaml: the mapping: names and values are expected"),
        ("[1]", "m.yaml: the mapping: names and values are expected"),
        ("fields: {status: a}", "m.yaml: key 'fields': set name or summary"),
        ("field: {name: a}", "m.yaml: the mapping: unknown key 'field'; choose from: alerts"),
        ("fields: {nom: a}", "m.yaml: key 'fields': unknown key 'nom'; choose from: fingerprint"),
        ("fields: {name: 3}", "m.yaml: key 'fields.name': names and values are expected"),
        ("fields: {name: {default: a}}", "m.yaml: key 'fields.name': give a path or a template"),
        ("fields: {name: a..b}", "m.yaml: key 'fields.name': 'a..b' is no path: it stops"),
        ("fields: {name: {template: 'x {a b}'}}", "m.yaml: key 'fields.name.template': 'a b' is"),
        ("fields: {name: a}\nalerts: [a]", "m.yaml: key 'alerts': a path is text"),
        ("fields: {name: {path: a, values: 3}}", "m.yaml: key 'fields.name.values': names and"),
        ("a: &a [*a]", "m.yaml: the mapping: unknown key 'a'"),
        ("fields: {name: \x00}", "m.yaml: not YAML"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused_with_its_key(text, said):
    with pytest.raises(InvalidInput) as caught:
        read_mapping(text, "m.yaml")
    assert str(caught.value).startswith(said)


def test_a_mapping_file_that_is_not_there_is_refused_with_its_name(tmp_path):
    with pytest.raises(InvalidInput, match=r"mapping .*none\.yaml: No such file"):
        load_mapping(tmp_path / "none.yaml")
    (tmp_path / "m.yaml").write_text(MAPPING)
    assert load_mapping(tmp_path / "m.yaml") == read_mapping(MAPPING)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a.b", {"c": [1, {"d": 2}], "*": 5}),
        ("a.b.c[1].d", 2),
        ("a.b.c[0]", 1),
        ("a.b.c[2]", None),
        ("a.b.c.d", None),
        ("a[0]", None),
        ('a["b"].c[0]', 1),
        ("a['x.y']", 3),
        ("['p q']", 4),
        ("$.top", "root"),
        ("$.a", None),
        ("x.*", None),
    ],
)
def test_a_path_finds_what_stands_there(text, found):
    alert = {"a": {"b": {"c": [1, {"d": 2}], "*": 5}, "x.y": 3}, "p q": 4}
    assert path(text).find({"top": "root"}, alert) == found


@pytest.mark.parametrize(
    "text", ["", ".", "a.", ".a", "a..b", "a[", "a[x]", "a[-1]", "a.*.b", "a b", "$a", "a[0]b"]
)
def test_what_is_no_path_is_refused(text):
    with pytest.raises(InvalidInput, match="path"):
        path(text)


@given(st.text(max_size=20))
def test_any_text_is_a_path_or_refused(text):
    try:
        read = path(text)
    except InvalidInput:
        return
    read.find({}, {})
    assert read.pointer().startswith("/")


@given(st.text(max_size=60))
@settings(deadline=None)
def test_any_text_is_a_mapping_or_refused(text):
    try:
        read_mapping(text)
    except InvalidInput:
        return
    pytest.fail("no short text of arbitrary characters is a mapping")


def test_without_a_mapping_our_own_names_are_read():
    own = b'{"name": "Full", "status": "open", "severity": "P1", "labels": {"service": "web"}}'
    (alert,) = parse(Push("hook", own, {}, RECEIVED))
    assert (alert.name, alert.status, alert.severity) == ("Full", "firing", "SEV1")


@pytest.mark.parametrize("status", ["ACTIVE", "alerting", " Firing "])
def test_common_words_for_firing_need_no_mapping(status):
    own = json.dumps({"name": "Full", "status": status}).encode()
    assert parse(Push("hook", own, {}, RECEIVED))[0].status == "firing"


@pytest.mark.parametrize("status", ["OK", "cleared", "Inactive"])
def test_common_words_for_resolved_need_no_mapping(status):
    own = json.dumps({"name": "Full", "status": status}).encode()
    assert parse(Push("hook", own, {}, RECEIVED))[0].status == "resolved"


def test_a_payload_that_is_a_list_is_one_of_alerts():
    own = b'[{"name": "Full"}, {"name": "Slow"}]'
    assert [alert.name for alert in parse(Push("hook", own, {}, RECEIVED))] == ["Full", "Slow"]


@pytest.mark.parametrize("alerts", ["", "alerts: $\n"], ids=["no-path", "root"])
def test_a_mapping_reads_a_payload_that_is_a_list(alerts):
    read = MappedParser(read_mapping(alerts + "fields: {name: title}"))
    body = b'[{"title": "Full"}, {"title": "Slow"}]'
    assert [alert.name for alert in read(Push("hook", body, {}, RECEIVED))] == ["Full", "Slow"]
    with pytest.raises(BadPayload, match=r"^/1: not an object"):
        read(Push("hook", b'[{"title": "Full"}, 1]', {}, RECEIVED))
