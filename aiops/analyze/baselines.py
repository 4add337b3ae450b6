"""The methods every table shows beside ours, as published, behind the same port.

None of them re-anchors, weighs kinds or knows a graph: they compare everything before the alert
with everything after it, column by column. They state no confidence.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from aiops.analyze.samples import by_name
from aiops.errors import AnalysisFailed
from aiops.model import CaseData, Indicator, MetricTable, Ranking, Suspect
from aiops.model.telemetry import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """The rows of ``table`` before the alert and from it on.

    Attributes:
        salt: of the run and the case, for what must be arbitrary but repeatable.
    """

    before: FloatArray
    after: FloatArray
    table: MetricTable
    salt: str

    def in_megabytes(self) -> tuple[FloatArray, FloatArray]:
        """Both, after the package's preprocessing: ``*_mem`` columns divided by a million."""
        scale = [1e-6 if one.column.endswith("_mem") else 1.0 for one in self.table.series]
        return self.before * np.array(scale), self.after * np.array(scale)

    def lots(self) -> list[int]:
        """(m,) a number a column, from its name: no order of columns leaks through."""
        return [zlib.crc32(f"{self.salt}:{one.column}".encode()) for one in self.table.series]


class _BeforeAfter:
    """A scorer of columns from the rows before and after the alert."""

    name: ClassVar[str]
    alarm: ClassVar[float] = 3.0  # score from which it calls a window faulty: three sigma

    def rank(self, case: CaseData, *, seed: int = 0) -> Ranking:
        """The columns by score; raises AnalysisFailed without metrics or under two rows."""
        table = case.window.metrics
        if table is None or not table.series:
            raise AnalysisFailed("no metrics were recorded, and this method reads nothing else")
        rows = len(table.times)
        if rows < 2:
            raise AnalysisFailed(
                f"{table.source}: {rows} rows have no before and after; widen the window"
            )
        notes = []
        row = 0
        if case.trigger.at is not None:
            row = int(np.searchsorted(table.times, case.trigger.at.timestamp()))
        if not 1 <= row <= rows - 1:
            row = max(1, rows // 4)
            notes.append("No rows on one side of the alert: the first quarter is the baseline.")
        table = by_name(table)
        sides = _Sides(table.values[:row], table.values[row:], table, f"{seed}:{case.id}")
        score = self._score(sides)
        alarming = bool(np.nanmax(score, initial=-np.inf) > self.alarm)
        return _ranking(sides, score, alarming, notes)

    def _score(self, sides: _Sides) -> FloatArray:
        """(m,) score of each column; NaN drops it."""
        raise NotImplementedError


class NSigma(_BeforeAfter):
    """Largest z score after the alert (n-sigma; a baseline of Pham et al., FSE 2024)."""

    name = "nsigma"

    def _score(self, sides: _Sides) -> FloatArray:
        before, after = sides.in_megabytes()
        spread = _unless_zero(_known(np.nanstd, before))
        z = (_known(np.nanmax, after) - _known(np.nanmean, before)) / spread
        return np.where(_varying(before) & _varying(after), z, np.nan)


class Baro(_BeforeAfter):
    """BARO's robust scorer (Pham et al., FSE 2024, section 3.3): largest (x - median) / IQR.

    As in the authors' package: constant columns dropped, memory in megabytes, an IQR of zero
    taken as one.
    """

    name = "baro"

    def _score(self, sides: _Sides) -> FloatArray:
        before, after = sides.in_megabytes()
        low, median, high = (_known(np.nanpercentile, before, q) for q in (25, 50, 75))
        z = (_known(np.nanmax, after) - median) / _unless_zero(high - low)
        return np.where(_varying(before) & _varying(after), z, np.nan)


class Correlation(_BeforeAfter):
    """Absolute correlation of each column with the step at the alert."""

    name = "correlation"
    alarm = 0.5**0.5  # the step explains half the variance

    def _score(self, sides: _Sides) -> FloatArray:
        values = np.concatenate([sides.before, sides.after])
        step = np.repeat([0.0, 1.0], [len(sides.before), len(sides.after)])
        step -= step.mean()
        centred = np.where(np.isfinite(values), values - _known(np.nanmean, values), 0.0)
        norm = np.sqrt((centred**2).sum(axis=0) * (step**2).sum())
        return np.where(norm > 0, np.abs(centred.T @ step) / np.where(norm > 0, norm, 1.0), np.nan)


class Naive(_BeforeAfter):
    """Absolute shift of the median in interquartile ranges of the rows before the alert.

    The orientation score of the data sets' README, which any method has to beat. Where the IQR is
    zero the standard deviation stands in, and 1e-9 where that is zero too.
    """

    name = "naive"

    def _score(self, sides: _Sides) -> FloatArray:
        low, median, high = (_known(np.nanpercentile, sides.before, q) for q in (25, 50, 75))
        deviation = _known(np.nanstd, sides.before)
        scale = np.where(high > low, high - low, np.where(deviation > 0, deviation, 1e-9))
        moved: FloatArray = np.abs(_known(np.nanmedian, sides.after) - median) / scale
        return moved


class Random(_BeforeAfter):
    """A shuffle by seed and case: what chance reaches."""

    name = "random"
    alarm = -1.0  # always

    def _score(self, sides: _Sides) -> FloatArray:
        return np.array(sides.lots(), dtype=np.float64)


def _ranking(sides: _Sides, score: FloatArray, alarming: bool, notes: list[str]) -> Ranking:
    table = sides.table
    order = [int(i) for i in np.lexsort((np.array(sides.lots()), -score)) if np.isfinite(score[i])]
    return Ranking(
        "root_cause" if alarming else "healthy",
        tuple(
            Suspect(
                table.series[column].entity,
                Indicator("metric", table.series[column].metric),
                score=float(score[column]),
            )
            for column in order
        ),
        onset=datetime.fromtimestamp(float(table.times[len(sides.before)]), UTC),
        notes=tuple(notes),
    )


def _varying(values: FloatArray) -> npt.NDArray[np.bool_]:
    return np.asarray(_known(np.nanmax, values) != _known(np.nanmin, values))


def _unless_zero(spread: FloatArray) -> FloatArray:
    """scikit-learn's rule: a scale below ten machine epsilons is one."""
    return np.where(spread < 10 * np.finfo(np.float64).eps, 1.0, spread)


def _known(reduce: Callable[..., FloatArray], values: FloatArray, *at: float) -> FloatArray:
    """A NaN-skipping reduction over rows; NaN for a column without samples, without a warning."""
    known = np.isfinite(values).any(axis=0)
    result = np.full(values.shape[1], np.nan)
    if known.any():
        result[known] = reduce(values[:, known], *at, axis=0)
    return result
