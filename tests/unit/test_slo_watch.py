"""Objectives are watched: their alerts come in like any other, once a minute, and end again."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from aiops.app.incidents.grouping import Grouping, Neighbours
from aiops.app.incidents.intake import take_in
from aiops.app.slo_watch import SloWatch
from aiops.bootstrap.service import Service, in_memory
from aiops.errors import SourceUnavailable
from aiops.model import Entity, MetricTable, Series
from aiops.model.slo import EventRatio, Slo
from aiops.settings import Settings
from aiops.store.clock import ManualClock

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SLO = Slo(
    "cart-errors",
    "cart",
    "availability",
    EventRatio("requests", "errors", False),
    0.999,
    30 * 86400,
)


class Requests:
    """Ten requests a second; from ``broken`` on one in five fails."""

    def __init__(self) -> None:
        self.broken: datetime | None = None

    def metrics(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> MetricTable:
        times = np.arange(start.timestamp(), end.timestamp(), 15.0)
        errors = np.zeros(len(times))
        if self.broken is not None:
            errors[times >= self.broken.timestamp()] = 2.0
        series = tuple(
            Series(Entity("service", "cart"), m, f"cart_{m}") for m in ("requests", "errors")
        )
        return MetricTable(times, np.column_stack([np.full(len(times), 10.0), errors]), series)


class Down:
    def metrics(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> MetricTable:
        raise SourceUnavailable("prom", "no answer")


def watched(*sources: tuple[str, Requests | Down]) -> tuple[Service, SloWatch, ManualClock]:
    clock = ManualClock(NOON)
    service = in_memory(Settings(), clock)
    return service, SloWatch([SLO], sources, service.inbox, service.incidents, clock), clock


def triage(service: Service) -> None:
    rules = Grouping(**service.settings.incidents.model_dump())
    take_in(service.incidents, Neighbours(None, 0), rules, service.clock, service.ids)


def test_a_burning_budget_opens_an_incident() -> None:
    requests = Requests()
    service, watch, _ = watched(("prom", requests))
    requests.broken = NOON - timedelta(minutes=20)
    watch()
    triage(service)
    (state,) = service.incidents.alerts()
    assert state.alert.labels == (
        ("alertname", "ErrorBudgetBurn"),
        ("service", "cart"),
        ("slo", "cart-errors"),
    )
    assert state.incident is not None


def test_nothing_is_said_while_the_objective_holds() -> None:
    service, watch, _ = watched(("prom", Requests()))
    watch()
    assert service.inbox.waiting() == 0


def test_the_same_minute_is_told_once_whoever_looks() -> None:
    requests = Requests()
    requests.broken = NOON - timedelta(minutes=20)
    service, watch, _ = watched(("prom", requests))
    watch()
    watch()
    assert service.inbox.waiting() == 1


def test_what_a_clock_that_was_set_back_sees_anew_counts() -> None:
    requests = Requests()
    requests.broken = NOON - timedelta(minutes=20)
    service, watch, _ = watched(("prom", requests))
    watch()
    triage(service)
    set_back = replace(watch, clock=ManualClock(NOON))  # the same minute comes again
    requests.broken = None
    set_back()
    triage(service)
    (state,) = service.incidents.alerts()
    assert not state.firing


def test_the_alert_ends_when_the_burning_has() -> None:
    requests = Requests()
    requests.broken = NOON - timedelta(minutes=20)
    service, watch, clock = watched(("prom", requests))
    watch()
    triage(service)
    requests.broken = None
    clock.advance(600)
    watch()
    triage(service)
    (state,) = service.incidents.alerts()
    assert not state.firing


def test_a_source_that_is_down_is_told_and_the_others_are_read() -> None:
    requests = Requests()
    requests.broken = NOON - timedelta(minutes=20)
    service, watch, _ = watched(("down", Down()), ("prom", requests))
    assert watch() == (("down", "prom: no answer"),)
    assert service.inbox.waiting() == 1
