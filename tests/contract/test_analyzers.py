"""Every registered analyzer keeps the promises of the port; the default also its own."""

import inspect
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

import numpy as np
import pytest

from aiops import plugins
from aiops.analyze.metric_scores import GUESSED_CONFIDENCE, PARTS
from aiops.app.evidence import resolve
from aiops.errors import AnalysisFailed
from aiops.model import CaseData, MetricTable, Ranking, Trigger
from aiops.ports.analyzer import Analyzer
from aiops_datasets.synthetic import FAULTS, World, plant

# Those of the optional extras have tests of their own, run with `make test-neural`.
OF_EXTRAS = {"neural_granger"}
NAMES = tuple(name for name in plugins.names("aiops.analyzers") if name not in OF_EXTRAS)
ABLATIONS = tuple(f"aiops/no-{part}" for part in PARTS)
FAULTY = tuple(fault for fault in FAULTS if fault != "healthy")
every_analyzer = pytest.mark.parametrize("name", NAMES)


def world(seed: int = 3, fault: str | None = "cpu", **spec: object) -> CaseData:
    return plant(World(seed, services=4, fault=fault, minutes=4.0, **spec)).data


def metrics_of(case: CaseData) -> MetricTable:
    assert case.window.metrics is not None
    return case.window.metrics


def with_metrics(case: CaseData, table: MetricTable | None) -> CaseData:
    return replace(case, window=replace(case.window, metrics=table))


def with_values(case: CaseData, change: Callable[[np.ndarray], None]) -> CaseData:
    values = metrics_of(case).values.copy()
    change(values)
    return with_metrics(case, replace(metrics_of(case), values=values))


def rows(case: CaseData, low: int, high: int) -> CaseData:
    table = metrics_of(case)
    return with_metrics(
        case, replace(table, times=table.times[low:high], values=table.values[low:high])
    )


def alerted(case: CaseData, seconds: float | None) -> CaseData:
    """The alert ``seconds`` after the first row, on nothing in particular."""
    first = float(metrics_of(case).times[0])
    at = None if seconds is None else datetime.fromtimestamp(first + seconds, UTC)
    return replace(case, trigger=Trigger(at))


def _odd_cells(values: np.ndarray) -> None:
    values[5, 0], values[150, 1], values[200, 2] = np.inf, -np.inf, np.finfo(float).max
    values[:, 3] = np.nan
    values[120:, 4] = np.nan
    values[:120, 5] = np.nan
    values[:, 6] = 42.0
    values[:, 7] *= 1e-300
    values[:, 8] *= 1e90
    values[:, 9] *= -1.0


def _gaps(values: np.ndarray) -> None:
    values[np.random.default_rng(0).random(values.shape) < 0.3] = np.nan


CASES: dict[str, Callable[[], CaseData]] = {
    "plain": world,
    "healthy": lambda: world(fault="healthy"),
    "counters": lambda: world(counters=True),
    "no graph": lambda: replace(world(), window=replace(world().window, graph=None)),
    "no alert": lambda: alerted(world(), None),
    "alert before the window": lambda: alerted(world(), -1e6),
    "alert at the first row": lambda: alerted(world(), 0),
    "alert at the last row": lambda: alerted(world(), 239),
    "alert after the window": lambda: alerted(world(), 1e6),
    "odd cells": lambda: with_values(world(), _odd_cells),
    "gaps": lambda: with_values(world(), _gaps),
    "two rows": lambda: rows(world(), 119, 121),
    "three rows": lambda: rows(world(), 119, 122),
    "twelve rows": lambda: rows(world(), 112, 124),
    "one column": lambda: with_metrics(world(), metrics_of(world()).take(np.array([0]))),
}
every_case = pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())


def ranked(name: str, case: CaseData, *, seed: int = 0) -> Ranking | None:
    """The ranking, or None where the method says that it cannot."""
    try:
        return plugins.analyzer(name).rank(case, seed=seed)
    except AnalysisFailed:
        return None


@cache
def answer(name: str, case: Callable[[], CaseData]) -> Ranking | None:
    return ranked(name, case())


def same_table(one: MetricTable, other: MetricTable) -> bool:
    return (
        one.series == other.series
        and np.array_equal(one.times, other.times)
        and np.array_equal(one.values, other.values, equal_nan=True)
    )


@every_analyzer
def test_it_fits_the_port_and_carries_the_name_it_is_registered_under(name):
    analyzer: Analyzer = plugins.analyzer(name)
    assert analyzer.name == name
    wanted, found = inspect.signature(Analyzer.rank), inspect.signature(type(analyzer).rank)
    assert list(found.parameters) == list(wanted.parameters)
    assert found.parameters["seed"].kind is inspect.Parameter.KEYWORD_ONLY
    assert found.parameters["seed"].default == 0


