"""A surge of load is its first unexplained step's."""

import numpy as np
import pytest

from aiops.analyze.fused import FusedRanker
from aiops.analyze.metric_reader import MetricReader
from aiops.analyze.onset import Anomaly
from aiops.analyze.shifts import kinds_of, measure
from aiops.analyze.suspicion import services_of
from aiops.analyze.traffic import surge_first
from aiops.model import Call, Entity, FaultType, Series, ServiceGraph
from aiops_datasets.synthetic import plant
from aiops_datasets.worlds import World

FRONT, SHOP, STORE = (Entity("service", name) for name in ("front", "shop", "store"))
CHAIN = ServiceGraph((FRONT, SHOP, STORE), (Call(FRONT, SHOP), Call(SHOP, STORE)))
ROWS = 60


def suspects(levels, graph=CHAIN):
    """(entity, metric) by score; every column scores 1 before. ``levels``: before, after."""
    series = tuple(Series(e, metric, f"{e.name}_{metric}") for e, metric in levels)
    noise = 1 + 0.02 * np.random.default_rng(1).standard_normal((ROWS, len(series)))
    half = np.arange(ROWS)[:, None] < ROWS // 2
    low, high = np.array(list(levels.values())).T
    values = noise * np.where(half, low, high)
    shifts = measure(values, series, kinds_of(series), Anomaly(ROWS // 2, ROWS, True))
    score = surge_first(np.ones(len(series)), series, shifts, services_of(series), graph)
    return {(one.entity, one.metric): s for one, s in zip(series, score, strict=True)}


def test_load_that_grows_with_its_callers_load_is_theirs():
    score = suspects({(SHOP, "request_rate"): (10, 30), (STORE, "request_rate"): (20, 60)})
    assert score[STORE, "request_rate"] < 0.2 < score[SHOP, "request_rate"]


def test_a_step_of_load_that_no_caller_made_is_the_services_own():
    score = suspects({(FRONT, "request_rate"): (10, 10), (SHOP, "request_rate"): (10, 30)})
    assert score[SHOP, "request_rate"] == pytest.approx(1.0)


def test_a_caller_whose_load_is_not_recorded_passes_its_callers_load_on():
    score = suspects({(FRONT, "request_rate"): (10, 30), (STORE, "request_rate"): (20, 60)})
    assert score[STORE, "request_rate"] < 0.2


def test_resources_in_proportion_to_the_load_are_the_surges():
    score = suspects({(SHOP, "request_rate"): (10, 30), (STORE, "request_rate"): (20, 60),
                      (STORE, "cpu"): (5, 14)})  # fmt: skip
    assert score[STORE, "cpu"] < 0.2
    assert score[SHOP, "request_rate"] > score[STORE, "cpu"]


def test_resources_far_beyond_the_load_stay_suspicious():
    score = suspects({(SHOP, "request_rate"): (10, 20), (SHOP, "cpu"): (5, 90)})
    assert score[SHOP, "cpu"] > 0.8


def test_a_cycle_of_calls_does_not_hang():
    loop = ServiceGraph((SHOP, STORE), (Call(SHOP, STORE), Call(STORE, SHOP)))
    score = suspects({(SHOP, "request_rate"): (10, 40), (STORE, "request_rate"): (20, 60)}, loop)
    assert score[SHOP, "request_rate"] > score[STORE, "request_rate"]


@pytest.mark.parametrize("counters", [False, True])
def test_the_entry_of_a_planted_surge_is_found_and_named(counters):
    case = plant(World(5012, fault="traffic", counters=counters))
    first = FusedRanker([MetricReader()]).rank(case.data).suspects[0]
    assert first.entity in case.answers.entities
    assert first.fault_types[0][0] is FaultType.TRAFFIC
