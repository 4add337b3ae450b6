"""What statsmodels says of a few series, and how it refuses what it cannot judge."""

import numpy as np
import pytest

from aiops.analyze.impulse import impulse_response
from aiops.analyze.stationarity import find_period, seasonality, stationarity
from aiops.errors import AnalysisFailed

NOISE = np.random.default_rng(0).normal(size=400)
ROWS = np.arange(400)


@pytest.mark.parametrize(
    ("series", "differences"),
    [
        (NOISE, 0),
        (1e9 + NOISE, 0),
        (np.cumsum(NOISE), 1),
        (np.cumsum(np.cumsum(NOISE)), 2),
        (NOISE + 10 * (ROWS > 200), 1),
        (3.0 * ROWS, 1),
    ],
    ids=["noise", "bytes", "walk", "integrated twice", "step", "line"],
)
def test_a_series_is_differenced_until_both_tests_agree(series, differences):
    verdict = stationarity(series)
    assert verdict.differences == differences
    assert verdict.stationary


def test_gaps_do_not_stop_the_tests():
    gappy = NOISE.copy()
    gappy[::7] = np.nan
    assert stationarity(gappy).differences == 0


@pytest.mark.parametrize("judge", [stationarity, find_period, seasonality])
def test_short_constant_and_empty_series_are_refused_in_one_line(judge):
    with pytest.raises(AnalysisFailed, match="19 rows are too few; widen the window to 20"):
        judge(NOISE[:19])
    for flat in (np.full(50, 1e9), np.full(50, np.nan)):
        with pytest.raises(AnalysisFailed, match="never varies; leave it out"):
            judge(flat)


def test_a_season_is_found_and_taken_apart():
    season = 3e6 * np.sin(2 * np.pi * ROWS / 24)
    series = 1e9 + season + 1e4 * ROWS + 3e5 * NOISE
    parts = seasonality(series)
    assert parts.period == 24
    assert parts.strength > 0.9
    assert np.corrcoef(parts.season, season)[0, 1] > 0.98
    assert np.allclose(parts.trend + parts.season + parts.rest, series)
    assert abs(parts.season.mean()) < 1e5


@pytest.mark.parametrize(
    "series",
    [NOISE, np.cumsum(NOISE), NOISE + 10 * (ROWS > 200), 2.0 * ROWS],
    ids=["noise", "walk", "step", "line"],
)
def test_what_does_not_repeat_has_no_period(series):
    assert find_period(series) is None
    assert seasonality(series) is None


def test_a_period_needs_three_repetitions_in_the_window():
    season = np.sin(2 * np.pi * ROWS / 150)
    assert find_period(season + 0.1 * NOISE) is None


def chain(rows: int = 400) -> np.ndarray:
    """0 drives 1 two rows later; 2 is apart."""
    x = np.random.default_rng(1).normal(size=(rows, 3))
    x[2:, 1] += 2.0 * x[:-2, 0]
    return x


def test_a_shock_travels_along_the_chain_with_its_delay_and_not_back():
    response = impulse_response(chain(), horizon=6)
    assert response.stable
    assert np.argmax(np.abs(response.responses[:, 1, 0])) == 2
    assert response.shares[1, 0] > 0.6
    assert response.shares[0, 1] < 0.05
    assert response.shares[2, 0] < 0.05
    assert np.allclose(response.shares.sum(axis=1), 1)


def test_white_noise_still_gets_a_model_of_one_lag():
    assert impulse_response(np.random.default_rng(3).normal(size=(200, 2))).lags == 1


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (chain()[:, :1], "1 series; choose between 2 and 6"),
        (np.tile(chain(), 3), "9 series; choose between 2 and 6"),
        (chain(9), "9 rows are too few for 3 series"),
        (chain() * [1, 0, 1], r"series 1 cannot be used \(constant\)"),
        (chain()[:, [0, 1, 0]], "repeat one another"),
        (np.column_stack([chain(), chain().sum(axis=1)]), "repeat one another"),
    ],
)
def test_what_cannot_be_modelled_is_refused_in_one_line(values, reason):
    with pytest.raises(AnalysisFailed, match=reason):
        impulse_response(values)
