"""How objectives stand: burn rates by window, the budget left, and what is not known."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from threading import Event, Thread

import numpy as np
import pytest

from aiops.app.slo_standing import Standings
from aiops.bootstrap.service import in_memory
from aiops.errors import SourceUnavailable
from aiops.model import Entity, MetricTable, Series
from aiops.model.alert import Matcher, Silence
from aiops.model.slo import EventRatio, Slo
from aiops.ports.telemetry import MetricSource
from aiops.settings import Settings
from aiops.store.clock import ManualClock

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY_S = 86_400.0
SLO = Slo(
    "cart-errors",
    "cart",
    "availability",
    EventRatio("requests", "errors", False),
    0.99,
    30 * DAY_S,
)


class Requests:
    """Ten requests a second since ``begun``; of those since ``broken``, one in five fails."""

    def __init__(self, begun: datetime, broken: datetime) -> None:
        self.begun, self.broken, self.reads = begun, broken, 0

    def metrics(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> MetricTable:
        self.reads += 1
        step = 60.0 if end - start < timedelta(days=1) else 600.0
        times = np.arange(start.timestamp(), end.timestamp() + 1, step)
        requests = np.where(times >= self.begun.timestamp(), 10.0, np.nan)
        errors = np.where(times >= self.broken.timestamp(), 2.0, 0.0)
        series = tuple(
            Series(Entity("service", "cart"), m, f"cart_{m}") for m in ("requests", "errors")
        )
        return MetricTable(times, np.column_stack([requests, errors]), series)


class Down:
    def metrics(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> MetricTable:
        raise SourceUnavailable("prom", "no answer")


def standings(clock: ManualClock, *sources: tuple[str, MetricSource]) -> Standings:
    return Standings([SLO], sources, in_memory(Settings(), clock).incidents, clock)


def test_a_burn_since_half_an_hour_shows_in_the_short_windows_most() -> None:
    source = Requests(NOON - timedelta(days=40), NOON - timedelta(minutes=30))
    (found,) = standings(ManualClock(NOON), ("prom", source))()
    rates = {burn.window_s: burn.rate for burn in found.burns}
    assert rates[300.0] == pytest.approx(20)
    assert rates[3600.0] == pytest.approx(10, rel=0.05)
    assert rates[6 * 3600.0] == pytest.approx(20 / 12, rel=0.05)
    assert rates[3 * DAY_S] == pytest.approx(20 * 0.5 / 72, rel=0.5)
    assert (found.source, found.at, found.unknown) == ("prom", NOON, None)


def test_the_budget_left_is_what_the_whole_period_has_not_used() -> None:
    # One day of thirty at a burn rate of 20 uses two thirds of the budget.
    source = Requests(NOON - timedelta(days=40), NOON - timedelta(days=1))
    (found,) = standings(ManualClock(NOON), ("prom", source))()
    assert found.budget_left == pytest.approx(1 / 3, abs=0.01)
    assert found.measured_s == pytest.approx(30 * DAY_S, rel=0.01)


def test_what_was_not_measured_counts_as_good_and_how_much_that_is_is_said() -> None:
    source = Requests(NOON - timedelta(days=3), NOON - timedelta(days=1))
    (found,) = standings(ManualClock(NOON), ("prom", source))()
    assert found.budget_left == pytest.approx(1 / 3, abs=0.01)
    assert found.measured_s == pytest.approx(3 * DAY_S, rel=0.01)


def test_more_than_the_whole_budget_can_be_gone() -> None:
    source = Requests(NOON - timedelta(days=40), NOON - timedelta(days=3))
    (found,) = standings(ManualClock(NOON), ("prom", source))()
    assert found.budget_left == pytest.approx(-1, abs=0.02)


def test_planned_work_uses_no_budget() -> None:
    clock = ManualClock(NOON)
    service, source = (
        in_memory(Settings(), clock),
        Requests(NOON - timedelta(days=40), NOON - timedelta(hours=2)),
    )
    with service.incidents.work() as work:
        work.put_silence(
            Silence(
                "sil-1",
                (Matcher("service", "cart"),),
                NOON - timedelta(hours=2),
                NOON + timedelta(hours=1),
                "ada",
                "move",
                maintenance=True,
            )
        )
    (found,) = Standings([SLO], [("prom", source)], service.incidents, clock)()
    assert found.budget_left == pytest.approx(1)


@pytest.mark.parametrize(
    ("sources", "said"),
    [
        ([], "no source of metrics is set"),
        ([("prom", Down())], "prom: no answer"),
        ([("prom", Requests(NOON + timedelta(days=1), NOON))], "no source has its metrics of cart"),
    ],
    ids=["none", "down", "silent"],
)
def test_what_is_not_known_is_said_with_why(
    sources: list[tuple[str, MetricSource]], said: str
) -> None:
    (found,) = standings(ManualClock(NOON), *sources)()
    assert found.unknown is not None
    assert said in found.unknown
    assert (found.burns, found.budget_left) == ((), None)


def test_the_first_source_that_has_the_metrics_judges() -> None:
    source = Requests(NOON - timedelta(days=40), NOON - timedelta(days=1))
    (found,) = standings(ManualClock(NOON), ("down", Down()), ("prom", source))()
    assert found.source == "prom"


def test_however_often_it_is_asked_sources_are_read_once_a_minute_and_weeks_less_often() -> None:
    clock = ManualClock(NOON)
    source = Requests(NOON - timedelta(days=40), NOON)
    stand = standings(clock, ("prom", source))
    for _ in range(10):
        stand()
    assert source.reads == 2
    clock.advance(61)
    stand()
    assert source.reads == 3


def test_a_source_that_hangs_holds_up_one_and_the_others_get_what_was_known() -> None:
    clock, hangs, go_on = ManualClock(NOON), Event(), Event()

    class Hanging(Requests):
        def metrics(
            self, services: Sequence[str] | None, start: datetime, end: datetime
        ) -> MetricTable:
            if self.reads >= 2:
                hangs.set()
                assert go_on.wait(60)
            return super().metrics(services, start, end)

    stand = standings(clock, ("prom", Hanging(NOON - timedelta(days=40), NOON)))
    known = stand()
    clock.advance(61)
    one = Thread(target=stand, daemon=True)
    one.start()
    assert hangs.wait(60)
    assert stand() == known
    go_on.set()
    one.join(60)
    (after,) = stand()
    assert after.at == NOON + timedelta(seconds=61)
