"""Before against after: where a table divides, how far each column moved, and when it began to.

The plain robust z score, kept as the baseline scale of the causal methods; the default ranker
has its own, in real units.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from aiops.analyze.columns import bridge_gaps, standardize
from aiops.errors import AnalysisFailed
from aiops.model import CaseData, MetricTable, Series, Trigger
from aiops.model.telemetry import FloatArray

FEWEST_BEFORE = 10  # with fewer rows the spread of the baseline is a guess
MOVED = 3.0  # robust standard deviations that count as a change
GAUSSIAN_MAD = 1.4826
GAUSSIAN_IQR = 1.349
ROWS_EACH_SIDE = 300
ROWS_TO_SETTLE = 10
LEVEL_FLOOR = 0.01  # a move of less than this share of the level, per deviation, is no news


@dataclass(frozen=True, slots=True, eq=False)
class Division:
    """A table of metrics divided in two.

    Attributes:
        row: first row of the second part.
        at: its time, unix seconds.
        centre, spread: (m,) median and robust standard deviation of the baseline; the spread is
            NaN where the baseline has no samples.
        rows_before: rows the baseline had.
        notes: what a reader must know of how it was divided.
    """

    row: int
    at: float
    centre: FloatArray
    spread: FloatArray
    rows_before: int
    notes: tuple[str, ...] = ()

    def deviations(self, values: FloatArray) -> FloatArray:
        """(n, m) values in robust standard deviations from the baseline; NaN where unknown.

        A column that never moved before is infinitely far off wherever it differs at all, so
        its deviation is cut to 1,000.
        """
        away = values - self.centre
        least = np.finfo(float).eps * np.maximum(np.abs(self.centre), 1e-280)
        deviations: FloatArray = np.clip(away / np.maximum(self.spread, least), -1e3, 1e3)
        return deviations

    def shift(self, values: FloatArray) -> FloatArray:
        """(m,) distance of the median after the division, in deviations; 0 where unknown."""
        after = _median(values[self.row :])
        moved: FloatArray = np.nan_to_num(np.abs(self.deviations(after[None, :])[0]))
        return moved


def divide(case: CaseData, table: MetricTable, *, at: float | None = None) -> Division:
    """Divide ``table`` at ``at``, else at the alert, else where its columns change most.

    The baseline is what lies before; where that is under 10 rows, the case's fault-free
    reference, if it has the same columns; else the first rows as they are, and a note.

    Raises:
        AnalysisFailed: under 2 rows.
    """
    rows = len(table.times)
    if rows < 2:
        raise AnalysisFailed(
            f"{table.source}: {rows} rows have no before and after; widen the window"
        )
    if at is None and case.trigger.at is not None:
        at = case.trigger.at.timestamp()
    notes = []
    row = int(np.searchsorted(table.times, at)) if at is not None else 0
    reference = _reference(case, table)
    if not (1 if reference is not None or rows < 4 else 2) <= row <= rows - 1:
        row = _largest_step(table.values)
        where = datetime.fromtimestamp(table.times[row], UTC).isoformat(timespec="seconds")
        notes.append(f"No usable alert time: divided at {where}, where most columns step.")
    before = table.values[:row]
    if row < FEWEST_BEFORE:
        if reference is not None:
            before = reference
            notes.append(f"Baseline: {len(reference)} fault-free rows recorded apart.")
        else:
            notes.append(f"Baseline of {row} rows only: its spread is a guess.")
    centre, spread = _scale(before)
    return Division(row, float(table.times[row]), centre, spread, len(before), tuple(notes))


def onset_rows(deviations: FloatArray) -> npt.NDArray[np.intp]:
    """(m,) row at which each column of (n, m) left its baseline, or -1 where it did not.

    The least-squares single change point (Hinkley 1970) of deviations cut to +-10, moved back
    over the rows before it that already lie beyond 3. It counts as an onset only where half of
    the next ten rows lie beyond 3.
    """
    rows, width = deviations.shape
    if rows < 2:
        return np.full(width, -1, dtype=np.intp)
    z = np.clip(bridge_gaps(deviations), -10.0, 10.0)
    before = np.cumsum(z, axis=0)[:-1]
    counts = np.arange(1, rows)[:, None]
    step = (z.sum(axis=0) - before) / (rows - counts) - before / counts
    gain = np.nan_to_num(step**2 * counts * (rows - counts))
    onset = np.asarray(np.argmax(gain, axis=0) + 1, dtype=np.intp)
    far = np.abs(z) >= MOVED  # False where a column has no deviations at all
    for column in range(width):
        if far[onset[column] : onset[column] + ROWS_TO_SETTLE, column].mean() < 0.5:
            onset[column] = -1
            continue
        while onset[column] > 0 and far[onset[column] - 1, column]:
            onset[column] -= 1
    return onset


def stretch(table: MetricTable, row: int) -> slice:
    """The rows around ``row`` on which one series is tested against another."""
    return slice(max(0, row - ROWS_EACH_SIDE), min(len(table.times), row + ROWS_EACH_SIDE))


def alerted_columns(trigger: Trigger, series: Sequence[Series]) -> list[int]:
    """The columns the alert fired on: its entity's metric, else all of its entity."""
    if trigger.entity is None:
        return []
    service = trigger.entity.service_name
    own = [i for i, measured in enumerate(series) if measured.entity.service_name == service]
    exact = [i for i in own if trigger.metric in (series[i].metric, series[i].column)]
    return exact or own


def _reference(case: CaseData, table: MetricTable) -> FloatArray | None:
    """The fault-free rows in the columns of ``table``; None where they are not all there."""
    if case.window.reference is None or case.window.reference.metrics is None:
        return None
    apart = case.window.reference.metrics
    place = {series.column: i for i, series in enumerate(apart.series)}
    if len(apart.times) < FEWEST_BEFORE or any(s.column not in place for s in table.series):
        return None
    return apart.values[:, [place[series.column] for series in table.series]]


def _largest_step(values: FloatArray) -> int:
    """The row where the standardized columns, taken together, step most."""
    z = standardize(values).values
    rows = len(z)
    if rows < 4:
        return rows // 2
    counts = np.arange(1, rows)[:, None]
    gain = (np.cumsum(z, axis=0)[:-1] ** 2 / (counts * (rows - counts))).sum(axis=1)
    inner = slice(1, rows - 2)  # two rows at least on each side
    return int(np.argmax(gain[inner])) + 2


def _scale(before: FloatArray) -> tuple[FloatArray, FloatArray]:
    centre = _median(before)
    known = np.isfinite(before).any(axis=0)
    spread = np.full(centre.shape, np.nan)
    if known.any():
        part = np.where(np.isfinite(before[:, known]), before[:, known], np.nan)
        low, high = np.nanpercentile(part, [25, 75], axis=0)
        mad = np.nanmedian(np.abs(part - centre[known]), axis=0)
        spread[known] = np.maximum.reduce(
            [
                (high - low) / GAUSSIAN_IQR,
                mad * GAUSSIAN_MAD,
                0.5 * np.nanstd(part, axis=0),
                LEVEL_FLOOR * np.abs(centre[known]),
            ]
        )
    return centre, spread


def _median(values: FloatArray) -> FloatArray:
    """Column medians without NaN and infinities; NaN where a column has nothing."""
    clean = np.where(np.isfinite(values), values, np.nan)
    known = ~np.isnan(clean).all(axis=0)
    median = np.full(values.shape[1], np.nan)
    if known.any():
        median[known] = np.nanmedian(clean[:, known], axis=0)
    return median
