"""Telemetry that is pushed has an allowance of its own, and what is refused is counted and said."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import ValidationError
from web import asking

from aiops.app import tokens
from aiops.bootstrap.service import in_memory
from aiops.settings import Settings, WebSettings
from aiops.store.clock import ManualClock
from aiops.web.app import create
from aiops.web.pushes import LATELY_S, LEAST_BYTES, PushLimit

SPANS = b'{"resourceSpans": []}'


@contextmanager
def pusher(clock: ManualClock, role: str = "responder", **limits: int) -> Iterator[httpx.Client]:
    """A client with a token, of a service with these limits, whose time stands still."""
    service = replace(in_memory(Settings(web=WebSettings(**limits))), clock=clock)
    secret = tokens.issue(
        service.tokens,
        service.ids,
        clock,
        bytes(range(32)),
        "collector",
        role,  # type: ignore[arg-type]
        by="test",
    ).secret
    headers = {"Authorization": f"Bearer {secret}", "Content-Type": "application/json"}
    with asking(create(service), **headers) as client:
        yield client


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 20, 3, tzinfo=UTC))


def push(client: httpx.Client, body: bytes = SPANS) -> httpx.Response:
    return client.post("/v1/traces", content=body)


def test_pushes_use_up_no_requests_to_the_api(clock: ManualClock) -> None:
    with pusher(clock, requests_per_minute=2) as client:
        assert {push(client).status_code for _ in range(20)} == {200}
        assert client.get("/api/v1/alerts").status_code == 200


def test_who_pushes_too_much_is_told_when_to_come_again(clock: ManualClock) -> None:
    limits = {"telemetry_bytes_per_minute": 4 * LEAST_BYTES, "max_telemetry_bytes": LEAST_BYTES}
    with pusher(clock, **limits) as client:
        statuses = [push(client).status_code for _ in range(5)]
        wait_s = int(push(client).headers["Retry-After"])
        clock.advance(wait_s)
        again = push(client).status_code
        counted = client.get("/metrics").text
        told = client.get("/readyz")
    assert statuses == [200, 200, 200, 200, 429]
    assert again == 200
    line = 'pushes_refused_total{reason="too_many_requests",signal="traces"} 2.0'
    assert line in counted
    assert told.status_code == 200
    (warning,) = told.json()["warnings"]
    assert "2 pushes of telemetry were refused" in warning
    assert "web.telemetry_bytes_per_minute" in warning


def test_what_cannot_be_read_or_is_too_large_is_counted_too(clock: ManualClock) -> None:
    with pusher(clock, max_telemetry_bytes=LEAST_BYTES) as client:
        assert push(client, b"{").status_code == 400
        assert push(client, b"x" * (LEAST_BYTES + 1)).status_code == 413
        counted = client.get("/metrics").text
    for reason in ("bad_payload", "too_large"):
        assert f'pushes_refused_total{{reason="{reason}",signal="traces"}} 1.0' in counted


def test_a_viewer_may_push_nothing(clock: ManualClock) -> None:
    with pusher(clock, "viewer") as client:
        assert push(client).status_code == 403


def test_pushes_without_a_valid_token_use_up_the_address(clock: ManualClock) -> None:
    with pusher(clock, requests_per_minute=3) as client:
        client.headers["Authorization"] = "Bearer guess"
        assert [push(client).status_code for _ in range(4)] == [401, 401, 401, 429]


def test_an_allowance_smaller_than_one_push_is_refused_at_the_start() -> None:
    with pytest.raises(ValidationError, match="none could come"):
        WebSettings(max_telemetry_bytes=2048, telemetry_bytes_per_minute=2047)
    with pytest.raises(ValidationError, match="none could come"):
        WebSettings(max_telemetry_bytes=2**31)


def test_a_warning_ends_when_nobody_was_refused_for_a_while(clock: ManualClock) -> None:
    limit = PushLimit(clock, LEAST_BYTES)
    assert limit.warning is None
    assert limit.take("tok-1", LEAST_BYTES) == 0
    assert limit.take("tok-2", LEAST_BYTES) == 0
    assert limit.take("tok-1", 1) == pytest.approx(60)
    assert "by tok-1" in (limit.warning or "")
    clock.advance(LATELY_S + 1)
    assert limit.warning is None
