"""Evidence of shifts: one sentence a metric, with its numbers and where to look them up."""

from datetime import UTC, datetime

import numpy as np
import pytest

from aiops.analyze.claims import Claims
from aiops.analyze.onset import Anomaly
from aiops.analyze.shifts import failures, kinds_of, measure
from aiops.model import Entity, MetricTable, Series

START = 1_700_000_000.0
ANOMALY = Anomaly(5, 10, found=True)


def claims(
    before: float,
    after: float,
    metric: str = "cpu",
    unit: str | None = None,
    columns: int = 1,
    seen: bool = True,
) -> Claims:
    values = np.full((10, columns), float(before))
    values[5:] = after
    series = tuple(
        Series(Entity("service", f"s{i}"), metric, f"s{i}_{metric}", unit) for i in range(columns)
    )
    kinds = kinds_of(series)
    failures(values, kinds, series)
    table = MetricTable(START + np.arange(10.0), values, series, "metrics.csv")
    shifts = measure(values, series, kinds, ANOMALY, fleet=False)
    return Claims(table, shifts, ANOMALY, np.full(columns, seen))


def sentence(*args: object, **kwargs: object) -> str:
    told = claims(*args, **kwargs)
    told.cite([0])
    return told.evidence[0].claim


def test_a_claim_says_what_moved_from_where_to_where_and_how_unusual_that_is():
    assert sentence(10, 30) == (
        "cpu of s0 rose from 10 to 30 (medians), 40 times its usual variation."
    )


def test_a_fall_fell_and_a_small_step_is_not_called_unusual():
    assert "fell from 30 to 10" in sentence(30, 10)
    assert sentence(100, 101) == "cpu of s0 rose from 100 to 101 (medians)."


@pytest.mark.parametrize(
    ("unit", "text"),
    [("%", "rose from 10 % to 30 %"), ("bytes", "rose from 10 to 30"), (None, "30")],
)
def test_units_are_printed_where_they_are_trusted(unit, text):
    assert text in sentence(10, 30, unit=unit)


@pytest.mark.parametrize("whole", [1, 100])
def test_a_success_rate_is_told_as_the_share_that_failed(whole):
    text = sentence(whole, 0.75 * whole, metric="success_rate")
    assert "failures by success_rate of s0 rose from 0 % to 25 %" in text


def test_each_column_is_cited_once_and_numbered_in_the_order_of_citation():
    told = claims(10, 30, columns=3)
    assert told.cite([2, 0]) == ("E1", "E2")
    assert told.cite([0, 1, 2]) == ("E2", "E3", "E1")
    assert [one.id for one in told.evidence] == ["E1", "E2", "E3"]
    assert [one.ref for one in told.evidence] == ["s2_cpu", "s0_cpu", "s1_cpu"]


def test_a_claim_is_about_the_anomalous_rows_of_its_source():
    told = claims(10, 30)
    told.cite([0])
    one = told.evidence[0]
    assert (one.kind, one.source) == ("metric", "metrics.csv")
    assert one.window.start == datetime.fromtimestamp(START + 5, UTC)
    assert one.window.end == datetime.fromtimestamp(START + 9, UTC)


def test_what_was_only_bridged_over_is_not_cited():
    told = claims(10, 30, seen=False)
    assert told.cite([0]) == ()
    assert told.evidence == ()
