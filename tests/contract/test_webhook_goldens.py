"""Payloads of every vendor, and the alerts they are: ``<case>.json`` and ``<case>.alerts.json``.

The payloads are ours, in the form that the vendors' documentation gives, and received at one time.
"""

import json
from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import Any

import pytest
from alert_parsers import ALERT_PARSERS
from golden_payloads import RECEIVED, Golden
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.errors import BadPayload
from aiops.model.alert import Alert

GOLDEN = Golden(Path(__file__).parents[1] / "golden" / "webhooks", "alerts")
CASES = GOLDEN.cases


def parsed(case: str) -> tuple[Alert, ...]:
    return ALERT_PARSERS[case.split("/")[0]](GOLDEN.pushed(case))


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
    assert [written(alert) for alert in parsed(case)] == GOLDEN.outcome(case)


@pytest.mark.parametrize("case", [case for case in CASES if case.endswith("firing")])
def test_an_alert_has_the_same_key_when_it_ends(case):
    (firing,), (resolved,) = parsed(case), parsed(case.removesuffix("firing") + "resolved")
    assert (firing.status, resolved.status) == ("firing", "resolved")
    assert firing.key == resolved.key
    assert firing.ends_at is None
    assert resolved.ends_at is not None
    assert firing.starts_at <= resolved.ends_at


def test_every_vendor_has_an_alert_that_fires_and_ends():
    assert {case.split("/")[0] for case in CASES if case.endswith("/firing")} == set(ALERT_PARSERS)


def test_nothing_lies_beside_a_payload_that_is_not_there():
    assert GOLDEN.beside == set(CASES)


@pytest.mark.parametrize("case", CASES)
def test_times_are_in_utc_and_none_is_later_than_the_receipt(case):
    for alert in parsed(case):
        times = [alert.starts_at, alert.ends_at or alert.starts_at]
        assert times == sorted(times)
        assert times[-1] <= RECEIVED
        assert all(time.tzinfo is UTC for time in times)


@pytest.mark.parametrize("vendor", sorted(ALERT_PARSERS))
@given(data=st.data())
@settings(max_examples=150, deadline=None)
def test_a_payload_with_anything_in_it_replaced_is_alerts_or_refused(vendor, data):
    push = GOLDEN.replaced(vendor, data)
    try:
        alerts = ALERT_PARSERS[vendor](push)
    except BadPayload:
        return
    for alert in alerts:
        assert alert.fingerprint
        assert alert.starts_at <= (alert.ends_at or alert.starts_at) <= RECEIVED
        repr(alert).encode()
