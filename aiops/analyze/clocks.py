"""One clock for series that were sampled on several."""

import numpy as np
import numpy.typing as npt

from aiops.model.telemetry import FloatArray, MetricTable

SPARSE = 0.5
"""Share of cells with a sample under which rows cannot be the table's own clock: with two sources
of equal interval and another phase just half of the cells are filled."""
COVERAGE = 0.25
"""Share of the series, the quickest ones, whose interval the clock takes: a single quick series
must not make holes of all others."""


def on_one_clock(table: MetricTable) -> MetricTable:
    """``table`` on a regular clock where its rows are the union of several; else as it is.

    A row then stands for the interval that ends at its time and holds the last sample in it, NaN
    where there is none, so nothing is invented. Slower series stay sparse.
    """
    there = ~np.isnan(table.values)
    if len(table.times) < 3 or not there.any():
        return table
    kept = there.any(axis=0)
    if there[:, kept].mean() > SPARSE:
        return table
    step = _interval(table.times, there[:, kept])
    if step is None:
        return table
    slots = np.ceil((table.times - table.times[0]) / step - 1e-9).astype(np.intp)
    values = np.full((int(slots[-1]) + 1, len(table.series)), np.nan)
    for column in range(len(table.series)):
        rows = np.flatnonzero(there[:, column])
        values[slots[rows], column] = table.values[rows, column]
    times = table.times[0] + step * np.arange(len(values), dtype=np.float64)
    return MetricTable(times, values, table.series, table.source)


def _interval(times: FloatArray, there: npt.NDArray[np.bool_]) -> float | None:
    """Seconds between the samples of the quicker series; None where none has two."""
    usual = [
        float(np.median(np.diff(times[there[:, column]])))
        for column in range(there.shape[1])
        if np.count_nonzero(there[:, column]) > 1
    ]
    return float(np.quantile(usual, COVERAGE)) if usual else None
