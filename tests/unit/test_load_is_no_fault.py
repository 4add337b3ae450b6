"""A service that works more because it is asked more accuses nobody; one that works harder does."""

from dataclasses import replace

import numpy as np
import pytest

from aiops.analyze.ranker import ShiftRanker
from aiops.model import CaseData, Entity, MetricTable, Series, TelemetryWindow, Trigger
from aiops_datasets import clock

ROWS, ONSET = 240, 120
SERVICES = ("a", "b", "c", "d")


def grown(load: float, cpu: float, *, latency: float = 1.0, measured: bool = True) -> CaseData:
    """Four services whose load, CPU and latency are multiplied since the alert."""
    noise = np.random.default_rng(7)
    columns, series = [], []
    since = np.arange(ROWS) >= ONSET
    for name in SERVICES:
        for metric, level, factor in (
            ("requests", 100.0, load),
            ("cpu", 20.0, cpu),
            ("latency", 0.2, latency),
        ):
            if metric == "requests" and not (measured or name != "a"):
                continue
            column = level * np.where(since, factor, 1.0) * noise.normal(1.0, 0.02, ROWS)
            columns.append(column)
            series.append(Series(Entity("service", name), metric, f"{name}_{metric}"))
    times = 1_768_934_400.0 + 10.0 * np.arange(ROWS)
    window = TelemetryWindow(
        start=clock.moment(times[0]),
        end=clock.moment(times[-1]),
        metrics=MetricTable(times, np.column_stack(columns), tuple(series)),
    )
    return CaseData(id="c1", window=window, trigger=Trigger(clock.moment(times[ONSET])))


@pytest.mark.parametrize("measured", [True, False])
def test_cpu_that_grew_with_the_load_is_no_fault(measured: bool) -> None:
    found = ShiftRanker().rank(grown(1.4, 1.4, measured=measured))
    assert found.verdict != "root_cause"


def test_cpu_that_grew_much_more_than_the_load_is_one() -> None:
    assert ShiftRanker().rank(grown(1.4, 3.0)).verdict == "root_cause"


def test_a_surge_explains_no_more_than_the_headroom_that_services_have() -> None:
    assert ShiftRanker().rank(grown(4.0, 4.0)).verdict == "root_cause"


def test_slow_answers_under_load_are_trouble_all_the_same() -> None:
    assert ShiftRanker().rank(grown(1.4, 1.4, latency=5.0)).verdict == "root_cause"


def test_without_load_metrics_nothing_is_explained_by_them() -> None:
    case = grown(1.4, 1.4)
    table = case.window.metrics
    assert table is not None
    kept = [i for i, one in enumerate(table.series) if one.metric != "requests"]
    bare = replace(table, values=table.values[:, kept], series=tuple(table.series[i] for i in kept))
    assert ShiftRanker().rank(replace(case, window=replace(case.window, metrics=bare))).verdict == (
        "root_cause"
    )


def test_load_that_is_nothing_explains_nothing() -> None:
    case = grown(1.0, 3.0)
    table = case.window.metrics
    assert table is not None
    idle = [i for i, one in enumerate(table.series) if one.metric == "requests"]
    values = table.values.copy()
    values[:, idle] = 0.0
    values[0, idle] = 1.0  # not flat, or the columns would be left out
    window = replace(case.window, metrics=replace(table, values=values))
    assert ShiftRanker().rank(replace(case, window=window)).verdict == "root_cause"
