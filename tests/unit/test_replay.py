"""A recorded incident replayed: what is known when, and what a running service is sent."""

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.bootstrap.recorded import RecordedSource
from aiops.errors import InvalidInput, SourceUnavailable, UnknownName
from aiops.ingest.otlp.bodies import PROTOBUF
from aiops.ingest.otlp.histograms import Accumulated
from aiops.ingest.otlp.logs import decode_logs
from aiops.ingest.otlp.metrics import decode_metrics
from aiops.ingest.otlp.traces import decode_traces
from aiops.ingest.replay import Replay, Timeline
from aiops.ingest.replay_driver import Sent, drive
from aiops.ingest.webhooks import generic
from aiops.model import (
    Call,
    CaseData,
    Entity,
    MetricTable,
    Series,
    ServiceGraph,
    TelemetryWindow,
    Trigger,
)
from aiops.model.change import Change
from aiops.model.rows import LogLine, Span, log_lines, log_table, span_table, spans
from aiops.ports.telemetry import ChangeSource, GraphSource, LogSource, MetricSource, TraceSource
from aiops.ports.webhook import Push
from aiops.store.clock import ManualClock
from aiops.store.recorded import RecordedTelemetry

if TYPE_CHECKING:
    from aiops.ingest.otlp.decoded import Decoded

THEN = datetime(2020, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 5, 20, 15, tzinfo=UTC)
WEB = Entity("service", "web", "shop", "eu1")
T = THEN.timestamp()
SPAN = Span("t", "1", "", "web", "GET /", T + 20, 30.0, "web-1", "ERROR")


def case(**more: object) -> CaseData:
    series = (
        Series(WEB, "requests", "w_requests", None, "counter"),
        Series(Entity("node", "n1"), "load", "n_load", "cores"),
    )
    times = T + np.arange(60.0)
    values = np.column_stack([np.arange(60.0) * 5, np.where(np.arange(60) % 2, np.nan, 0.5)])
    window = TelemetryWindow(
        THEN,
        THEN + timedelta(seconds=60),
        metrics=MetricTable(times, values, series),
        logs=log_table([LogLine(T + 10, "web", "slow", "web-1", "t", "1")]),
        spans=span_table([SPAN, Span("t", "2", "1", "cart", "get", T + 21, 1.0)]),
        graph=ServiceGraph((WEB,), (Call(WEB, Entity("service", "cart")),)),
        changes=(Change(THEN + timedelta(seconds=30), WEB, "flag on"),),
    )
    return CaseData("c1", window, Trigger(THEN + timedelta(seconds=40), WEB, "p99"))


def replay(clock: ManualClock, speed: float = 1.0) -> Replay:
    recorded = RecordedTelemetry(case(), case().window.changes)
    return Replay(recorded, Timeline(THEN, NOW, speed), clock)


def ever(clock: ManualClock) -> tuple[datetime, datetime]:
    return NOW - timedelta(days=1), NOW + timedelta(days=1)


def test_nothing_is_known_before_it_happens_again():
    clock = ManualClock(NOW)
    found = replay(clock)
    window = (None, *ever(clock))
    known = []
    for step in (0, 10, 11, 29, 40):
        clock.advance(step)
        known.append(
            (
                len(found.metrics(*window).times),
                len(found.logs(*window).times),
                len(found.spans(*window).starts),
                len(found.changes(*window)),
            )
        )
    assert known == [(1, 0, 0, 0), (11, 1, 0, 0), (22, 1, 0, 0), (51, 1, 2, 1), (60, 1, 2, 1)]


@pytest.mark.parametrize("speed", [0.5, 1.0, 20.0])
def test_times_are_moved_and_what_was_measured_is_not(speed):
    clock = ManualClock(NOW)
    clock.advance(1000)
    found = replay(clock, speed)
    window = (None, *ever(clock))
    table = found.metrics(*window)
    assert table.times[0] == NOW.timestamp()
    assert np.diff(table.times) == pytest.approx(1 / speed, abs=1e-5)
    np.testing.assert_array_equal(table.values, case().window.metrics.values)
    assert found.spans(*window).durations.tolist() == [30.0, 1.0]
    (change,) = found.changes(*window)
    assert change.at == NOW + timedelta(seconds=30 / speed)
    assert found.graph(NOW).calls == case().window.graph.calls
    assert found.graph(NOW - timedelta(seconds=1)).calls == ()


def test_it_is_every_kind_of_source():
    kinds = (MetricSource, LogSource, TraceSource, ChangeSource, GraphSource)
    assert all(isinstance(replay(ManualClock(NOW)), kind) for kind in kinds)


@given(
    st.datetimes(timezones=st.just(UTC)),
    st.floats(0.001, 1e6),
)
def test_every_moment_has_a_place_on_the_recording(at, speed):
    moment = Timeline(THEN, NOW, speed).moment(at)
    assert moment.tzinfo is UTC
    assert (moment >= THEN) == (at >= NOW)


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan"), float("inf")])
def test_a_speed_that_is_none_is_refused(speed):
    with pytest.raises(InvalidInput, match="speed"):
        Timeline(THEN, NOW, speed)


