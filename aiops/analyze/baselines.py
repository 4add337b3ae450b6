"""The methods every table shows beside ours, as published, behind the same port.

None of them re-anchors, weighs kinds or knows a graph: they compare everything before the alert
with everything after it. Each scores columns and is otherwise alike.
"""

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

import numpy as np

from aiops.analyze.confidence import DEFAULT
from aiops.errors import AnalysisFailed
from aiops.model import CaseData, Indicator, MetricTable, Ranking, Suspect
from aiops.model.telemetry import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """The rows of ``table`` before the alert and from it on."""

    before: FloatArray
    after: FloatArray
    table: MetricTable
    seed: int

    def in_megabytes(self) -> tuple[FloatArray, FloatArray]:
        """Both, after the package's preprocessing: ``*_mem`` columns divided by a million."""
        scale = [1e-6 if one.column.endswith("_mem") else 1.0 for one in self.table.series]
        return self.before * np.array(scale), self.after * np.array(scale)


class _BeforeAfter:
    """A scorer of columns from the rows before and after the alert."""

    name: ClassVar[str]
    alarm: ClassVar[float] = 3.0  # score from which it calls a window faulty: three sigma

    def rank(self, case: CaseData, *, seed: int = 0) -> Ranking:
        """The columns by score; raises AnalysisFailed without rows on both sides of an alert."""
        table = case.window.metrics
        if table is None or not table.series:
            raise AnalysisFailed("no metrics were recorded, and this method reads nothing else")
        if case.trigger.at is None:
            raise AnalysisFailed("this method needs the time of the alert")
        row = int(np.searchsorted(table.times, case.trigger.at.timestamp()))
        sides = _Sides(table.values[:row], table.values[row:], table, seed)
        if len(sides.before) < 1 or len(sides.after) < 1:
            raise AnalysisFailed(
                f"{len(sides.before)} rows before the alert and {len(sides.after)} after it"
            )
        score = self._score(sides)
        return _ranking(
            table,
            score,
            seed,
            case.trigger.at,
            bool(np.nanmax(score, initial=-np.inf) > self.alarm),
        )

    def _score(self, sides: _Sides) -> FloatArray:
        """(m,) score of each column; NaN drops it."""
        raise NotImplementedError


class NSigma(_BeforeAfter):
    """Largest z score after the alert (n-sigma; as in Pham et al., FSE 2024, baselines)."""

    name = "nsigma"

    def _score(self, sides: _Sides) -> FloatArray:
        before, after = sides.in_megabytes()
        spread = _unless_zero(_nan(np.nanstd, before))
        z = (_nan(np.nanmax, after) - _nan(np.nanmean, before)) / spread
        return np.where(_varying(before) & _varying(after), z, np.nan)


class Baro(_BeforeAfter):
    """BARO's robust scorer (Pham et al., FSE 2024, section 3.3): (x - median) / IQR, the largest.

    As in the authors' package: constant columns dropped, memory in megabytes, an IQR of zero
    taken as one.
    """

    name = "baro"

    def _score(self, sides: _Sides) -> FloatArray:
        before, after = sides.in_megabytes()
        median = _nan(np.nanmedian, before)
        low, high = (_nan(np.nanpercentile, before, q) for q in (25.0, 75.0))
        z = (_nan(np.nanmax, after) - median) / _unless_zero(high - low)
        return np.where(_varying(before) & _varying(after), z, np.nan)


class Correlation(_BeforeAfter):
    """Absolute correlation of each column with the step at the alert."""

    name = "correlation"
    alarm = 0.5**0.5  # half the variance

    def _score(self, sides: _Sides) -> FloatArray:
        values = np.concatenate([sides.before, sides.after])
        step = np.repeat([0.0, 1.0], [len(sides.before), len(sides.after)])
        step -= step.mean()
        known = np.isfinite(values)
        centred = np.where(known, values - _nan(np.nanmean, values), 0.0)
        norm = np.sqrt((centred**2).sum(axis=0) * (step**2).sum())
        return np.where(norm > 0, np.abs(centred.T @ step) / np.where(norm > 0, norm, 1.0), np.nan)


class Random(_BeforeAfter):
    """A shuffle by seed: what chance reaches."""

    name = "random"
    alarm = -1.0  # always

    def _score(self, sides: _Sides) -> FloatArray:
        # By name, so that the order of the columns cannot leak into the order of the suspects.
        names = [f"{sides.seed}:{len(sides.before)}:{s.column}" for s in sides.table.series]
        return np.array([zlib.crc32(name.encode()) / 2**32 for name in names])


def _ranking(
    table: MetricTable, score: FloatArray, seed: int, alert: datetime, alarming: bool
) -> Ranking:
    ties = [zlib.crc32(f"{seed}:{one.column}".encode()) for one in table.series]
    order = [int(i) for i in np.lexsort((ties, -score)) if np.isfinite(score[i])]
    services: dict[str, int] = {}
    for column in order:
        services.setdefault(table.series[column].entity.service_name, column)
    first = list(services.values())
    positive = np.maximum(score[first], 0.0)
    sure = DEFAULT.of(positive, float(np.log1p(positive.max(initial=0.0))))
    confidence = dict(zip(first, sure, strict=True))
    return Ranking(
        "root_cause" if alarming else "healthy",
        tuple(
            Suspect(
                table.series[column].entity,
                Indicator("metric", table.series[column].metric),
                score=float(score[column]),
                confidence=float(confidence.get(column, 0.0)),
            )
            for column in order
        ),
        onset=alert.astimezone(UTC),
        notes=("Confidence is that of the default method's curve, not fitted to this one.",),
    )


def _varying(values: FloatArray) -> FloatArray:
    return _nan(np.nanmax, values) != _nan(np.nanmin, values)


def _unless_zero(spread: FloatArray) -> FloatArray:
    """scikit-learn's rule: a scale below ten machine epsilons is one."""
    return np.where(spread < 10 * np.finfo(np.float64).eps, 1.0, spread)


def _nan(function: object, values: FloatArray, *arguments: float) -> FloatArray:
    """A NaN-skipping reduction over rows; NaN for a column without samples, without a warning."""
    known = np.isfinite(values).any(axis=0)
    result = np.full(values.shape[1], np.nan)
    if known.any():
        result[known] = function(values[:, known], *arguments, axis=0)  # type: ignore[operator]
    return result
