"""What the neural forecaster finds: `make test-neural`, in an environment with torch."""

import time

import numpy as np
import pytest

from aiops.analyze.columns import standardize
from aiops.analyze.granger import granger
from aiops.analyze.neural import forecaster, pretrain
from aiops.analyze.neural.forecaster import Fit, fit
from aiops.analyze.neural.significance import Edges, significant_edges
from aiops.errors import AnalysisFailed
from aiops_datasets.var_process import LaggedEdge, var_process

pytest.importorskip("torch", reason="torch is the [neural] extra; run `make test-neural`")

SEEDS = range(10)


def discover(values: np.ndarray, **options: object) -> tuple[Fit, Edges]:
    found = fit(standardize(values).values, **options)  # type: ignore[arg-type]
    edges = significant_edges(found.contributions, found.residuals, block=found.window)
    return found, edges


def f1(present: np.ndarray, truth: tuple[LaggedEdge, ...]) -> float:
    wanted = {(edge.source, edge.target) for edge in truth}
    found = {(int(s), int(t)) for s, t in np.argwhere(present) if s != t}
    return 2 * len(found & wanted) / (len(found) + len(wanted))


def test_edges_of_linear_processes_are_found_with_an_f1_of_eighty_five_and_at_their_lags():
    scores, on_lag = [], []
    for seed in SEEDS:
        values, truth = var_process(seed)
        found, edges = discover(values, seed=seed)
        scores.append(f1(edges.present, truth))
        on_lag += [found.lags[edge.source, edge.target] == edge.lag for edge in truth]
    print(f"\nedge F1 {np.mean(scores):.3f}, lags right {np.mean(on_lag):.3f}")  # noqa: T201
    assert np.mean(scores) >= 0.85
    assert np.mean(on_lag) >= 0.9


def test_edges_of_saturating_processes_are_found_at_least_as_well_as_by_linear_granger():
    neural, linear = [], []
    for seed in SEEDS:
        values, truth = var_process(seed, nonlinear=True)
        neural.append(f1(discover(values, seed=seed)[1].present, truth))
        linear.append(f1(granger(values, lag="bic").q < 0.05, truth))
    print(f"\nneural {np.mean(neural):.3f}, pairwise linear {np.mean(linear):.3f}")  # noqa: T201
    assert np.mean(neural) >= max(0.85, float(np.mean(linear)))


def test_a_cause_that_acts_by_its_square_is_seen_although_no_linear_test_can():
    seen, linear = 0, 0
    for seed in range(3):
        values = np.random.default_rng(seed).normal(size=(1000, 4))
        values[1:, 1] += 0.5 * (values[:-1, 0] ** 2 - 1)
        seen += int(discover(values, seed=seed)[1].present[0, 1])
        linear += int(granger(values, lag=3).q[0, 1] < 0.05)
    assert seen == 3
    assert linear <= 1


def test_independent_series_have_no_edges():
    values = np.random.default_rng(0).normal(size=(600, 12))
    for row in range(1, 600):
        values[row] += 0.9 * values[row - 1]
    assert discover(values)[1].present.sum() <= 2


def test_equal_seeds_give_equal_bits_and_other_seeds_do_not():
    values, _ = var_process(0, length=200)
    once, again, other = (discover(values, seed=seed)[0] for seed in (3, 3, 4))
    assert np.array_equal(once.contributions, again.contributions)
    assert np.array_equal(once.attention, again.attention)
    assert once.pretraining == again.pretraining
    assert not np.array_equal(once.contributions, other.contributions)


def test_the_order_of_the_columns_decides_no_edge():
    values, _ = var_process(1, length=500)
    order = np.array([5, 2, 7, 0, 1, 6, 3, 4])
    plain, moved = discover(values)[1], discover(values[:, order])[1]
    assert np.array_equal(plain.present[np.ix_(order, order)], moved.present)


