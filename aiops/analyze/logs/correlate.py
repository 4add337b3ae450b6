"""Which metrics move with a kind of line: the same trouble, seen by two witnesses.

Lines are counted over the intervals of the metric table and compared by rank (Spearman), so that
neither a burst nor a unit decides. It is corroboration for the report, never a score.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.analyze.wording import number, signal
from aiops.model import Evidence, MetricTable, Window
from aiops.model.telemetry import FloatArray

MIN_SAMPLES = 12
"""Samples of a metric that lie within the recorded lines: with fewer, ranks agree by chance."""
MIN_RANK_CORRELATION = 0.7
"""Spearman's rho from which two series are said to move together: half of the variance shared."""
MAX_P = 0.01
"""Probability of the best rho by chance, after counting how many columns were tried."""


@dataclass(frozen=True, slots=True)
class Companion:
    """A column that moves with a kind of line.

    Attributes:
        rho: rank correlation, -1 to 1.
        samples: over how many samples.
        p_value: two-sided, times the number of columns tried.
    """

    column: int
    rho: float
    samples: int
    p_value: float


def companion(
    line_times: FloatArray,
    recorded: tuple[float, float],
    metrics: MetricTable,
    service: str,
) -> Companion | None:
    """The column of ``service`` that moves most with lines written at ``line_times``.

    Args:
        line_times: unix seconds of the lines.
        recorded: from when to when lines were recorded; outside of it no count means nothing.

    Returns:
        None where too few samples lie within, or nothing moves with the lines.
    """
    low, high = np.searchsorted(metrics.times, recorded)
    if high - low < MIN_SAMPLES + 1:
        return None
    edges = metrics.times[low:high]
    counts = np.histogram(line_times, bins=edges)[0].astype(np.float64)
    mine = [i for i, one in enumerate(metrics.series) if one.entity.service_name == service]
    best: Companion | None = None
    for column in mine:
        # A sample stands for the interval that ends with it.
        values = metrics.values[low + 1 : high, column]
        known = np.isfinite(values)
        rho = _spearman(counts[known], values[known])
        if rho is None or abs(rho) < MIN_RANK_CORRELATION:
            continue
        n = int(known.sum())
        found = Companion(column, rho, n, min(1.0, _p_value(rho, n) * len(mine)))
        if found.p_value <= MAX_P and (best is None or abs(found.rho) > abs(best.rho)):
            best = found
    return best


def evidence_of(found: Companion, metrics: MetricTable, window: Window) -> Evidence:
    """What is said of it."""
    series = metrics.series[found.column]
    moves = "rises" if found.rho > 0 else "falls"
    return Evidence(
        "",
        "metric",
        f"{signal(series.metric, series.entity.name)} {moves} with these lines "
        f"(rank correlation {number(found.rho)} over {found.samples} samples)",
        metrics.source,
        window,
        series.column,
    )


def _spearman(a: FloatArray, b: FloatArray) -> float | None:
    if len(a) < MIN_SAMPLES or np.ptp(a) == 0 or np.ptp(b) == 0:
        return None
    return float(np.corrcoef(_ranks(a), _ranks(b))[0, 1])


def _ranks(values: FloatArray) -> npt.NDArray[np.float64]:
    _, place, sizes = np.unique(values, return_inverse=True, return_counts=True)
    ends = np.cumsum(sizes)
    return np.asarray((ends - (sizes - 1) / 2)[place], dtype=np.float64)


def _p_value(rho: float, n: int) -> float:
    from scipy.special import stdtr

    if abs(rho) >= 1:
        return 0.0
    t = abs(rho) * math.sqrt((n - 2) / (1 - rho * rho))
    return 2 * float(stdtr(n - 2, -t))