@every_case
@every_analyzer
def test_the_same_case_and_seed_give_the_same_ranking_for_any_order_of_columns(name, case):
    data = case()
    table = metrics_of(data)
    order = np.random.default_rng(1).permutation(len(table.series))
    assert ranked(name, data) == answer(name, case)
    assert ranked(name, with_metrics(data, table.take(order))) == answer(name, case)


@every_case
@every_analyzer
def test_the_case_is_left_as_it_was(name, case):
    data = case()
    before = metrics_of(case())
    metrics_of(data).values.flags.writeable = False
    metrics_of(data).times.flags.writeable = False
    ranked(name, data)
    assert same_table(metrics_of(data), before)


@every_case
@every_analyzer
def test_answers_are_well_formed(name, case):
    data, ranking = case(), answer(name, case)
    if ranking is None:
        assert metrics_of(data).times.size < 10 or len(metrics_of(data).series) == 1
        return
    known = {(one.entity, one.metric) for one in metrics_of(data).series}
    named = [(one.entity, one.indicator.name) for one in ranking.suspects]
    assert set(named) <= known
    assert len(set(named)) == len(named)
    assert np.isfinite([one.score for one in ranking.suspects]).all()
    assert all(0 <= one.confidence <= 1 for one in ranking.suspects)
    assert all(0 <= share <= 1 for one in ranking.suspects for _, share in one.fault_types)
    scores = [one.score for one in ranking.suspects]
    assert name == "granger_pagerank" or scores == sorted(scores, reverse=True)
    if ranking.onset is not None:
        assert data.window.start <= ranking.onset <= data.window.end


@every_case
@every_analyzer
def test_all_evidence_that_is_cited_exists_and_resolves(name, case):
    data, ranking = case(), answer(name, case)
    if ranking is None:
        return
    ids = [one.id for one in ranking.evidence]
    cited = {i for one in ranking.suspects for i in one.evidence}
    cited |= {i for edge in ranking.propagation for i in edge.evidence}
    assert len(set(ids)) == len(ids)
    assert cited == set(ids)
    for one in ranking.evidence:
        assert one.claim
        found = resolve(data, one)
        assert isinstance(found, MetricTable)


@every_analyzer
def test_a_case_without_metrics_fails_and_says_so(name):
    empty = replace(metrics_of(world()), values=np.empty((240, 0)), series=())
    for data in (with_metrics(world(), None), with_metrics(world(), empty)):
        with pytest.raises(AnalysisFailed, match="metrics"):
            plugins.analyzer(name).rank(data)


@pytest.mark.parametrize("count", [0, 1])
@every_analyzer
def test_under_two_rows_fail_and_the_message_says_what_to_do(name, count):
    with pytest.raises(AnalysisFailed, match=r"widen the window$") as failure:
        plugins.analyzer(name).rank(rows(world(), 0, count))
    assert "\n" not in str(failure.value)


@pytest.mark.parametrize("value", [0.0, 7.0, np.nan, np.inf])
@pytest.mark.parametrize("name", [name for name in NAMES if name not in {"random", "naive"}])
def test_telemetry_without_any_signal_accuses_nobody(name, value):
    flat = with_values(world(), lambda values: values.fill(value))
    ranking = ranked(name, flat)
    assert ranking is None or (ranking.verdict != "root_cause" and not ranking.suspects)


@pytest.mark.parametrize(("before", "after"), [(3, 30), (9, 30), (30, 5), (30, 9)])
def test_too_few_rows_on_a_side_are_scored_with_capped_confidence_and_a_note(before, after):
    ranking = plugins.analyzer("aiops").rank(rows(world(), 120 - before, 120 + after))
    assert ranking.suspects
    assert any("what metrics say is capped" in note for note in ranking.notes)
    cap = GUESSED_CONFIDENCE if before < 10 else 0.9
    assert max(one.confidence for one in ranking.suspects) <= cap


@pytest.mark.parametrize("fault", FAULTY)
def test_the_default_solves_planted_worlds(fault):
    solved = 0
    for seed in range(10):
        case = plant(World(seed, fault=fault))
        ranking = plugins.analyzer("aiops").rank(case.data)
        named = ranking.suspects[0].entity in case.answers.entities
        solved += named and ranking.verdict == "root_cause"
    # Traffic passes through: the services it reaches are busier than the one it entered by.
    assert solved >= (6 if fault == "traffic" else 9)


@pytest.mark.parametrize("seed", range(10))
def test_the_default_accuses_nobody_in_a_healthy_world(seed):
    case = plant(World(seed, fault="healthy"))
    assert plugins.analyzer("aiops").rank(case.data).verdict == "healthy"


@pytest.mark.parametrize("name", ABLATIONS)
def test_the_default_without_a_part_keeps_the_same_promises(name):
    data = CASES["odd cells"]()
    ranking = ranked(name, data)
    assert ranking is not None
    assert all(0 <= one.confidence <= 1 for one in ranking.suspects)
    for one in ranking.evidence:
        resolve(data, one)
