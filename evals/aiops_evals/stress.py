"""Harder versions of a recorded case (notes: measures, "Stress variants").

Each variant is a pure function of the case, its answers and a seed. t0 is the alert of the case as
recorded, [start, end] its metric rows. Only the metric table and the alert change: the sets ranked
under stress are metric sets.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np

from aiops.model import CaseData, MetricTable, Series
from aiops.model.telemetry import FloatArray
from aiops_datasets.case import Answers
from aiops_evals.blind import generator

CLEAN = "clean"
NOISE_COLUMNS = 300
GAP_SHARE = 0.15
ROWS_BEFORE, ROWS_AFTER = 30, 10
SLOW_STEP = 10
SHIFT_S = 60.0

Variant = Callable[[CaseData, Answers, np.random.Generator], CaseData | None]


def stressed(name: str, data: CaseData, answers: Answers, seed: int) -> CaseData | None:
    """``data`` under the variant ``name``; None where the variant has no meaning for this case.

    Args:
        name: "clean" or a key of ``VARIANTS`` or ``SHIFTS``.
    """
    if name == CLEAN:
        return data
    if data.window.metrics is None or data.window.metrics.times.size == 0:
        return None
    variant = VARIANTS[name] if name in VARIANTS else SHIFTS[name]
    return variant(data, answers, generator(seed, data.id, name))


def _late(data: CaseData, _answers: Answers, _rng: np.random.Generator) -> CaseData | None:
    """The alert comes a quarter of the way into the fault, so fault rows pass for baseline."""
    bounds = _bounds(data)
    return None if bounds is None else _alert_at(data, bounds[1] + 0.25 * (bounds[2] - bounds[1]))


def _early(data: CaseData, _answers: Answers, _rng: np.random.Generator) -> CaseData | None:
    """The alert comes before the fault, 60 % of the run-up too soon."""
    bounds = _bounds(data)
    return None if bounds is None else _alert_at(data, bounds[1] - 0.6 * (bounds[1] - bounds[0]))


def _short(data: CaseData, _answers: Answers, _rng: np.random.Generator) -> CaseData | None:
    """30 rows before the alert and 10 after."""
    bounds, table = _bounds(data), _metrics(data)
    if bounds is None:
        return None
    first_after = int(np.searchsorted(table.times, bounds[1]))
    low, high = max(0, first_after - ROWS_BEFORE), first_after + ROWS_AFTER
    return _with_metrics(
        data, replace(table, times=table.times[low:high], values=table.values[low:high])
    )


def _noise(data: CaseData, _answers: Answers, rng: np.random.Generator) -> CaseData | None:
    """300 more columns that have nothing to do with the fault, dealt out to the entities.

    A third are random walks, a third AR(1) with coefficient 0.9, a third white noise with one step
    of 5 to 10 sigma before t0. Levels are log-uniform from 1 to 1,000, sigma is 2 % of the level.
    """
    bounds, table = _bounds(data), _metrics(data)
    n, third = table.times.size, NOISE_COLUMNS // 3
    level = 10 ** rng.uniform(0, 3, NOISE_COLUMNS)
    shocks = rng.standard_normal((n, NOISE_COLUMNS))
    walks = np.cumsum(shocks[:, :third], axis=0)
    persistent = _ar1(shocks[:, third : 2 * third], 0.9)
    before = n // 2 if bounds is None else int(np.searchsorted(table.times, bounds[1]))
    stepped = shocks[:, 2 * third :].copy()
    if before >= 3:
        at = rng.integers(1, before, stepped.shape[1])
        height = rng.uniform(5, 10, stepped.shape[1]) * rng.choice([-1, 1], stepped.shape[1])
        stepped += height * (np.arange(n)[:, None] >= at)
    values = level * (1 + 0.02 * np.hstack([walks, persistent, stepped]))
    # Order of appearance, not a set: the same seed must deal the same columns.
    entities = list(dict.fromkeys(series.entity for series in table.series))
    dealt = rng.permutation(NOISE_COLUMNS) % len(entities)
    series = tuple(
        Series(entities[e], f"m{i:03d}", f"{entities[e].name}_m{i:03d}")
        for i, e in enumerate(dealt.tolist())
    )
    return _with_metrics(
        data,
        replace(table, values=np.hstack([table.values, values]), series=table.series + series),
    )


def _slow(data: CaseData, _answers: Answers, _rng: np.random.Generator) -> CaseData | None:
    """Every tenth row: a scrape interval ten times as long."""
    table = _metrics(data)
    return _with_metrics(
        data, replace(table, times=table.times[::SLOW_STEP], values=table.values[::SLOW_STEP])
    )


def _gaps(data: CaseData, _answers: Answers, rng: np.random.Generator) -> CaseData | None:
    """15 % of the cells missing at random."""
    table = _metrics(data)
    missing = rng.random(table.values.shape) < GAP_SHARE
    return _with_metrics(data, replace(table, values=np.where(missing, np.nan, table.values)))


def _no_culprit(data: CaseData, answers: Answers, _rng: np.random.Generator) -> CaseData | None:
    """The answer's own column removed; the service may still be found by its other columns."""
    if not answers.metric_answer:
        return None
    table = _metrics(data)
    kept = [i for i, s in enumerate(table.series) if s.column not in answers.columns]
    return _with_metrics(data, table.take(np.asarray(kept, dtype=np.intp)))


