"""Whether a storm went as is asked, and the page that says so."""

from dataclasses import replace

import pytest

from aiops_evals.storm.client import Sent
from aiops_evals.storm.load import Load
from aiops_evals.storm.measured import Outcome, Times
from aiops_evals.storm.report import held, report

SENT = Sent(3000, 999.6, 0.07, (), 5.0, 20.0, 60.0, 90.0, (50.0, 160.0, 60.0))
ACTS = Times(100, 10.0, 40.0, 60.0)
KEPT = Outcome(
    engine="sqlite",
    workers=0,
    load=Load(seconds=3),
    sent=SENT,
    lost=0,
    uncounted=0,
    incidents=2000,
    expected=2000,
    wrong=0,
    behind_s=0.1,
    open_incidents=10_000,
    storm_acts=ACTS,
    acts=ACTS,
    service_cpu=1.1,
    machine_cpu=1.5,
)
MACHINE = {"cores": 2, "architecture": "x86_64", "python": "3.11.7", "date": "2026-11-21"}


def test_a_storm_that_loses_nothing_and_is_quick_went_as_is_asked() -> None:
    assert held(KEPT)


@pytest.mark.parametrize(
    "worse",
    [
        replace(KEPT, lost=1),
        replace(KEPT, uncounted=1),
        replace(KEPT, wrong=2),
        replace(KEPT, sent=replace(SENT, refused=(7,))),
        replace(KEPT, sent=replace(SENT, p99_ms=150.1)),
        replace(KEPT, acts=replace(ACTS, p99_ms=501.0)),
        replace(KEPT, storm_acts=replace(ACTS, p99_ms=501.0)),
    ],
    ids=["lost", "uncounted", "wrong", "refused", "slow", "slow act", "slow act in the storm"],
)
def test_one_thing_that_is_not_reached_is_enough(worse: Outcome) -> None:
    assert not held(worse)


def test_the_page_has_a_column_for_each_service_and_the_slow_seconds() -> None:
    page = report([KEPT, replace(KEPT, engine="postgresql", workers=2)], MACHINE, "Quiet.")
    assert "SQLite" in page
    assert "PostgreSQL, 2 workers" in page
    assert "1 of 3" in page
    assert "Quiet." in page
