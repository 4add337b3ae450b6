"""What comes and goes is seen, and what heavy tails do is not."""

import numpy as np
import pytest

from aiops.analyze.bursts import mean_rise
from aiops.analyze.metric_scores import ALL_PARTS, score
from aiops.analyze.onset import Anomaly
from aiops.analyze.ranker import ShiftRanker
from aiops.model import CaseData, Entity, MetricTable, Series, TelemetryWindow, Trigger
from aiops.model.telemetry import FloatArray
from aiops_datasets import clock

ROWS, ONSET, HIGH = 240, 120, 60.0
DURING = Anomaly(ONSET, ROWS, found=True)


def calm(columns: int = 1, seed: int = 0) -> FloatArray:
    noise = np.random.default_rng(seed).normal(0.0, 1.0, (ROWS, columns))
    return np.asarray(20.0 + noise)


def coming_and_going(period: int, length: int) -> FloatArray:
    column = calm()
    for start in range(ONSET, ROWS, period):
        column[start : start + length] += HIGH
    return column


@pytest.mark.parametrize(("period", "length"), [(30, 6), (30, 15), (120, 30)])
def test_a_burst_counts_by_what_it_adds_to_the_mean(period: int, length: int) -> None:
    rise = mean_rise(coming_and_going(period, length), DURING)
    assert rise == pytest.approx(HIGH * length / period, rel=0.1)


def test_single_high_rows_are_no_burst() -> None:
    assert mean_rise(coming_and_going(8, 1), DURING) == 0.0


def test_a_few_high_rows_are_no_burst() -> None:
    assert mean_rise(coming_and_going(120, 8), DURING) == 0.0


@pytest.mark.parametrize("seed", range(5))
def test_noise_is_no_burst(seed: int) -> None:
    assert not mean_rise(calm(50, seed), DURING).any()


def test_without_a_baseline_nobody_knows_what_is_high() -> None:
    assert mean_rise(coming_and_going(30, 15), Anomaly(10, ROWS, found=True)) == 0.0


def flapping() -> CaseData:
    """Five services; the CPU of the third is high for a third of the time since the alert."""
    values = calm(5)
    values[:, 2] = coming_and_going(30, 10)[:, 0]
    series = tuple(
        Series(Entity("service", name), "cpu", f"{name}_cpu") for name in ("a", "b", "c", "d", "e")
    )
    times = 1_768_934_400.0 + 10.0 * np.arange(ROWS)
    window = TelemetryWindow(
        start=clock.moment(times[0]),
        end=clock.moment(times[-1]),
        metrics=MetricTable(times, values, series),
    )
    return CaseData(id="c1", window=window, trigger=Trigger(clock.moment(times[ONSET])))


def test_a_service_that_flaps_is_found_by_its_bursts_alone() -> None:
    found = ShiftRanker().rank(flapping())
    assert (found.verdict, found.suspects[0].entity.name) == ("root_cause", "c")
    without = ShiftRanker().without("bursts").rank(flapping())
    assert without.verdict != "root_cause"


def test_bursts_are_asked_only_where_nothing_moved_for_good() -> None:
    values = flapping().window.metrics
    assert values is not None
    stepped = values.values.copy()
    stepped[ONSET:, 0] += 30.0
    case = flapping()
    window = TelemetryWindow(
        start=case.window.start,
        end=case.window.end,
        metrics=MetricTable(values.times, stepped, values.series),
    )
    scored = score(CaseData(id="c2", window=window, trigger=case.trigger), ALL_PARTS)
    columns = [one.entity.name for one in scored.table.series]
    assert scored.shifts.material[columns.index("a")] > 5
    assert abs(scored.shifts.material[columns.index("c")]) < 2