def test_all_targets_are_trained_in_one_model():
    """RUN trains a model a target: eight times the targets would be eight times the passes."""
    values, _ = var_process(0, nodes=32, density=0.03, length=300)
    passes: dict[int, int] = {}
    for width in (4, 32):
        ticks: list[tuple[str, int, int]] = []
        found, _ = discover(values[:, :width], progress=lambda *tick, to=ticks: to.append(tick))
        passes[width] = sum(stage == "training" for stage, _, _ in ticks)
        assert found.attention.shape == (width, width)
    assert passes[32] < 4 * passes[4]


def test_progress_names_both_stages_and_counts_up():
    ticks: list[tuple[str, int, int]] = []
    values, _ = var_process(0, length=200)
    discover(values, progress=lambda *tick: ticks.append(tick))
    stages = [stage for stage, _, _ in ticks]
    assert stages[: pretrain.STEPS] == ["pretraining"] * pretrain.STEPS
    assert set(stages[pretrain.STEPS :]) == {"training"}
    assert [done for _, done, _ in ticks[pretrain.STEPS :]] == list(
        range(1, len(ticks) - pretrain.STEPS + 1)
    )


def test_training_stops_early_where_nothing_can_be_learnt():
    values = np.random.default_rng(0).normal(size=(300, 6))
    ticks: list[str] = []
    found, _ = discover(values, progress=lambda stage, *_: ticks.append(stage))
    assert found.epochs + 1 + forecaster.PATIENCE == ticks.count("training")
    assert ticks.count("training") < forecaster.MOST_EPOCHS
    assert found.loss == pytest.approx(1.0, abs=0.1)


def test_pretraining_makes_two_views_of_a_row_agree_without_making_all_rows_equal():
    values, _ = var_process(0, length=400)
    found, _ = discover(values)
    assert found.pretraining[-1] < found.pretraining[0] - 0.3
    # Not collapsed: the features still forecast as well as without that stage.
    plain, _ = discover(values, pretrained=False)
    assert plain.pretraining == ()
    assert found.loss < plain.loss + 0.02


def test_attention_is_a_softmax_and_leans_to_the_true_cause():
    values = np.random.default_rng(0).normal(size=(600, 5))
    values[1:, 3] += 0.8 * values[:-1, 1]
    found, _ = discover(values)
    assert found.attention.sum(axis=0) == pytest.approx(np.full(5, 5.0))
    assert found.attention[:, 3].argmax() == 1


def test_a_prior_sets_where_the_attention_starts():
    values = np.random.default_rng(0).normal(size=(100, 3))
    prior = np.array([[1.0, 1.0, 8.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]])
    leaning = fit(standardize(values).values, prior=prior).attention
    assert leaning[0, 2] > 1.5
    assert leaning[0, 1] < 1.2


def test_contributions_and_residuals_add_up_to_the_series():
    values = standardize(var_process(0, length=200)[0]).values
    found = fit(values)
    levels = values[found.window :] - found.residuals - found.contributions.sum(axis=1)
    folds = np.arange(len(levels)) * forecaster.FOLDS // len(levels)
    for fold in range(forecaster.FOLDS):
        assert np.ptp(levels[folds == fold], axis=0) == pytest.approx(np.zeros(8), abs=1e-5)


def test_too_few_rows_are_refused_with_the_number_needed():
    with pytest.raises(AnalysisFailed, match="39 rows hold no windows; widen the window to 40"):
        fit(np.zeros((39, 2)))


def test_numbers_that_are_none_are_refused_and_not_ranked():
    values = np.random.default_rng(0).normal(size=(60, 2))
    values[30, 0] = np.nan
    with pytest.raises(AnalysisFailed, match="the loss is no number"):
        fit(values)


def test_thirty_eight_metrics_of_six_hundred_rows_take_under_a_minute_of_processor_time():
    values, truth = var_process(0, nodes=38, density=0.03, length=600)
    began = time.process_time()
    _, edges = discover(values)
    assert time.process_time() - began <= 60
    assert f1(edges.present, truth) >= 0.85
