"""Where nothing tells who calls whom: the services of the same place are looked at."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from aiops.app.beside import MOST
from aiops.app.investigate import investigate
from aiops.app.telemetry_window import Collected, Reach, collect
from aiops.errors import SourceUnavailable
from aiops.model import (
    Call,
    Entity,
    LogTable,
    MetricTable,
    Series,
    ServiceGraph,
    TelemetryWindow,
)
from aiops.model.alert import Alert
from aiops.model.incident import Incident
from aiops.model.report import Report
from aiops.plugins import analyzer
from aiops.store.memory import MemoryTelemetry

ALERT = datetime(2026, 11, 20, 3, 20, tzinfo=UTC)
START, END = ALERT - timedelta(minutes=20), ALERT + timedelta(minutes=5)
STEP_S = 10
SHOP = "shop"


def measured(service: str, *, broken: bool, namespace: str | None = SHOP) -> MetricTable:
    """Errors and CPU of one service; where it is broken they jump two minutes before the alert."""
    times = np.arange(START.timestamp(), END.timestamp(), STEP_S)
    noise = np.random.default_rng([*service.encode()])
    after = times >= ALERT.timestamp() - 120
    values = noise.normal(10.0, 0.5, (len(times), 2))
    if broken:
        values[after] += 40.0
    entity = Entity("service", service, namespace)
    around = f"{namespace}/" if namespace else ""
    series = tuple(
        Series(entity, metric, f"{around}{service}_{metric}") for metric in ("cpu", "errors_total")
    )
    return MetricTable(times, values, series, "metrics")


class Scraped:
    """Metrics and names of services, as a Prometheus has them; remembers what it was asked."""

    def __init__(self, *tables: MetricTable, names: Sequence[str] = ()) -> None:
        self.tables, self.names = tables, names
        self.asked = list[Sequence[str] | None]()

    def metrics(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> MetricTable:
        self.asked.append(services)
        kept = [
            table
            for table in self.tables
            if services is None or table.series[0].entity.name in services
        ]
        times = np.arange(START.timestamp(), END.timestamp(), STEP_S)
        values = [table.values for table in kept] or [np.empty((len(times), 0))]
        series = tuple(one for table in kept for one in table.series)
        return MetricTable(times, np.hstack(values), series, "metrics")

    def beside(
        self,
        services: Collection[str],
        namespace: str | None,
        cluster: str | None,
        start: datetime,
        end: datetime,
    ) -> tuple[str, ...]:
        entities = [table.series[0].entity for table in self.tables]
        there = {one.name for one in entities if namespace in (None, one.namespace)}
        there |= set(self.names)
        return tuple(sorted(there)) if not there.isdisjoint(services) else ()


class Mute(Scraped):
    """Does not answer who is there."""

    def beside(self, *_: object) -> tuple[str, ...]:
        raise SourceUnavailable("metrics", "no answer in 5 s; is it running?")


FRONT, BACK = measured("front", broken=False), measured("back", broken=True)
ABOUT = Alert("hook", "1", "firing", "Slow", (), (), ALERT, entity=Entity("service", "front", SHOP))


def collected(
    source: object,
    *,
    store: MemoryTelemetry | None = None,
    namespace: str | None = SHOP,
    cluster: str | None = None,
) -> Collected:
    incident = Incident("inc-1", "Slow", "g", "SEV2", "triggered", ALERT, ALERT, ("front",))
    return collect(
        replace(incident, namespace=namespace, cluster=cluster),
        [("metrics", source)],  # type: ignore[list-item]
        store or MemoryTelemetry(),
        now=END,
        reach=Reach(before=timedelta(minutes=20)),
        changes_recorded=False,
        alerts=(ABOUT,),
    )


def report_on(found: Collected) -> Report:
    return investigate(found.case, analyzer("aiops"), alerts=(ABOUT,))


def names_in(found: Collected) -> set[str]:
    table = found.case.window.metrics
    return set() if table is None else {one.entity.name for one in table.series}


def test_metrics_alone_still_find_the_cause_in_another_service() -> None:
    found = collected(Scraped(FRONT, BACK))
    assert names_in(found) == {"front", "back"}
    assert report_on(found).root_causes[0].entity.name == "back"


def test_that_the_cause_may_be_another_incidents_is_said() -> None:
    found = collected(Scraped(FRONT, BACK))
    (note,) = found.case.notes
    assert "who calls front" in note
    assert "2 services of namespace 'shop'" in note
    assert "another incident's" in note
    assert note in report_on(found).notes


def test_services_of_other_namespaces_are_left_alone() -> None:
    twin = measured("front", broken=True, namespace="staging")
    source = Scraped(FRONT, measured("back", broken=True, namespace="staging"), twin)
    found = collected(source)
    assert source.asked == [("front",)]
    assert found.case.window.metrics is not None
    source = Scraped(FRONT, BACK, twin)
    found = collected(source)
    assert found.case.window.metrics is not None
    assert {one.entity.namespace for one in found.case.window.metrics.series} == {SHOP}


def test_an_alert_without_a_namespace_has_its_cluster_looked_at() -> None:
    other = measured("back", broken=True, namespace="other")
    found = collected(Scraped(FRONT, other), namespace=None, cluster="east")
    assert names_in(found) == {"front", "back"}
    assert "cluster 'east'" in found.case.notes[0]


def test_of_too_many_services_some_are_left_out_and_counted() -> None:
    many = [f"svc-{n:03}" for n in range(MOST + 20)]
    source = Scraped(FRONT, names=many)
    found = collected(source)
    (asked,) = source.asked
    assert asked is not None
    assert len(asked) == MOST
    assert "front" in asked
    assert "21 more were not looked at" in found.case.notes[0]
    assert "svc-119" not in asked


def test_a_service_that_says_nothing_leaves_the_others_unaccused() -> None:
    found = collected(Scraped(BACK, names=["front"]))
    assert names_in(found) == set()
    assert [step.step for step in found.failed] == ["read telemetry of front"]
    report = report_on(found)
    assert (report.verdict, report.root_causes) == ("inconclusive", ())


def test_a_source_that_does_not_know_the_service_names_nobody_beside_it() -> None:
    source = Scraped(BACK)
    collected(source)
    assert source.asked == [("front",)]


def test_a_source_that_cannot_name_services_is_a_failed_step_and_the_service_is_read() -> None:
    source = Mute(FRONT, BACK)
    found = collected(source)
    assert names_in(found) == {"front"}
    assert "not looked for" in found.case.notes[0]
    assert [step.step for step in found.failed] == ["read names of services from metrics"]


def test_metrics_that_were_pushed_name_the_services_beside() -> None:
    store = MemoryTelemetry()
    for table in (FRONT, BACK):
        store.append(TelemetryWindow(START, END, metrics=table))
    found = collected(object(), store=store)
    assert names_in(found) == {"front", "back"}


def test_calls_that_the_metrics_tell_of_bound_what_is_looked_at() -> None:
    entity = Entity("service", "back", SHOP)
    mesh = Series(entity, "edge:front:requests_total", "edge", type="gauge")
    calls = replace(
        BACK, values=np.column_stack([BACK.values, BACK.values[:, 0]]), series=(*BACK.series, mesh)
    )
    found = collected(Scraped(FRONT, calls, measured("far", broken=True)))
    assert names_in(found) == {"front", "back"}
    assert found.case.notes == ()


# ---- a silent service with neighbours


@pytest.fixture
def silent_front() -> Report:
    front, back = Entity("service", "front"), Entity("service", "back")
    store = MemoryTelemetry()
    graph = ServiceGraph((front, back), (Call(front, back),))
    store.append(TelemetryWindow(START, END, graph=graph))
    found = collected(Scraped(BACK, measured("deep", broken=False)), store=store)
    report = report_on(found)
    return replace(report, failed_steps=(*found.failed, *report.failed_steps))


def test_neighbours_of_a_silent_service_may_be_ranked_and_the_confidence_says_so(
    silent_front: Report,
) -> None:
    assert silent_front.root_causes[0].entity.name == "back"
    assert "nothing was of front, which alerted" in silent_front.summary


def test_a_silent_service_is_a_failed_step_and_an_unknown(silent_front: Report) -> None:
    assert "read telemetry of front" in {step.step for step in silent_front.failed_steps}
    assert any("Nothing was recorded of front" in one for one in silent_front.unknowns)


class Lines:
    """A source of logs only, which names nobody."""

    def logs(self, services: Sequence[str] | None, start: datetime, end: datetime) -> LogTable:
        raise SourceUnavailable("logs", "down")


def test_nobody_beside_means_only_the_service_itself() -> None:
    assert "not looked for" in collected(Lines()).case.notes[0]
