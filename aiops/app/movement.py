"""Which series moved at the onset, from what to what, and when each began.

This does not rank causes (analyzers do): it measures, in the series' own units, what the report
says about them.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from aiops.analyze.units import trusted_units
from aiops.model import CaseData, MetricTable, Series, Window
from aiops.model.telemetry import FloatArray

# A shift of three robust spreads is beyond what a quiet series does in a window of minutes.
NOTABLE = 3.0
# Medians and quantiles of 512 rows are as good as those of 7,200, and 14 times cheaper.
_ROWS = 512
_SUSTAINED = 3


@dataclass(frozen=True, slots=True)
class Movement:
    """How one series differs after the onset from before.

    Attributes:
        unit: symbol of the series' unit where it is trusted, None where unknown.
        source: the table's name, for evidence.
        before, after: medians on either side of the onset, in the series' unit.
        low, high: 5th and 95th percentile before the onset: the baseline band.
        size: the shift in robust spreads: |after - before| over the largest of IQR / 1.349,
            1.4826 MAD, half a standard deviation and 5 % of the level; 1,000 at most.
        began: when the series left its baseline for good; None where it did not.
        window: what was compared.
    """

    series: Series
    unit: str | None
    source: str
    before: float
    after: float
    low: float
    high: float
    size: float
    began: datetime | None
    window: Window

    @property
    def notable(self) -> bool:
        """Whether the shift is beyond usual variation."""
        return self.size >= NOTABLE

    @property
    def verb(self) -> str:
        """ "rose" or "fell"."""
        return "rose" if self.after >= self.before else "fell"


def movements(case: CaseData, onset: datetime | None) -> tuple[Movement, ...]:
    """Every series of the window's metrics, compared before and after ``onset``, largest first.

    The reference recording is the baseline where the window holds fewer than two rows before
    the onset. Empty where there are no metrics, no onset, or nothing on one of the sides.
    """
    table = case.window.metrics
    if table is None or onset is None or not table.series:
        return ()
    pivot = onset.timestamp()
    split = int(np.searchsorted(table.times, pivot))
    before, after = table.values[:split], table.values[split:]
    reference = case.window.reference
    columns = table.series
    if len(before) < 2 and reference is not None and reference.metrics is not None:
        before = _aligned(reference.metrics, table)
    if len(before) < 1 or len(after) < 1:
        return ()
    before, after = _thinned(before), _thinned(after)
    low, lower, level, upper, high = _quantiles(before, (5, 25, 50, 75, 95))
    (settled,) = _quantiles(after, (50,))
    spread = _spread(before, level, upper - lower, settled)
    sizes = np.abs(settled - level) / spread
    units = [unit.symbol if unit is not None else None for unit in trusted_units(columns)]
    window = Window(_utc(table.times[0]), _utc(table.times[-1]))
    found = [
        Movement(
            series,
            units[i],
            table.source,
            float(level[i]),
            float(settled[i]),
            float(low[i]),
            float(high[i]),
            float(sizes[i]),
            _began(table, i, pivot, float(level[i]), float(settled[i]), (low[i], high[i]))
            if sizes[i] >= NOTABLE
            else None,
            window,
        )
        for i, series in enumerate(columns)
        if np.isfinite(sizes[i])
    ]
    return tuple(sorted(found, key=lambda each: (-each.size, each.series.column)))


def _aligned(reference: MetricTable, table: MetricTable) -> FloatArray:
    """The reference's values in the table's column order; NaN where it has no such column."""
    place = {series.column: i for i, series in enumerate(reference.series)}
    values = np.full((len(reference.times), len(table.series)), np.nan)
    for column, series in enumerate(table.series):
        if series.column in place:
            values[:, column] = reference.values[:, place[series.column]]
    return values


def _thinned(values: FloatArray) -> FloatArray:
    return values[:: max(1, -(-len(values) // _ROWS))]


def _quantiles(values: FloatArray, shares: tuple[int, ...]) -> list[FloatArray]:
    """Percentiles down each column without its NaNs; NaN for a column that has nothing else."""
    result = np.full((len(shares), values.shape[1]), np.nan)
    present = np.isfinite(values)
    full = present.all(axis=0)
    if full.any():
        result[:, full] = np.percentile(values[:, full], shares, axis=0)
    for column in np.flatnonzero(~full & present.any(axis=0)):
        result[:, column] = np.percentile(values[present[:, column], column], shares)
    return list(result)


def _spread(
    before: FloatArray, level: FloatArray, interquartile: FloatArray, settled: FloatArray
) -> FloatArray:
    (mad,) = _quantiles(np.abs(before - level), (50,))
    count = np.isfinite(before).sum(axis=0).clip(1)
    deviation = np.where(np.isfinite(before), before - level, 0.0)
    sigma = np.sqrt((deviation**2).sum(axis=0) / count)
    # A baseline of nothing but zeros has no spread: a thousandth of the shift stands for it.
    floor = np.maximum(0.05 * np.abs(level), 0.001 * np.abs(settled - level))
    floor = np.where(floor > 0, floor, 1.0)
    robust = np.maximum(interquartile / 1.349, 1.4826 * mad)
    return np.asarray(np.maximum(np.maximum(robust, 0.5 * sigma), floor), dtype=np.float64)


def _began(
    table: MetricTable,
    column: int,
    pivot: float,
    before: float,
    after: float,
    band: tuple[float, float],
) -> datetime | None:
    """The first sample of the first sustained excursion of a third of the shift.

    The search begins ten rows before the pivot: what moved first may not be what was accused.
    """
    first = max(0, int(np.searchsorted(table.times, pivot)) - 10)
    values = table.values[first:, column]
    present = np.isfinite(values)
    times, values = table.times[first:][present], values[present]
    threshold = before + (after - before) / 3
    out = (
        (values > max(threshold, band[1]))
        if after >= before
        else (values < min(threshold, band[0]))
    )
    run = min(_SUSTAINED, max(1, len(out) // 3))
    sustained = np.convolve(out, np.ones(run), "valid") >= run if len(out) >= run else out
    hits = np.flatnonzero(sustained)
    return _utc(times[hits[0]]) if len(hits) else None


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
