"""What operators see: health, readiness, metrics, a heartbeat, and telemetry taken in."""

import gzip
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler

import pytest
import structlog
from loopback import Quiet, listening
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from pydantic import SecretStr
from web import asking

from aiops.bootstrap.service import Service, in_memory
from aiops.errors import NotDelivered, StoreUnavailable
from aiops.model.alert import Delivery
from aiops.settings import Settings, WebSettings
from aiops.store.clock import ManualClock
from aiops.store.inbox import MemoryInbox
from aiops.web.app import create
from aiops.web.health import Ready
from aiops.web.heartbeat import Heartbeat, beating
from aiops.web.telemetry import configure_logs


class Down(MemoryInbox):
    """An inbox whose database is gone."""

    def waiting(self) -> int:
        raise StoreUnavailable("aiops.db: the disk is full; make room")


@pytest.fixture
def service() -> Service:
    return in_memory(Settings(web=WebSettings(backlog_limit=2)))


def test_it_is_alive_and_ready_without_a_token(service: Service) -> None:
    with asking(create(service)) as client:
        assert client.get("/healthz").json() == {"status": "alive"}
        assert client.get("/readyz").json()["status"] == "ready"


def test_without_its_database_it_is_alive_but_not_ready_and_says_what_that_means(
    service: Service,
) -> None:
    with asking(create(replace(service, inbox=Down()))) as client:
        assert client.get("/healthz").status_code == 200
        answer = client.get("/readyz")
        assert "aiops_store_up 0.0" in client.get("/metrics").text
    assert answer.status_code == 503
    assert "disk is full" in answer.json()["problems"][0]
    assert "come again" in answer.json()["problems"][0]


def test_a_long_backlog_is_said_in_readiness(service: Service) -> None:
    now = service.clock.now()
    service.inbox.put([Delivery(f"del-{n}", "prom", now, ()) for n in range(3)])
    with asking(create(service)) as client:
        answer = client.get("/readyz")
        assert "aiops_inbox_waiting 3.0" in client.get("/metrics").text
    assert answer.status_code == 503
    assert "3 deliveries wait" in answer.json()["problems"][0]


def test_a_loop_that_is_stuck_is_named_with_what_does_not_happen(service: Service) -> None:
    with asking(create(service, heartbeats=lambda: {"triage": 99.0, "dispatch": 0.0})) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 503
    (problem,) = answer.json()["problems"]
    assert "'triage'" in problem
    assert "open no incidents" in problem


def test_metrics_count_requests_by_route_and_not_by_id(service: Service) -> None:
    with asking(create(service, dev=True)) as client:
        for number in range(3):
            client.get(f"/api/v1/incidents/inc-{number}")
        shown = client.get("/metrics").text
    route = "/api/v1/incidents/{incident_id}"
    assert f'requests_total{{method="GET",route="{route}",status="404"}} 3.0' in shown
    assert "inc-1" not in shown


@pytest.fixture
def monitor() -> Iterator[tuple[str, list[str]]]:
    """A monitor of heartbeats: its address, and what was asked of it."""
    asked: list[str] = []

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404 if self.path == "/gone" else 200)
            self.end_headers()

    with listening(Handler) as address:
        yield address, asked


def ready(*problems: str) -> Ready:
    status = "degraded" if problems else "ready"
    return Ready(
        status=status, problems=list(problems), warnings=[], waiting=0, jobs_due=0, loops={}
    )  # type: ignore[arg-type]


def test_the_heartbeat_beats_while_all_is_well_and_only_then(
    monitor: tuple[str, list[str]],
) -> None:
    address, asked = monitor
    sent: list[str] = []
    Heartbeat(f"{address}/secret", lambda: ready(), lambda: sent.append("well"))()
    Heartbeat(f"{address}/secret", lambda: ready("triage is stuck"), lambda: sent.append("ill"))()
    assert asked == ["/secret"]
    assert sent == ["well"]


