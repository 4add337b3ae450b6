"""Less idle, free or ready than usual is trouble; more is not."""

from datetime import UTC, datetime

import numpy as np
import pytest

from aiops.analyze.onset import Anomaly
from aiops.analyze.ranker import ShiftRanker
from aiops.analyze.shifts import kinds_of, measure
from aiops.model import CaseData, Entity, FaultType, MetricTable, Series, TelemetryWindow, Trigger

ROWS, ONSET = 120, 80


def utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def case(metric: str, before: float, after: float) -> CaseData:
    """Four services with one metric each, of which the first one's changes."""
    series = tuple(
        Series(Entity("service", name), metric, f"{name}_{metric}") for name in ("a", "b", "c", "d")
    )
    noise = 1 + 0.02 * np.random.default_rng(3).standard_normal((ROWS, 4))
    values = before * noise
    values[ONSET:, 0] *= after / before
    if before == round(before) and before < 10:
        values = np.round(values)
    times = np.arange(float(ROWS))
    window = TelemetryWindow(utc(0), utc(ROWS - 1), metrics=MetricTable(times, values, series))
    return CaseData("c", window, Trigger(utc(ONSET)))


@pytest.mark.parametrize(
    ("metric", "before", "after", "fault"),
    [
        ("cpu_idle", 90.0, 5.0, FaultType.CPU),
        ("memory_available_bytes", 8e9, 2e8, FaultType.MEMORY),
        ("disk_free_bytes", 5e10, 1e8, FaultType.DISK),
        ("cache_hit_ratio", 0.95, 0.2, FaultType.UNKNOWN),
        ("replicas_ready", 3.0, 0.0, FaultType.CRASH),
    ],
)
def test_what_runs_out_accuses_its_service(metric, before, after, fault):
    ranking = ShiftRanker().rank(case(metric, before, after))
    assert ranking.verdict == "root_cause" or metric == "cache_hit_ratio"
    assert ranking.suspects[0].entity.name == "a"
    assert ranking.suspects[0].fault_types[0][0] is fault
    assert " fell from " in ranking.evidence[0].claim


def test_more_replicas_than_usual_accuse_nobody():
    assert ShiftRanker().rank(case("replicas_ready", 2.0, 6.0)).verdict == "healthy"


def test_more_room_accuses_less_than_less_room():
    more, less = (ShiftRanker().rank(case("cpu_idle", 50.0, at)) for at in (90.0, 10.0))
    assert more.suspects[0].score < less.suspects[0].score


def test_one_replica_of_three_that_goes_is_no_root_cause_by_itself():
    assert ShiftRanker().rank(case("replicas_ready", 3.0, 2.0)).verdict == "healthy"


def test_a_fall_of_what_is_free_counts_as_a_rise_of_what_is_used():
    falling, rising = (
        measure(data.window.metrics.values, data.window.metrics.series,
                kinds_of(data.window.metrics.series), Anomaly(ONSET, ROWS, True))
        for data in (case("cpu_idle", 50, 10), case("cpu_busy", 50, 90))
    )  # fmt: skip
    assert falling.moved[0] < 0 < rising.moved[0]
    assert falling.material[0] == pytest.approx(rising.material[0], rel=0.1)
