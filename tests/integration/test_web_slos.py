"""Objectives over the web: how fast their budgets burn and what is left of them."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from web import asking

from aiops.bootstrap.service import Service, in_memory
from aiops.model import Entity, MetricTable, Series
from aiops.settings import Settings
from aiops.store.clock import ManualClock
from aiops.web.app import create

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
SLOS = """
slos:
  - name: cart-errors
    service: cart
    sli: {kind: availability, total: requests, bad: errors}
    objective: 99
    window: 30d
"""


class Requests:
    """One request in fifty fails: twice as many as may."""

    def metrics(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> MetricTable:
        times = np.linspace(start.timestamp(), end.timestamp(), 500)
        series = tuple(
            Series(Entity("service", "cart"), m, f"cart_{m}") for m in ("requests", "errors")
        )
        return MetricTable(times, np.tile([10.0, 0.2], (500, 1)), series)

    def check(self) -> str:
        return ""

    def close(self) -> None:
        pass


@pytest.fixture
def service(tmp_path: Path) -> Service:
    file = tmp_path / "slos.yaml"
    file.write_text(SLOS)
    made = in_memory(Settings(slos=file), ManualClock(NOON))
    return replace(made, sources=[("prom", Requests())])


def test_burn_rates_and_the_budget_left_are_answered_for_each_objective(service: Service) -> None:
    with asking(create(service, dev=True)) as client:
        (found,) = client.get("/api/v1/slos").raise_for_status().json()["slos"]
    assert (found["name"], found["source"], found["unknown"]) == ("cart-errors", "prom", None)
    windows = [burn["window_s"] for burn in found["burns"]]
    assert windows == sorted(windows)
    assert [burn["rate"] for burn in found["burns"]] == [pytest.approx(2, rel=0.01)] * len(windows)
    assert found["budget_left"] == pytest.approx(-1, abs=0.01)


def page(service: Service) -> str:
    with asking(create(service, dev=True)) as client:
        return client.get("/objectives").raise_for_status().text


def test_the_page_shows_what_the_api_answers(service: Service) -> None:
    shown = page(service)
    assert "cart-errors" in shown
    assert "overspent by 100 %" in shown


def test_the_page_says_why_nothing_is_known(service: Service) -> None:
    assert "no source of metrics is set" in page(replace(service, sources=[]))


def test_the_page_says_where_objectives_are_set_while_there_are_none() -> None:
    assert "<code>aiops.toml</code>" in page(in_memory(Settings()))
