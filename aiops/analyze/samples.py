"""Which cells of a table are measurements: NaN, infinities and sentinels are not."""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from aiops.model.telemetry import FloatArray, MetricTable, Series

MOST_RESETS = 0.02
"""Share of a counter's steps that may go down: processes restart now and then."""
LARGEST = 1e100
"""No unit makes a measurement this large, and squares of less stay finite; exporters write the
largest float where they mean "none"."""
COUNTER_SUFFIXES = ("_total", "_count", "_sum", "_bucket")
"""Of names, by the conventions of Prometheus and OpenMetrics."""
LEAST_RISES = 0.1
"""Share of its steps in which what is only named like a counter goes up: what hardly ever does is
told by its level, and a count of things may stand still for long."""


def sampled(values: FloatArray) -> npt.NDArray[np.bool_]:
    """Whether each cell holds a measurement; same shape as ``values``."""
    return np.asarray(np.abs(values) < LARGEST, dtype=np.bool_)


def measurements(values: FloatArray) -> FloatArray:
    """``values`` with NaN for whatever is no measurement; the array itself where all are."""
    if values.size and values.max() < LARGEST and values.min() > -LARGEST:  # False with a NaN
        return values
    return np.where(sampled(values), values, np.nan)


def by_name(table: MetricTable) -> MetricTable:
    """The measurements of ``table``, columns in the order of their names, in an array of its own.

    What is computed from it is the same to the bit whatever the order of the columns was, and
    however they lay in memory.
    """
    order = sorted(range(len(table.series)), key=lambda i: table.series[i].column)
    values = np.take(measurements(table.values), order, axis=1)
    return replace(table, values=values, series=tuple(table.series[i] for i in order))


def rates(table: MetricTable) -> MetricTable:
    """``table`` with its counters as rates a second; the table itself where it has none.

    A counter is what its metadata calls one, or where there is none what is named like one, and
    what hardly ever falls: sources that hand out rates keep the type, and often the name, of what
    they were computed from. Where it falls it was reset: no sample.
    """
    counters = [i for i, one in enumerate(table.series) if _counts(one, table.values[:, i])]
    if not counters or len(table.times) < 2:
        return table
    values, series = table.values.copy(), list(table.series)
    with np.errstate(invalid="ignore"):
        steps = np.diff(measurements(values[:, counters]), axis=0)
        values[1:, counters] = np.where(steps >= 0, steps / np.diff(table.times)[:, None], np.nan)
    values[0, counters] = np.nan
    for i in counters:
        series[i] = replace(series[i], unit=f"{series[i].unit or 1}/s", type="gauge")
    return replace(table, values=values, series=tuple(series))


def _counts(one: Series, column: FloatArray) -> bool:
    if one.type == "counter":
        return _grows(column, least=0.0)
    named = one.type is None and one.metric.lower().endswith(COUNTER_SUFFIXES)
    return named and _grows(column, least=LEAST_RISES)


def _grows(column: FloatArray, least: float) -> bool:
    """Whether it falls in next to none of its steps, and rises in at least the share ``least``."""
    steps = np.diff(column[sampled(column)])
    if not len(steps):
        return False
    return float((steps < 0).mean()) <= MOST_RESETS and float((steps > 0).mean()) >= least


def averaged(values: FloatArray, factor: int) -> FloatArray:
    """(n // factor, m) means of ``factor`` neighbouring rows, over the measurements among them.

    Rows are added one after the other, so that the result is the same to the bit however the
    array lies in memory. ``n`` must be a multiple of ``factor``.
    """
    total = np.zeros((len(values) // factor, values.shape[1]))
    counts = np.zeros_like(total)
    for part in range(factor):
        rows = values[part::factor]
        known = sampled(rows)
        total += np.where(known, rows, 0.0)
        counts += known
    means: FloatArray = np.full(total.shape, np.nan)
    return np.divide(total, counts, out=means, where=counts > 0)
