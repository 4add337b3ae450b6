"""Payloads of every vendor, and the alerts they are: ``<case>.json`` and ``<case>.alerts.json``.

The payloads are ours, in the form that the vendors' documentation gives, and received at one time.
"""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.errors import BadPayload
from aiops.ingest.webhooks import (
    alertmanager,
    cloudwatch,
    datadog,
    generic,
    grafana,
    opsgenie,
    pagerduty,
    sentry,
)
from aiops.model.alert import Alert
from aiops.ports.webhook import AlertParser, Push

GOLDEN = Path(__file__).parents[1] / "golden" / "webhooks"
RECEIVED = datetime(2026, 5, 20, 15, tzinfo=UTC)
PARSERS: dict[str, AlertParser] = {
    "alertmanager": alertmanager.parse,
    "cloudwatch": cloudwatch.parse,
    "datadog": datadog.parse,
    "generic": generic.parse,
    "grafana": grafana.parse,
    "opsgenie": opsgenie.parse,
    "pagerduty": pagerduty.parse,
    "sentry": sentry.parse,
}
BESIDE = (".alerts.json", ".headers.json")
CASES = sorted(
    path.relative_to(GOLDEN).as_posix().removesuffix(".json")
    for path in GOLDEN.glob("*/*.json")
    if not path.name.endswith(BESIDE)
)


def parsed(case: str) -> tuple[Alert, ...]:
    headers = GOLDEN / f"{case}.headers.json"
    push = Push(
        source="hook",
        body=(GOLDEN / f"{case}.json").read_bytes(),
        headers=json.loads(headers.read_text()) if headers.exists() else {},
        received_at=RECEIVED,
    )
    return PARSERS[case.split("/")[0]](push)


def written(alert: Alert) -> dict[str, Any]:
    """As JSON, with what is at its default left out."""
    document = asdict(alert) | {
        "labels": dict(alert.labels),
        "annotations": dict(alert.annotations),
        "starts_at": alert.starts_at.isoformat(),
        "ends_at": alert.ends_at and alert.ends_at.isoformat(),
        "extra": json.loads(alert.extra),
    }
    if alert.entity is not None:
        document["entity"] = {k: v for k, v in asdict(alert.entity).items() if v is not None}
    return {name: value for name, value in document.items() if value not in (None, {}, "")}


@pytest.mark.parametrize("case", CASES)
def test_a_payload_becomes_the_alerts_beside_it(case):
    expected = json.loads((GOLDEN / f"{case}.alerts.json").read_text())
    assert [written(alert) for alert in parsed(case)] == expected


@pytest.mark.parametrize("case", [case for case in CASES if case.endswith("firing")])
def test_an_alert_has_the_same_key_when_it_ends(case):
    (firing,), (resolved,) = parsed(case), parsed(case.removesuffix("firing") + "resolved")
    assert (firing.status, resolved.status) == ("firing", "resolved")
    assert firing.key == resolved.key
    assert firing.ends_at is None
    assert resolved.ends_at is not None
    assert firing.starts_at <= resolved.ends_at


def test_every_vendor_has_an_alert_that_fires_and_ends():
    assert {case.split("/")[0] for case in CASES if case.endswith("/firing")} == set(PARSERS)


def test_nothing_lies_beside_a_payload_that_is_not_there():
    beside = (path for path in GOLDEN.glob("*/*.json") if path.name.endswith(BESIDE))
    payloads = {f"{path.parent.name}/{path.name.split('.')[0]}" for path in beside}
    assert payloads == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_times_are_in_utc_and_none_is_later_than_the_receipt(case):
    for alert in parsed(case):
        times = [alert.starts_at, alert.ends_at or alert.starts_at]
        assert times == sorted(times)
        assert times[-1] <= RECEIVED
        assert all(time.tzinfo is UTC for time in times)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=6,
)


def places(value: Any, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every place in a JSON value."""
    members = value.items() if isinstance(value, dict) else ()
    items = enumerate(value) if isinstance(value, list) else ()
    inner = [place for key, one in (*members, *items) for place in places(one, (*at, key))]
    return [at, *inner]


def with_other(value: Any, at: tuple[str | int, ...], other: Any) -> Any:
    """A copy of a JSON value with another one at a place."""
    if not at:
        return other
    copy = value.copy()
    copy[at[0]] = with_other(value[at[0]], at[1:], other)
    return copy


@pytest.mark.parametrize("vendor", sorted(PARSERS))
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_payload_with_anything_in_it_replaced_is_alerts_or_refused(vendor, data):
    case = data.draw(st.sampled_from([one for one in CASES if one.startswith(f"{vendor}/")]))
    payload = json.loads((GOLDEN / f"{case}.json").read_text())
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.sampled_from(places(payload)))
        payload = with_other(payload, at, data.draw(JSON))
    headers = GOLDEN / f"{case}.headers.json"
    said = json.loads(headers.read_text()) if headers.exists() else {}
    try:
        alerts = PARSERS[vendor](Push("hook", json.dumps(payload).encode(), said, RECEIVED))
    except BadPayload:
        return
    for alert in alerts:
        assert alert.fingerprint
        assert alert.starts_at <= (alert.ends_at or alert.starts_at) <= RECEIVED
        repr(alert).encode()
