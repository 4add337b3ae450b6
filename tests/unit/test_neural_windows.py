"""Windows of the past: decomposed along time, and cropped twice for the contrastive stage."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiops.analyze.neural.windows import (
    FEWEST_ROWS,
    WINDOW,
    decompose,
    nearness,
    past_windows,
    random_crops,
    trend_operator,
    window_length,
)


def noise(rows: int = 60, columns: int = 3, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(rows, columns))


def test_a_window_holds_the_rows_before_the_one_to_forecast_and_not_that_row():
    values = np.arange(10.0)[:, None] * [1, 100]
    windows = past_windows(values, 4)
    assert windows.shape == (6, 2, 4)
    assert windows[0, 0].tolist() == [0, 1, 2, 3]
    assert windows[5, 1].tolist() == [500, 600, 700, 800]


def test_the_trend_runs_along_time_and_never_across_columns():
    """RUN's reference smooths across channels: there a loud neighbour changes a quiet trend."""
    quiet, loud = noise(columns=3), noise(columns=3)
    loud[:, [0, 2]] = 1e6
    trends = [decompose(past_windows(values, 16))[:, 1, :16] for values in (quiet, loud)]
    np.testing.assert_allclose(trends[0], trends[1], atol=1e-12)


def test_reordering_the_columns_reorders_the_decomposition_and_changes_nothing_else():
    values, order = noise(columns=5), [3, 0, 4, 2, 1]
    moved, whole = (decompose(past_windows(v, 8)) for v in (values[:, order], values))
    np.testing.assert_allclose(moved, whole[:, order], atol=1e-12)


def test_the_trend_is_the_centred_mean_with_the_ends_held():
    operator = trend_operator(9, kernel=5)
    window = np.arange(9.0) ** 2
    assert operator[4] @ window == pytest.approx(window[2:7].mean())
    assert operator[0] @ window == pytest.approx((3 * window[0] + window[1] + window[2]) / 5)


@settings(max_examples=60, deadline=None)
@given(length=st.integers(1, 40), kernel=st.integers(1, 60), level=st.floats(-1e3, 1e3))
def test_a_level_is_all_trend_and_trend_plus_rest_is_the_window(length, kernel, level):
    assert trend_operator(length, kernel).sum(axis=1) == pytest.approx(np.ones(length))
    window = noise(length, 1)[:, 0] + level
    parts = decompose(window)
    assert parts[:length] + parts[length:] == pytest.approx(window)


def test_the_newest_row_counts_fully_and_older_ones_fade():
    scale = nearness(4, 1.0)
    assert scale.tolist() == [0.25, 1 / 3, 0.5, 1, 0.25, 1 / 3, 0.5, 1]


def test_short_tables_get_short_windows_and_the_shortest_none():
    assert window_length(10_000) == WINDOW
    assert window_length(100) == 10
    assert window_length(FEWEST_ROWS) == 4
    assert window_length(FEWEST_ROWS - 1) == 0


@settings(max_examples=100, deadline=None)
@given(rows=st.integers(FEWEST_ROWS, 900), seed=st.integers(0, 2**32 - 1))
def test_both_crops_show_the_same_timestamps_and_only_their_own_past(rows, seed):
    length = window_length(rows)
    first, second = random_crops(rows, length, 5, np.random.default_rng(seed))
    assert first.shape == second.shape
    assert first.shape[::2] == (5, length)
    assert np.array_equal(first[:, :, -1], second[:, :, -1])  # windows end at the same rows
    assert first.min() >= 0
    assert second.max() < rows
    assert (second >= first).all()  # the later crop sees less of the past
    assert (second[:, 0] == second[:, 0, -1:]).all()  # at its first row, nothing but that row
    assert (first[:, 0, 0] < second[:, 0, 0]).all()
