"""The published baselines: what each looks at, and that none of them guesses or breaks."""

from datetime import UTC, datetime

import numpy as np
import pytest

from aiops import plugins
from aiops.analyze.baselines import Baro, Correlation, Naive, NSigma, Random
from aiops.errors import AnalysisFailed, UnknownName
from aiops.model import CaseData, Entity, MetricTable, Series, TelemetryWindow, Trigger

START = 1_700_000_000.0
SCORERS = [NSigma, Baro, Correlation, Naive]


def case(columns: dict[str, np.ndarray], *, at: float | None = 50, id: str = "c") -> CaseData:  # noqa: A002
    series = tuple(
        Series(Entity("service", name.partition("_")[0]), name.partition("_")[2], name)
        for name in columns
    )
    values = np.column_stack(list(columns.values()))
    table = MetricTable(START + np.arange(float(len(values))), values, series)
    start, end = (datetime.fromtimestamp(START + s, UTC) for s in (0, len(values)))
    alert = None if at is None else datetime.fromtimestamp(START + at, UTC)
    return CaseData(id, TelemetryWindow(start, end, metrics=table), Trigger(alert))


def calm(seed: int, rows: int = 100) -> np.ndarray:
    return np.random.default_rng(seed).normal(10, 1, rows)


def step(seed: int, size: float = 30.0) -> np.ndarray:
    column = calm(seed)
    column[50:] += size
    return column


def order(ranking) -> list[str]:
    return [f"{one.entity.name}_{one.indicator.name}" for one in ranking.suspects]


@pytest.mark.parametrize("method", SCORERS)
def test_the_column_that_stepped_at_the_alert_is_first(method):
    ranking = method().rank(case({"a_cpu": calm(1), "b_cpu": step(2), "c_cpu": calm(3)}))
    assert order(ranking)[0] == "b_cpu"
    assert ranking.verdict == "root_cause"


def test_scores_are_the_published_formulas():
    columns = {"a_cpu": step(1), "b_cpu": calm(2)}
    before, after = columns["a_cpu"][:50], columns["a_cpu"][50:]
    low, median, high = np.percentile(before, [25, 50, 75])
    wanted = {
        NSigma: (after.max() - before.mean()) / before.std(),
        Baro: (after.max() - median) / (high - low),
        Correlation: abs(np.corrcoef(columns["a_cpu"], np.arange(100) >= 50)[0, 1]),
        Naive: (np.median(after) - median) / (high - low),
    }
    for method, score in wanted.items():
        assert method().rank(case(columns)).suspects[0].score == pytest.approx(score)


def test_nsigma_and_baro_look_up_only_and_correlation_and_naive_both_ways():
    columns = {"a_cpu": step(1, size=-30), "b_cpu": calm(2)}
    firsts = {method: order(method().rank(case(columns)))[0] for method in SCORERS}
    assert firsts == {NSigma: "b_cpu", Baro: "b_cpu", Correlation: "a_cpu", Naive: "a_cpu"}


@pytest.mark.parametrize("method", [NSigma, Baro])
def test_columns_constant_on_one_side_are_dropped_as_in_the_package(method):
    flat = np.full(100, 3.0)
    half = calm(1)
    half[:50] = 3
    assert order(method().rank(case({"a_cpu": flat, "b_cpu": half, "c_cpu": calm(2)}))) == ["c_cpu"]


@pytest.mark.parametrize("at", [None, -10, 0, 100, 1e6])
def test_without_rows_on_both_sides_of_the_alert_the_first_quarter_is_the_baseline_and_said(at):
    ranking = NSigma().rank(case({"a_cpu": calm(1), "b_cpu": step(2)}, at=at))
    assert order(ranking)[0] == "b_cpu"
    assert ranking.notes == (
        "No rows on one side of the alert: the first quarter is the baseline.",
    )


@pytest.mark.parametrize("method", SCORERS)
def test_what_is_no_measurement_is_skipped_without_a_warning(method):
    odd = step(1)
    odd[[0, 60]] = [np.inf, np.finfo(float).max]
    odd[70] = np.nan
    columns = {"a_cpu": odd, "b_cpu": calm(2), "c_cpu": np.full(100, np.nan)}
    ranking = method().rank(case(columns))
    assert order(ranking) == ["a_cpu", "b_cpu"]
    assert np.isfinite([one.score for one in ranking.suspects]).all()


@pytest.mark.parametrize("method", [*SCORERS, Random])
def test_two_rows_are_ranked_and_fewer_are_refused(method):
    columns = {"a_cpu": calm(1, rows=2), "b_cpu": calm(2, rows=2)}
    ranking = method().rank(case(columns, at=1))
    assert len(ranking.suspects) <= 2
    with pytest.raises(AnalysisFailed, match="1 rows have no before and after; widen"):
        method().rank(case({"a_cpu": np.ones(1)}))


def test_random_is_a_shuffle_by_seed_and_case_that_no_order_of_columns_leaks_into():
    columns = {f"{name}_cpu": calm(i) for i, name in enumerate("abcdefgh")}
    backwards = dict(reversed(columns.items()))
    one = order(Random().rank(case(columns), seed=1))
    assert one == order(Random().rank(case(backwards), seed=1))
    assert one != order(Random().rank(case(columns), seed=2))
    assert one != order(Random().rank(case(columns, id="other"), seed=1))
    assert sorted(one) == sorted(columns)


def test_baselines_state_no_confidence_and_offer_no_parts():
    ranking = Baro().rank(case({"a_cpu": calm(1), "b_cpu": step(2)}))
    assert {one.confidence for one in ranking.suspects} == {0.0}
    with pytest.raises(UnknownName, match="unknown method 'baro/no-calls'"):
        plugins.analyzer("baro/no-calls")
