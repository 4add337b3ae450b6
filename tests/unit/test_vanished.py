"""A service that stops reporting while others go on accuses itself."""

from dataclasses import replace

import numpy as np
import pytest

from aiops.analyze.fused import FusedRanker
from aiops.analyze.metric_reader import MetricReader
from aiops.model import CaseData, FaultType
from aiops_datasets.synthetic import plant
from aiops_datasets.worlds import World


def case(*stopped: int, columns: str = "", for_rows: int = 10_000, fault="healthy") -> CaseData:
    """A planted world in which the given services stop reporting from the onset on."""
    data = plant(World(7, minutes=5, interval_s=1, fault=fault)).data
    table = data.window.metrics
    names = sorted({one.entity.name for one in table.series})
    chosen = [
        one.entity.name in {names[i] for i in stopped} and one.metric.startswith(columns)
        for one in table.series
    ]
    values, onset = table.values.copy(), len(table.times) // 2
    values[onset : onset + for_rows, np.flatnonzero(chosen)] = np.nan
    return replace(data, window=replace(data.window, metrics=replace(table, values=values)))


def ranked(data: CaseData):
    return FusedRanker([MetricReader()]).rank(data)


def test_a_service_that_stops_reporting_is_the_cause_and_crashed():
    data = case(3)
    ranking = ranked(data)
    names = sorted({one.entity.name for one in data.window.metrics.series})
    assert ranking.verdict == "root_cause"
    assert ranking.suspects[0].entity.name == names[3]
    assert ranking.suspects[0].fault_types[0][0] is FaultType.CRASH
    assert "reports none of its" in ranking.evidence[0].claim


@pytest.mark.parametrize(
    "data",
    [
        case(3, columns="cpu"),  # it still reports the rest
        case(3, for_rows=40),  # it came back
        case(*range(5)),  # the collector stopped
    ],
    ids=["one metric", "back again", "most services"],
)
def test_what_is_no_service_that_is_gone_accuses_nobody(data):
    assert ranked(data).verdict == "healthy"


def test_gaps_as_long_as_usual_are_no_silence():
    data = case()
    table = data.window.metrics
    values = table.values.copy()
    own = [i for i, one in enumerate(table.series) if one.entity == table.series[0].entity]
    sparse = np.arange(len(values)) % 60 != 0
    values[np.ix_(sparse, own)] = np.nan
    window = replace(data.window, metrics=replace(table, values=values))
    assert ranked(replace(data, window=window)).verdict == "healthy"


def test_a_service_that_had_stopped_long_before_the_onset_is_history():
    data = case(fault="cpu")
    table = data.window.metrics
    first = ranked(data).suspects[0].entity
    other = next(one.entity for one in table.series if one.entity != first)
    values = np.where(np.arange(len(table.times)) < 50, 1.0, np.nan)[:, None] * table.values
    own = np.array([one.entity == other for one in table.series])
    kept = replace(table, values=np.where(own, values, table.values))
    data = replace(data, window=replace(data.window, metrics=kept))
    assert ranked(data).suspects[0].entity == first
    without = FusedRanker([MetricReader()]).without("vanished").rank(data)
    assert [s.entity for s in without.suspects] == [s.entity for s in ranked(data).suspects]
