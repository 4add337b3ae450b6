"""Whether objectives hold after a change, judged by metrics that the real store keeps."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from aiops.app.slo_after_change import AfterChange
from aiops.bootstrap.durable import durable
from aiops.bootstrap.objectives import after_change
from aiops.bootstrap.service import Service
from aiops.errors import SourceUnavailable
from aiops.model import Entity, MetricTable, Series, ServiceGraph, TelemetryWindow
from aiops.model.alert import Matcher, Silence
from aiops.model.graph import Call
from aiops.model.tool import Target
from aiops.settings import load

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SINCE, UNTIL = NOON + timedelta(seconds=30), NOON + timedelta(seconds=90)
CART = Target("prod", "Deployment", "cart", "shop")
SLOS = """
slos:
  - name: cart-errors
    service: cart
    sli: {kind: availability, total: requests, bad: errors}
    objective: 99
    window: 30d
  - name: cart-latency
    service: cart
    sli: {kind: latency, metric: p95, at_most: 0.3}
    objective: 95
    window: 30d
"""


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """On SQLite, with a file of objectives."""
    (tmp_path / "slos.yaml").write_text(SLOS)
    settings = load(database_url=f"sqlite:///{tmp_path}/aiops.db", slos=tmp_path / "slos.yaml")
    with durable(settings) as found:
        yield found


def keep(service: Service, before: float, after: float, *, p95: float = 0.1) -> None:
    """Ten requests a second, of which a share fails before and from noon on; p95 from noon on."""
    start, end = NOON - timedelta(minutes=20), NOON + timedelta(minutes=3)
    times = np.arange(start.timestamp(), end.timestamp(), 5.0)
    late = times > NOON.timestamp()
    columns = {
        "requests": np.full(len(times), 10.0),
        "errors": np.where(late, 10 * after, 10 * before),
        "p95": np.where(late, p95, 0.1),
    }
    series = tuple(Series(Entity("service", "cart"), name, f"cart_{name}") for name in columns)
    table = MetricTable(times, np.column_stack(list(columns.values())), series)
    service.telemetry.append(TelemetryWindow(start, end, metrics=table))


def test_what_fails_only_after_the_change_burns_faster(service: Service) -> None:
    keep(service, 0.001, 0.2)
    held = after_change(service).held([CART], NOON, SINCE, UNTIL)
    assert held.held is False
    assert held.seen == (
        "cart-errors (99 % over 30 d) burns its error budget 20 times too fast, 0.1 times before"
    )


def test_waiting_longer_than_before_burns_the_budget_of_a_limit(service: Service) -> None:
    keep(service, 0.0, 0.0, p95=0.9)
    held = after_change(service).held([CART], NOON, SINCE, UNTIL)
    assert held.held is False
    assert "cart-latency" in held.seen


@pytest.mark.parametrize(
    ("before", "after"),
    [(0.0, 0.0), (0.2, 0.2), (0.2, 0.05), (0.0, 0.005), (0.05, 0.06)],
    ids=["no fault", "burnt before", "better", "within the budget", "by chance"],
)
def test_a_change_is_blamed_for_nothing_it_did_not_make_worse(
    service: Service, before: float, after: float
) -> None:
    keep(service, before, after)
    held = after_change(service).held([CART], NOON, SINCE, UNTIL)
    assert held.held is True
    assert "burns no faster than before" in held.seen


def test_an_incident_that_began_shortly_before_is_not_the_fault_of_the_change(
    service: Service,
) -> None:
    keep(service, 0.0, 0.5)
    changed = NOON + timedelta(seconds=60)
    held = after_change(service).held([CART], changed, changed, changed + timedelta(seconds=30))
    assert held.held is True


def test_without_metrics_nothing_is_known(service: Service) -> None:
    held = after_change(service).held([CART], NOON, SINCE, UNTIL)
    assert held.held is None
    assert "was not measured before and after the change" in held.seen


def test_planned_work_counts_for_nothing(service: Service) -> None:
    keep(service, 0.0, 0.5)
    planned = Silence(
        "s", (Matcher("service", "cart"),), NOON, UNTIL, "ann", "moving it", maintenance=True
    )
    with service.incidents.work() as work:
        work.put_silence(planned)
    held = after_change(service).held([CART], NOON, SINCE, UNTIL)
    assert held.held is None


def test_objectives_cover_the_service_and_those_that_call_it(service: Service) -> None:
    stock, other = Entity("service", "stock"), Entity("service", "other")
    graph = ServiceGraph((), (Call(Entity("service", "cart"), stock), Call(stock, other)))
    service.telemetry.append(TelemetryWindow(NOON, UNTIL, graph=graph))
    objectives = after_change(service)

    def covering(name: str) -> tuple[str, ...]:
        return objectives.covering([Target("prod", "Deployment", name, "shop")])

    assert covering("cart") == covering("stock") == ("cart-errors", "cart-latency")
    assert covering("other") == covering("cart"), "through stock"
    held = objectives.held([Target("prod", "Deployment", "other", "shop")], NOON, SINCE, UNTIL)
    assert (held.held, held.seen) == (None, "no objective is near the change")
    assert covering("elsewhere") == ()
    held = objectives.held([Target("prod", "Deployment", "elsewhere", "shop")], NOON, SINCE, UNTIL)
    assert (held.held, held.seen) == (None, "no objective covers prod/shop/Deployment/elsewhere")


def test_a_source_that_does_not_answer_is_no_verdict(service: Service) -> None:
    class Down:
        def metrics(self, *window: object) -> MetricTable:
            raise SourceUnavailable("prom", "no answer")

    whole = after_change(service)
    objectives = AfterChange(
        whole.slos, [("prom", Down())], whole.incidents, whole.graph, whole.now
    )
    held = objectives.held([CART], NOON, SINCE, UNTIL)
    assert held.held is None
    assert "no answer" in held.seen


@pytest.mark.parametrize(
    ("before", "after", "mended"),
    [(0.5, 0.0, True), (0.5, 0.1, True), (0.5, 0.5, False), (0.5, 0.4, False), (0.0, 0.0, None)],
    ids=["over", "a fifth is left", "as before", "hardly better", "nothing burnt"],
)
def test_what_burns_on_after_a_change_was_not_mended(
    service: Service, before: float, after: float, mended: bool | None
) -> None:
    keep(service, before, after)
    assert after_change(service).held([CART], NOON, SINCE, UNTIL).mended is mended


def test_users_behind_others_say_whether_a_change_helped_but_do_not_blame_it(
    service: Service,
) -> None:
    chain = [("cart", "store"), ("store", "disk")]
    calls = tuple(Call(Entity("service", a), Entity("service", b)) for a, b in chain)
    disk = Target("prod", "StatefulSet", "disk", "shop")
    judge = replace(after_change(service), graph=lambda _: ServiceGraph((), calls))
    keep(service, 0.5, 0.0)
    assert judge.held([disk], NOON, SINCE, UNTIL).mended is True
    keep(service, 0.0, 0.5)
    assert judge.held([disk], NOON, SINCE, UNTIL).held is None


@pytest.mark.parametrize(
    ("before", "seconds", "early"),
    [(0.5, 0.5, True), (0.5, 60, False), (0.0, 0.5, False)],
    ids=["too soon", "told", "nothing burnt"],
)
def test_shortly_after_a_change_it_is_too_soon_to_tell_whether_it_helped(
    service: Service, before: float, seconds: float, early: bool
) -> None:
    keep(service, before, 0.0)
    held = after_change(service).held([CART], NOON, NOON, NOON + timedelta(seconds=seconds))
    assert held.early is early