class Service:
    """Takes what is posted as the real one does."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock, self.accumulated = clock, Accumulated()
        self.decoded: list[Decoded] = []
        self.alerts: list[tuple[datetime, Push]] = []

    def post(self, path: str, body: bytes, content_type: str) -> None:
        if path.startswith("/webhooks/"):
            self.alerts.append((self.clock.now(), Push("generic", body, {}, self.clock.now())))
            return
        assert content_type == PROTOBUF
        if path == "/v1/metrics":
            self.decoded.append(decode_metrics(body, PROTOBUF, accumulated=self.accumulated))
        else:
            decode = {"/v1/logs": decode_logs, "/v1/traces": decode_traces}[path]
            self.decoded.append(decode(body, PROTOBUF))


def driven(recorded: CaseData, speed: float = 1.0) -> tuple[Service, Sent]:
    clock = ManualClock(NOW)
    service = Service(clock)
    source = Replay(RecordedTelemetry(recorded), Timeline(THEN, NOW, speed), clock)
    return service, drive(recorded, source, service.post, clock.advance, webhook="generic")


@pytest.mark.parametrize("speed", [1.0, 7.0, 1000.0])
def test_a_service_gets_every_sample_line_and_span_once(speed):
    service, sent = driven(case(), speed)
    windows = [window for one in service.decoded for window in one.windows]
    tables = [window.metrics for window in windows if window.metrics is not None]
    samples = sum(int(np.isfinite(table.values).sum()) for table in tables)
    assert samples == 60 + 30
    assert {s.entity for t in tables for s in t.series} == {WEB, Entity("node", "n1")}
    assert {(s.metric, s.type, s.unit) for t in tables for s in t.series} == {
        ("requests", "counter", None),
        ("load", "gauge", "cores"),
    }
    (line,) = [one for w in windows if w.logs is not None for one in log_lines(w.logs)]
    assert (line.message, line.instance) == ("slow", "web-1")
    found = [one for w in windows if w.spans is not None for one in spans(w.spans)]
    assert sorted((s.service, s.duration, s.status) for s in found) == [
        ("cart", 1.0, ""),
        ("web", 30.0, "ERROR"),
    ]
    child, root = sorted(found, key=lambda s: s.duration)
    assert (child.parent_id, child.trace_id) == (root.span_id, root.trace_id)
    assert all(one.rejected == 0 for one in service.decoded)
    assert sent.metrics + sent.logs + sent.traces == len(service.decoded)


def test_the_alert_goes_out_when_it_fired_and_says_what_it_fired_on():
    service, sent = driven(case(), 2.0)
    ((at, push),) = service.alerts
    assert at == NOW + timedelta(seconds=20)
    assert sent.alert_at == at
    (alert,) = generic.parse(push)
    assert (alert.status, alert.starts_at) == ("firing", NOW + timedelta(seconds=20))
    assert (alert.entity.service_name, alert.entity.namespace) == ("web", "shop")
    assert "c1" in alert.fingerprint


def test_what_was_never_recorded_is_left_out():
    window = TelemetryWindow(THEN, THEN + timedelta(seconds=5))
    service, sent = driven(CaseData("c2", window))
    assert service.decoded == []
    assert sent.alert_at is not None
    assert json.loads(service.alerts[0][1].body)["alerts"][0]["name"] == "Something is wrong"


def test_a_recorded_case_is_a_source_by_its_options():
    source = RecordedSource.connect("again", {"case": "synthetic:7", "speed": 1000})
    assert source.name == "again"
    assert "series" in source.check()
    assert isinstance(source, MetricSource)
    source.close()
    with pytest.raises(UnknownName, match=r"sources\.again\.colour"):
        RecordedSource.connect("again", {"case": "synthetic:7", "colour": "red"})
    with pytest.raises(InvalidInput, match="speed"):
        RecordedSource.connect("again", {"case": "synthetic:7", "speed": 0})
    with pytest.raises(InvalidInput, match=r"sources\.again\.case"):
        RecordedSource.connect("again", {})


def test_telemetry_of_relative_time_is_replayed_too():
    relative = datetime(1970, 1, 1, tzinfo=UTC)
    table = MetricTable(np.arange(5.0), np.ones((5, 1)), (Series(WEB, "m", "m"),))
    window = TelemetryWindow(relative, relative + timedelta(seconds=5), True, metrics=table)
    clock = ManualClock(NOW)
    clock.advance(60)
    found = Replay(RecordedTelemetry(CaseData("c", window)), Timeline(relative, NOW), clock)
    assert found.metrics(None, *ever(clock)).times[0] == NOW.timestamp()
    with pytest.raises(SourceUnavailable, match="no logs"):
        found.logs(None, *ever(clock))