def _wrong_units(data: CaseData, _answers: Answers, rng: np.random.Generator) -> CaseData | None:
    """Unit metadata permuted over the series; see ``with_units`` for sets without any."""
    table = _metrics(data)
    if all(series.unit is None for series in table.series):
        return None
    order = rng.permutation(len(table.series))
    series = tuple(
        replace(own, unit=table.series[i].unit)
        for own, i in zip(table.series, order.tolist(), strict=True)
    )
    return _with_metrics(data, replace(table, series=series))


def _a_minute_early(
    data: CaseData, _answers: Answers, _rng: np.random.Generator
) -> CaseData | None:
    """The alert 60 s before t0."""
    return _shifted(data, -SHIFT_S)


def _a_minute_late(data: CaseData, _answers: Answers, _rng: np.random.Generator) -> CaseData | None:
    """The alert 60 s after t0."""
    return _shifted(data, SHIFT_S)


VARIANTS: Mapping[str, Variant] = {
    "late": _late,
    "early": _early,
    "short": _short,
    "noise": _noise,
    "slow": _slow,
    "gaps": _gaps,
    "no-culprit": _no_culprit,
    "wrong-units": _wrong_units,
}
SHIFTS: Mapping[str, Variant] = {"alert-60s": _a_minute_early, "alert+60s": _a_minute_late}
"""Asked of every set, for each clock is off by a minute somewhere; None where the alert would then
lie outside the metric rows."""


def with_units(data: CaseData, units: Mapping[str, str]) -> CaseData:
    """``data`` with the units its documentation gives, for sets that carry no metadata.

    Args:
        units: first word of the metric's name ("lat" of "lat_90") -> unit.
    """
    table = data.window.metrics
    if table is None or any(series.unit is not None for series in table.series):
        return data
    series = tuple(
        replace(own, unit=units.get(own.metric.partition("_")[0])) for own in table.series
    )
    return _with_metrics(data, replace(table, series=series))


def _bounds(data: CaseData) -> tuple[float, float, float] | None:
    """(start, t0, end) in unix seconds; None where the case has no alert time."""
    if data.trigger.at is None:
        return None
    times = _metrics(data).times
    return float(times[0]), data.trigger.at.timestamp(), float(times[-1])


def _metrics(data: CaseData) -> MetricTable:
    if data.window.metrics is None:
        raise ValueError("a stress variant needs metrics")
    return data.window.metrics


def _shifted(data: CaseData, seconds: float) -> CaseData | None:
    bounds = _bounds(data)
    if bounds is None or not bounds[0] < bounds[1] + seconds < bounds[2]:
        return None
    return _alert_at(data, bounds[1] + seconds)


def _alert_at(data: CaseData, at: float) -> CaseData:
    return replace(data, trigger=replace(data.trigger, at=datetime.fromtimestamp(at, UTC)))


def _with_metrics(data: CaseData, table: MetricTable) -> CaseData:
    """``data`` with another metric table, and the window narrowed to it where rows were cut."""
    old = _metrics(data).times
    window = replace(data.window, metrics=table)
    if table.times.size and table.times[0] > old[0]:
        window = replace(window, start=datetime.fromtimestamp(float(table.times[0]), UTC))
    if table.times.size and table.times[-1] < old[-1]:
        window = replace(window, end=datetime.fromtimestamp(float(table.times[-1]), UTC))
    return replace(data, window=window)


def _ar1(shocks: FloatArray, coefficient: float) -> FloatArray:
    """x[t] = coefficient * x[t-1] + shock[t], columnwise, started at its own first shock."""
    series = shocks.copy()
    for t in range(1, series.shape[0]):
        series[t] += coefficient * series[t - 1]
    return series
