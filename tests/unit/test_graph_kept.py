"""The service graph over time: pushed, pulled, kept, and faded."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from aiops.analyze.service_graph import FADE_S, SeenCall
from aiops.app.pushed_telemetry import REFRESH_S, keep
from aiops.app.telemetry_window import Reach, collect
from aiops.model import Call, Entity, ServiceGraph, TelemetryWindow
from aiops.model.incident import Incident
from aiops.model.rows import Span, span_table
from aiops.store.clock import ManualClock
from aiops.store.memory import MemoryTelemetry
from aiops.store.sql import schema
from aiops.store.sql.engine import open_engine
from aiops.store.sql.telemetry import SqlTelemetry

NOW = datetime(2026, 5, 20, 15, tzinfo=UTC)
WEB, DB = Entity("service", "web"), Entity("component", "db")


def called(at: float) -> SeenCall:
    return SeenCall(WEB, DB, 1, 0, at, at)


def edges(store: MemoryTelemetry, at: datetime) -> set[tuple[str, str]]:
    return {(call.source.name, call.target.name) for call in store.graph(at).calls}


def collected(store: MemoryTelemetry, now: datetime) -> set[tuple[str, str]]:
    incident = Incident("i", "Slow", "g", "SEV2", "triggered", now, now, ("web",))
    collect(incident, [], store, now=now, reach=Reach(), changes_recorded=False)
    return edges(store, now)


def test_what_spans_show_and_what_was_pushed_make_one_graph() -> None:
    store, clock = MemoryTelemetry(), ManualClock(NOW)
    keep(store, clock, (), [called(NOW.timestamp())])
    at = NOW.timestamp() - 30
    spans = [Span("t", "1", "", "web", "a", at, 1.0), Span("t", "2", "1", "cart", "b", at, 0.5)]
    early = NOW - timedelta(minutes=2)
    store.append(TelemetryWindow(early, NOW, spans=span_table(spans)))
    clock.advance(1)
    assert collected(store, clock.now()) == {("web", "db"), ("web", "cart")}
    clock.advance(1)
    keep(store, clock, (), [SeenCall(WEB, Entity("component", "queue"), 1, 0, at, at)])
    assert edges(store, clock.now()) == {("web", "db"), ("web", "cart"), ("web", "queue")}


def test_a_call_that_nobody_makes_any_more_is_gone_after_a_week() -> None:
    store, clock = MemoryTelemetry(), ManualClock(NOW)
    keep(store, clock, (), [called(NOW.timestamp())])
    cart = Entity("service", "cart")
    clock.advance(FADE_S - 60)
    keep(store, clock, (), [SeenCall(WEB, cart, 1, 0, *[clock.now().timestamp()] * 2)])
    assert edges(store, clock.now()) == {("web", "db"), ("web", "cart")}
    clock.advance(120)
    assert collected(store, clock.now()) == {("web", "cart")}


@pytest.mark.parametrize(
    ("later_s", "last"), [(REFRESH_S / 2, 0.0), (REFRESH_S * 2, REFRESH_S * 2)]
)
def test_a_call_that_goes_on_stays_young_without_a_graph_a_push(
    later_s: float, last: float
) -> None:
    store, clock = MemoryTelemetry(), ManualClock(NOW)
    keep(store, clock, (), [called(NOW.timestamp())])
    clock.advance(later_s)
    keep(store, clock, (), [called(clock.now().timestamp())])
    (call,) = store.graph(clock.now()).calls
    assert call.last_seen == NOW.timestamp() + last


def test_the_database_keeps_when_a_call_was_last_seen(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/kept.db")
    schema.upgrade(engine)
    store, unsaid = SqlTelemetry(engine), Call(DB, WEB, 2.0)
    graph = ServiceGraph((WEB, DB), (Call(WEB, DB, 3.0, 1234.5), unsaid))
    store.append(TelemetryWindow(NOW, NOW + timedelta(seconds=1), graph=graph))
    assert [call.last_seen for call in store.graph(NOW).calls] == [1234.5, None]
    engine.dispose()
