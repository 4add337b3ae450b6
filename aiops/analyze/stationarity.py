"""Is a series stationary, how often must it be differenced, and does it repeat?

For the few suspects of an explanation, by statsmodels. The all-pairs ranker does not ask: it
differences every column once (see :mod:`aiops.analyze.granger_pagerank`), because a fault is a
level shift and two series that merely both shift would otherwise predict one another.
"""

import warnings
from dataclasses import dataclass

import numpy as np

from aiops.analyze.columns import bridge_gaps
from aiops.errors import AnalysisFailed
from aiops.model.telemetry import FloatArray

FEWEST_ROWS = 20  # below this neither test has power worth printing
MOST_DIFFERENCES = 2
FEWEST_PERIODS = 3
# Autocorrelation at a lag for it to be called a period.
PERIODIC = 0.5
NOISE_FLOOR = 1e-12  # range that is rounding, in a series whose largest value is 1


@dataclass(frozen=True, slots=True)
class Stationarity:
    """What two opposite tests say of a series, and the differencing that follows.

    Attributes:
        adf_p: p of "it has a unit root" (augmented Dickey-Fuller; Said and Dickey 1984) before
            differencing.
        kpss_p: p of "it is stationary around a level" (Kwiatkowski et al. 1992) before
            differencing; tabulated, so between .01 and .1.
        differences: times to difference until ADF rejects and KPSS does not, at most 2.
        stationary: whether that was reached.
    """

    adf_p: float
    kpss_p: float
    differences: int
    stationary: bool


@dataclass(frozen=True, slots=True, eq=False)
class Seasonality:
    """A series as trend + season + rest, (n,) each in its own unit (STL; Cleveland et al. 1990).

    Attributes:
        period: rows in one period.
        strength: share of the detrended variance the season explains, 0 to 1.
    """

    period: int
    strength: float
    trend: FloatArray
    season: FloatArray
    rest: FloatArray


def stationarity(values: FloatArray, *, alpha: float = 0.05) -> Stationarity:
    """Test one series, (n,), differencing it until both tests agree that it is stationary.

    Raises:
        AnalysisFailed: under 20 rows, or nothing varies.
    """
    series = _usable(values, "stationarity")
    first = _tests(series)
    verdict, differences = first, 0
    while not _passes(verdict, alpha) and differences < MOST_DIFFERENCES:
        series = np.diff(series)
        differences += 1
        if np.ptp(series) < NOISE_FLOOR:  # a straight line became a constant: stationary
            return Stationarity(*first, differences, stationary=True)
        verdict = _tests(series)
    return Stationarity(*first, differences, stationary=_passes(verdict, alpha))


def find_period(values: FloatArray) -> int | None:
    """Rows in one period of a series, (n,), or None where it does not repeat.

    The highest peak of the autocorrelation of the detrended series after it first falls below
    zero (before that, any slow series is like itself), where it reaches .5 and the window holds
    three periods or more.
    """
    series = _usable(values, "seasonality")
    rows = np.arange(series.size)
    series = series - np.polyval(np.polyfit(rows, series, 1), rows)
    power = np.abs(np.fft.rfft(series, 2 * series.size)) ** 2
    correlation = np.fft.irfft(power)[: series.size]
    if np.ptp(series) < NOISE_FLOOR:
        return None
    # Unbiased: each lag is divided by the number of products in it.
    correlation = correlation / correlation[0] * series.size / (series.size - rows)
    inner = correlation[1 : series.size // FEWEST_PERIODS + 2]
    peaks = 2 + np.flatnonzero((inner[1:-1] >= inner[:-2]) & (inner[1:-1] > inner[2:]))
    below = np.flatnonzero(inner < 0)
    peaks = peaks[(correlation[peaks] >= PERIODIC) & (peaks > below[0])] if below.size else below
    if peaks.size == 0:
        return None
    # The first of about equal peaks: the later ones are its multiples.
    return int(peaks[correlation[peaks] >= 0.9 * correlation[peaks].max()][0])


def seasonality(values: FloatArray) -> Seasonality | None:
    """Decompose one series, (n,), or None where no period is found.

    Raises:
        AnalysisFailed: under 20 rows, or nothing varies.
    """
    period = find_period(values)
    if period is None:
        return None
    from statsmodels.tsa.seasonal import STL

    series = bridge_gaps(values[:, None])[:, 0]
    level, scale = float(series.mean()), float(np.ptp(series))  # bytes fit as well as seconds
    fit = STL((series - level) / scale, period=period, robust=True).fit()
    trend, season, rest = (scale * np.asarray(p) for p in (fit.trend, fit.seasonal, fit.resid))
    trend += level
    # Strength as Hyndman and Athanasopoulos (Forecasting: principles and practice, 4.3) have it.
    strength = max(0.0, 1.0 - float(np.var(rest)) / max(float(np.var(season + rest)), 1e-300))
    return Seasonality(period, strength, trend, season, rest)


def _usable(values: FloatArray, asked: str) -> FloatArray:
    series: FloatArray = bridge_gaps(values[:, None])[:, 0]
    if series.size < FEWEST_ROWS:
        raise AnalysisFailed(
            f"{asked}: {series.size} rows are too few; widen the window to {FEWEST_ROWS} or more"
        )
    if np.isnan(series).all() or np.ptp(series) <= 4 * np.finfo(float).eps * np.abs(series).max():
        raise AnalysisFailed(f"{asked}: the series never varies; leave it out")
    centred = series - series.mean()
    scaled: FloatArray = centred / np.abs(centred).max()
    return scaled


def _tests(series: FloatArray) -> tuple[float, float]:
    from statsmodels.tsa.stattools import adfuller, kpss

    with warnings.catch_warnings():
        # Tables that end, tuples that will become objects, series without noise: none of them
        # changes what follows, since a NaN passes no test.
        warnings.simplefilter("ignore")
        return float(adfuller(series)[1]), float(kpss(series, nlags="auto")[1])


def _passes(verdict: tuple[float, float], alpha: float) -> bool:
    unit_root, level = verdict
    return unit_root < alpha <= level
