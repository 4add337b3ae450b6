"""The oracle: statsmodels' ``grangercausalitytests``, pair by pair, on z-scored designs.

Promised in notes/measures: F within a relative 1e-6, p within 1e-9.
"""

import gzip
import os
from pathlib import Path

import numpy as np
import pytest

from aiops.analyze.columns import standardize
from aiops.analyze.granger import granger

ROWS = 300


def white(rng: np.random.Generator) -> np.ndarray:
    return rng.normal(size=(ROWS, 5))


def autoregressive(rng: np.random.Generator) -> np.ndarray:
    x = rng.normal(size=(ROWS, 5))
    for t in range(2, ROWS):
        x[t] += 0.5 * x[t - 1] - 0.3 * x[t - 2]
        x[t, 1] += 0.4 * x[t - 2, 0]
    return x


def walks(rng: np.random.Generator) -> np.ndarray:
    return np.cumsum(rng.normal(size=(ROWS, 5)), axis=0)


def smooth(rng: np.random.Generator) -> np.ndarray:
    """Twice integrated: the lags of each column are nearly collinear."""
    return np.cumsum(walks(rng), axis=0)


def telemetry(rng: np.random.Generator) -> np.ndarray:
    """Bytes with a leak, a stepped CPU share, rounded latencies, a seasonal rate, idle zeros."""
    rows = np.arange(ROWS)
    fault = rows >= 200
    return np.column_stack(
        [
            3.2e8 + np.round(4096 * np.cumsum(rng.exponential(size=ROWS) * (1 + 30 * fault))),
            np.where(fault, 95, 2) + rng.gamma(2, 0.3, ROWS),
            np.round(0.02 + 0.2 * fault + 0.004 * rng.exponential(size=ROWS), 4),
            50 + 10 * np.sin(rows / 9) + rng.poisson(4, ROWS),
            rng.binomial(1, 0.1, ROWS) * rng.random(ROWS),
        ]
    )


def near_copies(rng: np.random.Generator) -> np.ndarray:
    """Columns that differ by a thousandth: the shared directions lose half their digits."""
    x = rng.normal(size=(ROWS, 5))
    x[:, 1] = x[:, 0] + 1e-3 * x[:, 1]
    x[1:, 2] = x[:-1, 0] + 1e-4 * x[1:, 2]
    return x


def assert_same(values: np.ndarray, lag: int) -> None:
    from statsmodels.tsa.stattools import grangercausalitytests

    z = standardize(values).values
    ours = granger(values, lag=lag)
    for source in range(z.shape[1]):
        for target in range(z.shape[1]):
            if source == target:
                continue
            f, p, freedom, _ = grangercausalitytests(z[:, [target, source]], [lag])[lag][0][
                "ssr_ftest"
            ]
            assert freedom == len(z) - 3 * lag - 1
            # statsmodels subtracts two sums of squares: below 1e-4 its own F has no six digits.
            assert ours.f[source, target] == pytest.approx(f, rel=1e-6, abs=1e-10)
            assert ours.p[source, target] == pytest.approx(p, rel=0, abs=1e-9)


@pytest.mark.parametrize("lag", range(1, 11))
@pytest.mark.parametrize("series", [white, autoregressive, walks, smooth, telemetry, near_copies])
def test_f_and_p_are_those_of_statsmodels(series, lag):
    assert_same(series(np.random.default_rng(lag)), lag)


def test_f_and_p_are_those_of_statsmodels_on_the_fewest_rows_it_takes():
    rng = np.random.default_rng(0)
    for lag in (1, 3):
        assert_same(rng.normal(size=(3 * lag + 2, 4)), lag)


def test_what_statsmodels_refuses_as_constant_or_perfect_is_not_identifiable_here():
    from statsmodels.tools.sm_exceptions import InfeasibleTestError
    from statsmodels.tsa.stattools import grangercausalitytests

    x = np.random.default_rng(0).normal(size=(100, 3))
    x[:, 1] = 7.0
    x[1:, 2] = 3 * x[:-1, 0]
    for source, target in [(1, 0), (0, 2)]:
        with pytest.raises(InfeasibleTestError):
            grangercausalitytests(x[:, [target, source]], [1])
        assert not granger(x, lag=1).identifiable[source, target]


def test_f_and_p_are_those_of_statsmodels_on_recorded_telemetry():
    root = Path(os.environ.get("AIOPS_DATASETS", "../shared/datasets"))
    files = sorted(root.glob("rcd-*/*/metrics.csv.gz"))[:2]
    if not files:
        pytest.skip(f"no recorded cases below {root}; set AIOPS_DATASETS")
    for file in files:
        with gzip.open(file, "rt") as lines:
            values = np.genfromtxt(lines, delimiter=",", skip_header=1)[:, 1:]
        some = values[:, np.flatnonzero(granger(values, lag=5).identifiable.any(axis=0))][:, ::6]
        assert some.shape[1] >= 5
        for lag in (1, 5):
            assert_same(some, lag)
