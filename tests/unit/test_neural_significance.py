"""Block-permutation significance: exact moments, calm under noise, sure of what is planted."""

from itertools import permutations

import numpy as np
import pytest

from aiops.analyze.neural.significance import (
    distinct,
    permutation_z,
    significant_edges,
    weighted,
)


def draw(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape)


def walks(*shape: int, memory: float = 0.9, seed: int = 0) -> np.ndarray:
    """Autoregressions; at .9 they remember for about ten rows."""
    values = draw(*shape, seed=seed)
    for row in range(1, shape[0]):
        values[row] += memory * values[row - 1]
    return values


def test_mean_and_spread_are_those_of_every_permutation_of_the_blocks():
    left, contribution = draw(5 * 3), draw(5 * 3, seed=1) + 0.5
    blocks = contribution.reshape(5, 3)
    every = np.array([left @ blocks[list(order)].ravel() for order in permutations(range(5))])
    expected = (left @ contribution - every.mean()) / every.std()
    assert permutation_z(left, contribution, 3) == pytest.approx(expected)


def test_rows_that_fill_no_block_are_left_out_from_the_front():
    left, contribution = draw(20), draw(20, seed=1)
    assert permutation_z(left, contribution, 6) == permutation_z(left[2:], contribution[2:], 6)


def test_a_contribution_that_fits_its_own_time_is_an_edge():
    contributions, cause = 0.05 * draw(600, 4, 4, seed=1), draw(600, seed=2)
    contributions[:, 1, 3] = 0.3 * cause
    target = draw(600, 4)
    target[:, 3] += 0.4 * cause
    edges = significant_edges(contributions, target - contributions.sum(axis=1), block=32)
    assert np.argwhere(edges.present).tolist() == [[1, 3]]
    assert edges.gain[1, 3] == pytest.approx(0.15, abs=0.04)  # 1.16 without it, 1.01 with it
    assert np.isnan(np.diag(edges.p)).all()


def test_unrelated_series_reach_the_five_percent_mark_five_percent_of_the_time():
    z = permutation_z(walks(640, 1500, memory=0.6), walks(640, 1500, memory=0.6, seed=1), 32)
    assert (z > 1.729).mean() == pytest.approx(0.05, abs=0.015)  # Student, 19 degrees
    assert (z > 3.579).mean() < 0.004  # .001


def test_contributions_of_no_use_are_no_edges():
    found = 0
    for seed in range(10):
        contributions = walks(320, 6, 6, memory=0.6, seed=seed)
        residuals = walks(320, 6, memory=0.6, seed=50 + seed) - contributions.sum(axis=1)
        found += int(significant_edges(contributions, residuals, block=32).present.sum())
    assert found <= 3  # of 300 pairs


def test_moving_single_rows_would_call_smooth_noise_significant():
    """Why blocks: autocorrelated series that have nothing to do with one another."""
    left, other = walks(320, 300), walks(320, 300, seed=1)
    assert (permutation_z(left, other, 32) > 1.645).mean() < 0.1
    assert (permutation_z(left, other, 1) > 1.645).mean() > 0.2


def test_a_source_that_contributes_nothing_is_no_edge_and_no_warning():
    edges = significant_edges(np.zeros((64, 2, 2)), draw(64, 2), block=8)
    assert not edges.present.any()
    assert edges.z.tolist() == [[0, 0], [0, 0]]


def test_a_target_without_error_does_not_divide_by_zero():
    edges = significant_edges(draw(64, 2, 2), np.zeros((64, 2)), block=8)
    assert np.isfinite(edges.gain).all()


def test_wide_tables_are_tested_in_parts_with_the_same_result(monkeypatch):
    contributions, residuals = draw(96, 7, 7), draw(96, 7, seed=1)
    whole = significant_edges(contributions, residuals, block=8)
    monkeypatch.setattr("aiops.analyze.neural.significance._CHUNK", 96 * 7 * 2)
    parts = significant_edges(contributions, residuals, block=8)
    assert np.array_equal(whole.z, parts.z)
    assert np.array_equal(whole.present, parts.present)


def test_fewer_than_two_blocks_are_refused():
    with pytest.raises(ValueError, match="15 rows hold no two blocks of 8"):
        significant_edges(draw(15, 2, 2), draw(15, 2), block=8)


def test_a_likelier_edge_needs_less_proof_and_an_unlikelier_one_more():
    p = np.array([[np.nan, 0.02], [0.02, np.nan]])
    prior = np.array([[9.0, 3.0], [1.0, 9.0]])
    assert weighted(p, prior)[0, 1] == pytest.approx(0.02 / 1.5)
    assert weighted(p, prior)[1, 0] == pytest.approx(0.02 / 0.5)
    assert weighted(p, None) is p
    assert np.nanmax(weighted(np.where(np.isnan(p), p, 0.9), prior)) == 1.0


def test_two_names_of_one_signal_are_not_told_apart_and_not_tested():
    values = draw(200, 3)
    values[:, 2] = -2.0 * values[:, 0] + 1e-4 * values[:, 1]
    values = (values - values.mean(axis=0)) / values.std(axis=0)
    apart = distinct(values)
    assert np.argwhere(~apart).tolist() == [[0, 0], [0, 2], [1, 1], [2, 0], [2, 2]]
    edges = significant_edges(draw(200, 3, 3), draw(200, 3), block=20, testable=apart)
    assert np.isnan(edges.q[0, 2])
    assert not edges.present[0, 2]