def test_metrics_say_when_the_last_heartbeat_was_sent(monitor: tuple[str, list[str]]) -> None:
    address, _ = monitor
    clock = ManualClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
    web = WebSettings(heartbeat_url=SecretStr(f"{address}/secret"))
    app = create(in_memory(Settings(web=web), clock))

    def sent() -> float:
        lines = client.get("/metrics").text.splitlines()
        (value,) = (each for each in lines if each.startswith("aiops_heartbeat_sent"))
        return float(value.split()[1])

    with asking(app) as client, beating(app.state.site):
        end = time.monotonic() + 60
        while sent() == 0:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert sent() == clock.now().timestamp()


def test_a_heartbeat_that_is_not_delivered_names_no_address(
    monitor: tuple[str, list[str]],
) -> None:
    address, _ = monitor
    sent: list[str] = []
    with pytest.raises(NotDelivered) as raised:
        Heartbeat(f"{address}/gone", lambda: ready(), lambda: sent.append("yes"))()
    assert sent == []
    assert "gone" not in str(raised.value)
    assert "heartbeat_url" in str(raised.value)


def test_what_the_real_sdk_exports_is_in_the_store(service: Service) -> None:
    with asking(create(service, dev=True)) as client:
        exporter = OTLPSpanExporter(str(client.base_url.join("/v1/traces")))
        provider = TracerProvider(resource=Resource({"service.name": "web"}))
        provider.add_span_processor(SimpleSpanProcessor(exporter))
        with provider.get_tracer("test").start_as_current_span("GET /cart"):
            time.sleep(0.001)
        provider.shutdown()
    now = service.clock.now()
    table = service.telemetry.spans(None, now - timedelta(minutes=1), now + timedelta(minutes=1))
    assert table.services == ("web",)


def test_telemetry_that_cannot_be_read_is_400_and_too_much_of_it_413(service: Service) -> None:
    settings = Settings(web=WebSettings(max_telemetry_bytes=2000, max_body_bytes=1024))
    with asking(create(replace(service, settings=settings), dev=True)) as client:
        kind = {"Content-Type": "application/json"}
        assert client.post("/v1/logs", content=b"{", headers=kind).status_code == 400
        assert client.post("/v1/logs", content=b" " * 2001, headers=kind).status_code == 413
        assert client.post("/v1/logs", content=b"{}" + b" " * 1500, headers=kind).status_code == 200
        bomb = gzip.compress(json.dumps({"resourceLogs": [], "x": " " * 100_000}).encode())
        packed = {**kind, "Content-Encoding": "gzip"}
        assert client.post("/v1/logs", content=bomb, headers=packed).status_code == 400


def test_telemetry_needs_a_token(service: Service) -> None:
    with asking(create(service)) as client:
        assert client.post("/v1/traces", content=b"").status_code == 401


def test_it_traces_itself_where_it_is_told_to(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The spans of one service are the telemetry of another."""
    other = in_memory(Settings())
    with asking(create(other, dev=True)) as collector:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", str(collector.base_url).rstrip("/"))
        monkeypatch.setenv("OTEL_SERVICE_NAME", "aiops")
        with asking(create(service, dev=True, traces=True)) as client:
            assert client.get("/api/v1/incidents").status_code == 200
    now = other.clock.now()
    table = other.telemetry.spans(None, now - timedelta(minutes=1), now + timedelta(minutes=1))
    assert table.services == ("aiops",)


def test_the_log_is_json_without_secrets(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    try:
        configure_logs(terminal=False)
        secret = "open-sesame"
        try:
            raise RuntimeError("broken")
        except RuntimeError as error:
            structlog.get_logger("t").error("defect", exc_info=error)
        line = json.loads(capsys.readouterr().err.splitlines()[-1])
        assert line["event"] == "defect"
        assert secret not in json.dumps(line)
    finally:
        structlog.reset_defaults()
        root.handlers[:] = handlers
        root.setLevel(level)
