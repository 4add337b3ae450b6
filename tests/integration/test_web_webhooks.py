"""What senders of webhooks are told, and what is kept."""

import gzip
import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from web import asking

from aiops.bootstrap.service import Service, in_memory
from aiops.errors import InvalidInput, StoreUnavailable, UnknownName
from aiops.model.alert import Delivery
from aiops.settings import Settings, WebhookSettings, WebSettings
from aiops.store.inbox import MemoryInbox
from aiops.web.app import create

SECRET = "open-sesame"
BEARER = {"Authorization": f"Bearer {SECRET}"}
PAYLOAD = {
    "version": "4",
    "status": "firing",
    "alerts": [
        {
            "status": "firing",
            "labels": {"alertname": "RequestsSlow", "service": "web", "severity": "critical"},
            "annotations": {"summary": "p99 above 2 s"},
            "startsAt": "2026-05-20T14:41:30Z",
            "endsAt": "0001-01-01T00:00:00Z",
        }
    ],
}


class Inbox(MemoryInbox):
    """Remembers what was put, and fails when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.down = False
        self.got: list[Delivery] = []

    def put(self, deliveries: Sequence[Delivery]) -> None:
        if self.down:
            raise StoreUnavailable("the disk is full; make room")
        self.got += deliveries
        super().put(deliveries)


def configured(**webhooks: WebhookSettings) -> Settings:
    return Settings(webhooks=webhooks, web=WebSettings(max_body_bytes=20_000))


PROM = WebhookSettings(kind="alertmanager", secret=SECRET)


@pytest.fixture
def inbox() -> Inbox:
    return Inbox()


@pytest.fixture
def service(inbox: Inbox) -> Service:
    from dataclasses import replace

    signed = WebhookSettings(kind="generic", auth="hmac", secret=SECRET)
    return replace(in_memory(configured(prom=PROM, signed=signed)), inbox=inbox)


@pytest.fixture
def sender(service: Service) -> Iterator[httpx.Client]:
    with asking(create(service), **BEARER) as client:
        yield client


def test_an_accepted_request_is_in_the_inbox_before_its_sender_is_told(
    sender: httpx.Client, inbox: Inbox
) -> None:
    answer = sender.post("/webhooks/prom", json=PAYLOAD)
    assert answer.status_code == 202
    assert answer.json()["alerts"] == 1
    (delivery,) = inbox.got
    assert delivery.id == answer.json()["delivery"]
    assert delivery.source == delivery.alerts[0].source == "prom"
    assert inbox.waiting() == 1


def test_a_repetition_that_says_it_is_one_is_kept_once(sender: httpx.Client, inbox: Inbox) -> None:
    for _ in range(2):
        answer = sender.post("/webhooks/prom", json=PAYLOAD, headers={"Idempotency-Key": "a1"})
        assert answer.status_code == 202
    assert inbox.waiting() == 1


def test_an_unknown_source_is_404(sender: httpx.Client) -> None:
    answer = sender.post("/webhooks/nobody", json=PAYLOAD)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}], ids=["none", "wrong"])
def test_a_request_that_proves_nothing_is_401_and_names_no_secret(
    service: Service, inbox: Inbox, headers: dict[str, str]
) -> None:
    with asking(create(service), **headers) as client:
        answer = client.post("/webhooks/prom", json=PAYLOAD)
    assert answer.status_code == 401
    assert SECRET not in answer.text
    assert inbox.got == []


def test_a_signature_covers_the_very_bytes(service: Service) -> None:
    body = json.dumps({"name": "TooSlow", "service": "web"}).encode()
    digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    with asking(create(service)) as client:
        good = client.post("/webhooks/signed", content=body, headers={"X-Signature": digest})
        bad = client.post("/webhooks/signed", content=body + b" ", headers={"X-Signature": digest})
    assert (good.status_code, bad.status_code) == (202, 401)


def test_a_body_above_the_limit_is_413_whether_or_not_it_says_its_length(
    sender: httpx.Client, inbox: Inbox
) -> None:
    large = b"x" * 20_001
    assert sender.post("/webhooks/prom", content=large).status_code == 413

    def unannounced() -> Iterator[bytes]:
        yield large[:10_000]
        yield large[10_000:]

    answer = sender.post("/webhooks/prom", content=unannounced())
    assert answer.status_code == 413
    assert "20,000 bytes" in answer.json()["error"]["message"]
    assert inbox.got == []


def test_what_is_not_understood_is_422_with_its_place_and_kept_for_a_person(
    service: Service, sender: httpx.Client
) -> None:
    body = b'{"alerts": [{"status": "firing",, }]}'
    answer = sender.post("/webhooks/prom", content=body)
    assert answer.status_code == 422
    assert answer.json()["error"]["field"] == "line 1, column 33"
    (refused,) = service.inbox.refused()
    assert service.blobs.get(refused.body) == body
    assert "line 1, column 33" in refused.reason


def test_while_the_store_is_down_senders_are_told_to_come_again(
    sender: httpx.Client, inbox: Inbox
) -> None:
    inbox.down = True
    answer = sender.post("/webhooks/prom", json=PAYLOAD)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    inbox.down = False
    assert sender.post("/webhooks/prom", json=PAYLOAD).status_code == 202


def test_a_full_inbox_is_503_with_retry_after_in_answers_readiness_and_metrics_alike(
    inbox: Inbox,
) -> None:
    from dataclasses import replace

    from aiops.store.clock import ManualClock

    clock = ManualClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
    settings = Settings(webhooks={"prom": PROM}, web=WebSettings(backlog_limit=1, backlog_most=2))
    service = replace(in_memory(settings, clock), inbox=inbox)
    with asking(create(service), **BEARER) as client:
        answers = [client.post("/webhooks/prom", json=PAYLOAD) for _ in range(4)]
        assert [answer.status_code for answer in answers] == [202, 202, 503, 503]
        refused = answers[-1]
        assert int(refused.headers["Retry-After"]) > 0
        assert refused.json()["error"]["code"] == "backlog"
        assert "web.backlog_most" in refused.json()["error"]["message"]
        (problem,) = client.get("/readyz").json()["problems"]
        assert "webhooks answer 503" in problem
        shown = client.get("/metrics").text
        assert "aiops_inbox_waiting 2.0" in shown
        assert "aiops_inbox_most 2.0" in shown
        assert 'aiops_webhook_refused_total{reason="backlog",source="prom"} 2.0' in shown
        told = [answer.json()["delivery"] for answer in answers[:2]]
        assert [each.id for each in inbox.take(2)] == told
        clock.advance(2)
        assert client.post("/webhooks/prom", json=PAYLOAD).status_code == 202


def test_requests_that_come_together_are_kept_by_few_commits(
    service: Service, inbox: Inbox
) -> None:
    import asyncio

    puts: list[int] = []
    keep = inbox.put
    inbox.put = lambda deliveries: (puts.append(len(deliveries)), keep(deliveries))[1]  # type: ignore[method-assign]

    async def storm(address: str) -> list[int]:
        async with httpx.AsyncClient(base_url=address, headers=BEARER, trust_env=False) as client:
            posts = [client.post("/webhooks/prom", json=PAYLOAD) for _ in range(60)]
            return [answer.status_code for answer in await asyncio.gather(*posts)]

    from web import serving

    with serving(create(service)) as address:
        assert set(asyncio.run(storm(address))) == {202}
    assert sum(puts) == len(inbox.got) == 60
    assert len(puts) < 40


def test_a_compressed_body_is_unpacked_where_it_says_so(sender: httpx.Client) -> None:
    body = gzip.compress(json.dumps(PAYLOAD).encode())
    packed = {"Content-Encoding": "gzip"}
    assert sender.post("/webhooks/prom", content=body).status_code == 422
    assert sender.post("/webhooks/prom", content=body, headers=packed).json()["alerts"] == 1


@pytest.mark.parametrize(
    ("body", "how", "said"),
    [
        (b"{}", "gzip", "not gzip"),
        (gzip.compress(b"{}")[:-4], "gzip", "cut off"),
        (gzip.compress(b" " * 50_000), "gzip", "more than 20000 bytes"),
        (b"{}", "br", "send gzip or none"),
    ],
    ids=["plain", "cut", "bomb", "brotli"],
)
def test_a_body_that_cannot_be_unpacked_is_422_and_says_why(
    sender: httpx.Client, body: bytes, how: str, said: str
) -> None:
    answer = sender.post("/webhooks/prom", content=body, headers={"Content-Encoding": how})
    assert answer.status_code == 422
    assert said in answer.json()["error"]["message"]


def test_an_alarm_of_cloudwatch_needs_no_envelope_of_sns() -> None:
    alarm = {"AlarmName": "web-5xx", "NewStateValue": "ALARM", "Type": ["not", "an", "envelope"]}
    alarms = WebhookSettings(kind="cloudwatch", secret=SECRET)
    with asking(create(in_memory(configured(alarms=alarms))), **BEARER) as client:
        answer = client.post("/webhooks/alarms", json=alarm)
    assert (answer.status_code, answer.json()["alerts"]) == (202, 1)


def test_a_slash_behind_the_name_loses_no_alert(sender: httpx.Client) -> None:
    assert sender.post("/webhooks/prom/", json=PAYLOAD).status_code == 202


def test_other_methods_are_405(sender: httpx.Client) -> None:
    assert sender.get("/webhooks/prom").status_code == 405


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    body=st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["alerts", "labels", "status", "x"]), inner, max_size=4
            )
        ),
        max_leaves=20,
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_body_is_a_defect(sender: httpx.Client, body: bytes) -> None:
    assert sender.post("/webhooks/prom", content=body).status_code in (202, 422)


def test_in_dev_every_kind_is_taken_without_a_secret() -> None:
    with asking(create(in_memory(Settings()), dev=True)) as client:
        assert client.post("/webhooks/alertmanager", json=PAYLOAD).status_code == 202
        assert client.post("/webhooks/grafana", json=PAYLOAD).status_code == 202


def test_a_webhook_without_a_secret_stops_the_start_and_names_the_key() -> None:
    with pytest.raises(InvalidInput, match=r"webhooks\.prom\.secret"):
        create(in_memory(configured(prom=WebhookSettings(kind="alertmanager"))))


def test_an_unknown_kind_stops_the_start_and_says_which_there_are() -> None:
    with pytest.raises(UnknownName, match=r"webhooks\.prom\.kind.*alertmanager"):
        create(in_memory(configured(prom=WebhookSettings(kind="alertmanagre", secret=SECRET))))
