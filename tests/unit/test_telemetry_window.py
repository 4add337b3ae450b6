"""The telemetry around an incident: what is pulled, what is kept, and what could not be read."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from aiops.app.investigate import investigate
from aiops.app.surroundings import around
from aiops.app.telemetry_window import Collected, Reach, collect
from aiops.errors import SourceUnavailable
from aiops.model import (
    Call,
    Entity,
    LogTable,
    MetricTable,
    RecordedOutput,
    ServiceGraph,
    SpanTable,
    TelemetryWindow,
)
from aiops.model.alert import Alert
from aiops.model.change import Change
from aiops.model.entity import EntityKind
from aiops.model.incident import Incident
from aiops.model.rows import LogLine, Span, log_table, span_table
from aiops.plugins import analyzer
from aiops.store.memory import MemoryTelemetry
from aiops.store.recorded import RecordedTelemetry
from aiops_datasets.synthetic import plant, specified

CASE = plant(specified("synthetic:7")).data
ALERT = CASE.trigger.at or datetime(2026, 1, 1, tzinfo=UTC)
SERVICE = (CASE.window.metrics.series if CASE.window.metrics else ())[0].entity.service_name
NOW = CASE.window.end
WIDE = Reach(before=timedelta(hours=6), after=timedelta(hours=6), hops=9)
SOURCE = ("recorded", RecordedTelemetry(CASE))


def incident(opened: datetime = ALERT, services: tuple[str, ...] = (SERVICE,)) -> Incident:
    return Incident("inc-1", "Errors", "g", "SEV2", "triggered", opened, opened, services)


class Down:
    """A source of logs that cannot be reached."""

    def logs(self, services: Sequence[str] | None, start: datetime, end: datetime) -> LogTable:
        raise SourceUnavailable("loki", "no answer in 5 s; is it running?")


def test_what_the_source_has_becomes_the_case() -> None:
    found = collect(
        incident(), [SOURCE], MemoryTelemetry(), now=NOW, reach=WIDE, changes_recorded=False
    ).case
    assert found.window.metrics is not None
    assert CASE.window.metrics is not None
    assert {s.column for s in found.window.metrics.series} == {
        s.column for s in CASE.window.metrics.series
    }
    assert found.trigger.at == ALERT
    assert found.trigger.entity == Entity("service", SERVICE)


class Cluster:
    """A source that tells how a cluster is."""

    def state(self, start: datetime, end: datetime) -> tuple[RecordedOutput, ...]:
        return (RecordedOutput("kubectl get pods -n shop -o json", '{"items": []}'),)


def test_how_the_cluster_is_becomes_part_of_the_case() -> None:
    sources = [SOURCE, ("cluster", Cluster())]
    found = collect(
        incident(), sources, MemoryTelemetry(), now=NOW, reach=WIDE, changes_recorded=False
    )
    assert [one.call for one in found.case.window.cluster_state] == [
        "kubectl get pods -n shop -o json"
    ]


def test_collecting_twice_gives_the_same() -> None:
    store = MemoryTelemetry()
    first, second = (
        collect(incident(), [SOURCE], store, now=NOW, reach=WIDE, changes_recorded=False).case
        for _ in range(2)
    )
    assert first.window.metrics is not None
    assert second.window.metrics is not None
    np.testing.assert_array_equal(first.window.metrics.values, second.window.metrics.values)


def test_a_source_that_is_down_is_named_and_the_rest_is_read() -> None:
    found = collect(
        incident(),
        [("loki", Down()), SOURCE],
        MemoryTelemetry(),
        now=NOW,
        reach=WIDE,
        changes_recorded=False,
    )
    assert found.case.window.metrics is not None
    assert ("read logs from loki", "loki: no answer in 5 s; is it running?") in [
        (step.step, step.reason) for step in found.failed
    ]


class Partial:
    """A source of logs that cuts what it reads."""

    def logs(self, services: Sequence[str] | None, start: datetime, end: datetime) -> LogTable:
        line = LogLine(ALERT.timestamp(), SERVICE, "slow")
        return replace(log_table([line]), notes=("only the first lines were read",))


def test_what_a_source_could_not_give_is_named_beside_what_it_gave() -> None:
    found = collect(
        incident(),
        [("loki", Partial()), SOURCE],
        MemoryTelemetry(),
        now=NOW,
        reach=WIDE,
        changes_recorded=False,
    )
    assert found.case.window.logs is not None
    assert ("read logs from loki", "only the first lines were read") in [
        (step.step, step.reason) for step in found.failed
    ]


def test_what_was_pushed_to_the_store_is_part_of_the_case() -> None:
    store = MemoryTelemetry()
    pushed = Change(ALERT - timedelta(seconds=30), Entity("service", SERVICE), "flag on")
    store.append(TelemetryWindow(ALERT, ALERT), (pushed,))
    found = collect(
        incident(), [SOURCE], store, now=NOW, reach=WIDE, changes_recorded=True
    ).case.window
    assert found.changes == (pushed,)


@pytest.mark.parametrize("recorded", [True, False])
def test_no_changes_means_none_only_where_somebody_records_them(recorded: bool) -> None:
    found = collect(
        incident(), [SOURCE], MemoryTelemetry(), now=NOW, reach=WIDE, changes_recorded=recorded
    ).case.window
    assert found.changes == (() if recorded else None)


@pytest.mark.parametrize("opened", [NOW + timedelta(days=400), datetime(1, 1, 1, tzinfo=UTC)])
def test_an_absurd_time_of_the_alert_still_gives_a_window(opened: datetime) -> None:
    safe = max(opened, datetime(1970, 1, 2, tzinfo=UTC))
    window = collect(
        incident(safe), [], MemoryTelemetry(), now=NOW, reach=Reach(), changes_recorded=False
    ).case.window
    assert window.start < window.end <= NOW + timedelta(seconds=1)


def test_the_services_pulled_are_those_within_reach() -> None:
    a, b, c, d = (Entity("service", name) for name in "abcd")
    graph = ServiceGraph((a, b, c, d), (Call(a, b), Call(b, c), Call(c, d)))
    assert around(graph, ["b"], 1) == ("a", "b", "c")
    assert around(graph, ["d"], 1) == ("c", "d")
    assert around(graph, ["unknown"], 1) == ("unknown",)


def test_nothing_to_read_from_is_an_empty_case() -> None:
    found = collect(
        incident(), [], MemoryTelemetry(), now=NOW, reach=Reach(), changes_recorded=False
    ).case.window
    assert (found.metrics, found.logs, found.spans) == (None, None, None)


def test_calls_seen_in_the_spans_join_the_graph_and_are_known_next_time() -> None:
    at = ALERT.timestamp()
    pushed = span_table(
        [
            Span("t", "1", "", SERVICE, "call", at - 60, 1.0),
            Span("t", "2", "1", "billing", "serve", at - 60, 1.0),
        ]
    )
    store = MemoryTelemetry()
    store.append(TelemetryWindow(ALERT - timedelta(minutes=2), ALERT, spans=pushed))
    found = collect(
        incident(), [], store, now=NOW, reach=WIDE, changes_recorded=False
    ).case.window.graph
    assert found is not None
    assert [(call.source.name, call.target.name) for call in found.calls] == [(SERVICE, "billing")]
    assert store.graph(NOW) == found


# ---- alerts about what nothing was recorded of, or about no service


def alert_about(kind: EntityKind, name: str) -> Alert:
    return Alert("hook", "1", "firing", "Slow", (), (), ALERT, entity=Entity(kind, name))


def collected(alert: Alert | None, *sources: tuple[str, object]) -> Collected:
    names = () if alert is None or alert.entity is None else (alert.entity.service_name,)
    return collect(
        incident(services=names),
        sources or [SOURCE],
        MemoryTelemetry(),
        now=NOW,
        reach=WIDE,
        changes_recorded=False,
        alerts=() if alert is None else (alert,),
    )


def test_nobody_is_blamed_where_nothing_was_recorded_of_the_alerting_service() -> None:
    found = collected(alert_about("service", "elsewhere"))
    reasons = {step.step: step.reason for step in found.failed}
    assert "aiops doctor" in reasons["read telemetry of elsewhere"]
    window = found.case.window
    assert (window.metrics, window.logs, window.spans, window.graph) == (None,) * 4
    report = investigate(found.case, analyzer("aiops"))
    assert (report.verdict, report.root_causes) == ("inconclusive", ())


@pytest.mark.parametrize("alert", [alert_about("node", "node-3"), None])
def test_alerts_that_name_no_service_have_everything_looked_at_and_that_is_said(
    alert: Alert | None,
) -> None:
    found = collected(alert)
    assert found.case.window.metrics is not None
    assert CASE.window.metrics is not None
    assert len(found.case.window.metrics.series) == len(CASE.window.metrics.series)
    assert all("telemetry of" not in step.step for step in found.failed)
    (note,) = found.case.notes
    assert "name no service" in note


class Traced:
    """A source of traces alone; remembers whom it was asked about."""

    def __init__(self, *found: Span) -> None:
        self.found, self.asked = found, list[Sequence[str] | None]()

    def spans(self, services: Sequence[str] | None, start: datetime, end: datetime) -> SpanTable:
        self.asked.append(services)
        return span_table(one for one in self.found if services is None or one.service in services)


class Measured:
    """A source of metrics alone; remembers whom it was asked about."""

    def __init__(self) -> None:
        self.asked = list[Sequence[str] | None]()

    def metrics(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> MetricTable:
        self.asked.append(services)
        return RecordedTelemetry(CASE).metrics(services, start, end)


def test_traces_tell_whom_to_look_at_where_no_graph_does() -> None:
    at = ALERT.timestamp() - 600
    traces = Traced(
        Span("t", "1", "", "shop", "call", at, 1.0),
        Span("t", "2", "1", "billing", "serve", at, 1.0),
        Span("u", "3", "", "unrelated", "run", at, 1.0),
    )
    metrics = Measured()
    found = collected(alert_about("service", "shop"), ("traces", traces), ("metrics", metrics))
    assert metrics.asked == [("billing", "shop")]
    assert traces.asked == [None]
    assert found.case.window.spans is not None
    assert found.case.window.spans.services == ("shop", "billing")
    assert found.case.window.graph is not None
    assert {node.name for node in found.case.window.graph.nodes} == {"shop", "billing"}
    assert (found.failed, found.case.notes) == ((), ())


def test_without_calls_only_the_alerting_service_is_looked_at_and_that_is_said() -> None:
    metrics = Measured()
    found = collected(alert_about("service", SERVICE), ("metrics", metrics))
    assert metrics.asked == [(SERVICE,)]
    assert found.failed == ()
    (note,) = found.case.notes
    assert f"who calls {SERVICE}" in note


def test_a_pod_of_a_service_and_the_node_it_is_on_are_an_alert_on_the_service() -> None:
    pod = Alert(
        "hook",
        "1",
        "firing",
        "Slow",
        (),
        (),
        ALERT,
        entity=Entity("instance", "cart-1", service=SERVICE),
    )
    both = collect(
        incident(services=tuple(sorted((SERVICE, "node-3")))),
        [SOURCE],
        MemoryTelemetry(),
        now=NOW,
        reach=WIDE,
        changes_recorded=False,
        alerts=(pod, alert_about("node", "node-3")),
    )
    assert all("telemetry of" not in step.step for step in both.failed)
    assert both.case.notes == ()
    assert both.case.trigger.entity == Entity("service", SERVICE)
