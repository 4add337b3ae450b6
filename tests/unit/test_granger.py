"""Granger for all pairs: what it finds, what it refuses to judge, and what it says it left out."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aiops.analyze.columns import bridge_gaps, standardize
from aiops.analyze.granger import benjamini_hochberg, granger
from aiops.errors import AnalysisFailed


def noise(rows: int = 400, columns: int = 4, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, columns))


def test_a_planted_cause_is_found_and_its_reverse_is_not():
    x = noise()
    x[3:, 1] += 0.6 * x[:-3, 0]
    result = granger(x, lag=3)
    assert result.q[0, 1] < 1e-10
    assert result.q[1, 0] > 0.05
    assert np.isnan(result.p[2, 2])
    assert not result.identifiable[2, 2]


def test_bic_gives_a_target_the_lag_at_which_its_cause_acts():
    x = noise(columns=12)
    x[5:, 1] += 0.6 * x[:-5, 0]
    result = granger(x, lag="bic")
    assert result.lags[1] == 5
    assert np.median(result.lags) == 1
    assert result.q[0, 1] < 1e-10


def test_aic_never_chooses_fewer_lags_than_bic():
    x = np.cumsum(noise(columns=8), axis=0)
    assert (granger(x, lag="aic").lags >= granger(x, lag="bic").lags).all()


def test_lags_are_cut_to_what_few_rows_can_carry():
    assert granger(noise(rows=14), lag="bic", max_lag=10).lags.max() <= 4


def test_independent_noise_gives_no_significant_pair_after_correction():
    result = granger(noise(columns=40), lag=2)
    assert (result.p < 0.05).sum() > 20  # as chance has it
    assert (result.q < 0.05).sum() == 0


def test_unusable_columns_are_dropped_and_listed_with_the_reason():
    x = noise(rows=100, columns=7)
    x[:, 1] = 3.0
    x[:, 2] = np.nan
    x[3:, 3] = np.nan
    x[:60, 4] = np.nan
    x[:, 5] = 1e9 + 1e-8 * x[:, 5]
    result = granger(x, lag=2)
    assert {d.column: d.reason for d in result.dropped} == {
        1: "constant",
        2: "no samples",
        3: "only 3 samples",
        4: "60 of 100 samples missing",
        5: "constant",
    }
    assert np.isnan(result.p[:, 1:6]).all()
    assert np.isnan(result.p[1:6, :]).all()
    assert result.lags.tolist() == [2, 0, 0, 0, 0, 0, 2]
    assert result.identifiable[0, 6]


def test_a_copy_a_scaled_copy_and_a_delayed_copy_are_not_identifiable():
    x = noise(columns=5)
    x[:, 1] = x[:, 0]
    x[:, 2] = 1e9 + 1.1 * x[:, 0]
    x[1:, 3] = x[:-1, 0]
    result = granger(x, lag=2)
    assert not result.identifiable[:3, :3].any()
    assert not result.identifiable[0, 3]
    assert not result.identifiable[3, 0]
    assert result.identifiable[4, :4].all()


def test_series_without_noise_are_not_identifiable():
    rows = np.arange(300.0)
    x = np.column_stack([rows, np.sin(rows / 7), noise(rows=300, columns=1)[:, 0]])
    result = granger(x, lag=4)
    assert not result.identifiable.any()


def test_a_perfect_fit_is_not_scored():
    x = noise(columns=2)
    x[1:, 1] = 2 * x[:-1, 0]
    assert not granger(x, lag=1).identifiable[0, 1]


def test_a_cause_that_leaves_almost_no_residual_still_counts():
    x = noise(columns=2)
    x[1:, 1] = 2 * x[:-1, 0] + 1e-5 * x[1:, 1]
    result = granger(x, lag=1)
    assert result.identifiable[0, 1]
    assert result.p[0, 1] == 0.0


def test_byte_sized_columns_give_the_figures_of_their_small_twins():
    small = np.round(1000 * np.cumsum(noise(), axis=0))  # integers: adding 4e9 loses nothing
    for lag in (1, 5, 10):
        assert np.allclose(
            granger(small + 4e9, lag=lag).f, granger(small, lag=lag).f, rtol=1e-7, equal_nan=True
        )


def test_the_figures_do_not_depend_on_scale_or_on_the_order_of_columns():
    x = np.cumsum(noise(columns=9), axis=0)
    plain = granger(x, lag="bic")
    order = np.random.default_rng(1).permutation(9)
    mixed = granger(x[:, order] * 10.0 ** np.arange(-4, 5), lag="bic")
    assert np.array_equal(mixed.lags, plain.lags[order])
    assert np.allclose(mixed.f, plain.f[np.ix_(order, order)], rtol=1e-8, equal_nan=True)


def test_gaps_are_bridged_by_straight_lines_and_ends_are_held():
    x = np.array([[np.nan], [1.0], [np.inf], [3.0], [np.nan]])
    assert bridge_gaps(x)[:, 0].tolist() == [1.0, 1.0, 2.0, 3.0, 3.0]
    assert np.isinf(x[2, 0])


def test_a_planted_cause_survives_fifteen_percent_of_gaps():
    x = noise(rows=600)
    x[1:, 1] += 0.8 * x[:-1, 0]
    x[np.random.default_rng(2).random(x.shape) < 0.15] = np.nan
    result = granger(x, lag=1)
    assert result.q[0, 1] < 1e-6


def test_too_few_rows_are_refused_and_the_message_says_how_many_are_needed():
    with pytest.raises(AnalysisFailed, match=r"16 rows cannot carry 5 lags; .* 17 rows"):
        granger(noise(rows=16), lag=5)
    assert granger(noise(rows=17), lag=5).identifiable.any()
    with pytest.raises(AnalysisFailed, match="4 rows cannot carry"):
        granger(noise(rows=4), lag="bic")


def test_a_lag_below_one_is_a_programming_error():
    with pytest.raises(ValueError, match="lags start at 1"):
        granger(noise(), lag=0)


def test_a_table_without_columns_gives_an_empty_result():
    assert granger(np.empty((50, 0)), lag=1).f.shape == (0, 0)


@given(arrays(float, st.integers(0, 30), elements=st.floats(0, 1)))
@settings(max_examples=60, deadline=None)
def test_corrected_p_values_are_those_of_scipy(p):
    from scipy.stats import false_discovery_control

    q = benjamini_hochberg(p)
    assert np.allclose(q, false_discovery_control(p) if p.size else p)
    with_gap = benjamini_hochberg(np.append(p, np.nan))
    assert np.isnan(with_gap[-1])
    assert np.allclose(with_gap[:-1], q)


WILD = st.one_of(
    st.sampled_from([0.0, 1.0, 1e9, np.nan, np.inf, -np.inf, 1e308, -1e308, 5e-324, 1e-300]),
    st.floats(-10, 10),
)


@given(arrays(float, st.tuples(st.integers(2, 30), st.integers(1, 5)), elements=WILD))
@settings(max_examples=150, deadline=None)
def test_any_table_is_judged_or_refused_never_a_crash(values):
    try:
        result = granger(values, lag="bic", max_lag=3)
    except AnalysisFailed:
        assert len(values) < 5
        return
    assert ((result.p >= 0) & (result.p <= 1))[result.identifiable].all()
    assert (result.q >= result.p)[result.identifiable].all()
    assert (result.f >= 0)[result.identifiable].all()
    kept = standardize(values).values
    assert np.allclose(kept.std(axis=0), 1)


def test_importing_the_causal_modules_loads_no_heavy_library():
    code = (
        "import sys, aiops.analyze.explain, aiops.analyze.granger_pagerank, "
        "aiops.analyze.impulse, aiops.analyze.stationarity, aiops.analyze.deep\n"
        "heavy = {'scipy', 'statsmodels', 'networkx', 'pandas'} & set(sys.modules)\n"
        "sys.exit(' '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
