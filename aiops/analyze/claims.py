"""Evidence of shifts: one sentence a metric, with its numbers and where to look them up."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt

from aiops.analyze.metric_kinds import MetricKind
from aiops.analyze.onset import Anomaly
from aiops.analyze.shifts import RARE, Shifts
from aiops.analyze.units import Unit, trusted_units
from aiops.analyze.wording import number, quantity, signal
from aiops.model import Evidence, MetricTable, Window


class Claims:
    """Collects evidence for one ranking, each column once.

    Args:
        table: the table that was ranked; its success rates are failed shares here.
        seen: (m,) whether a column has samples of its own before and during the anomaly; what
            was only bridged over proves nothing and is not cited.
    """

    def __init__(
        self,
        table: MetricTable,
        shifts: Shifts,
        anomaly: Anomaly,
        seen: npt.NDArray[np.bool_],
    ) -> None:
        self._table, self._shifts, self._seen = table, shifts, seen
        self._units = trusted_units(table.series)
        times = table.times
        self._window = Window(_utc(times[anomaly.first]), _utc(times[anomaly.end - 1]))
        self._cited: dict[int, Evidence] = {}

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Everything cited so far, in order of citation."""
        return tuple(self._cited.values())

    def cite(self, columns: Sequence[int]) -> tuple[str, ...]:
        """The ids of the evidence of ``columns``."""
        return tuple(self._of(column).id for column in columns if self._seen[column])

    def of(self, columns: Sequence[int]) -> tuple[Evidence, ...]:
        """The evidence of ``columns``, not numbered yet."""
        return tuple(replace(self._of(c), id="") for c in columns if self._seen[c])

    def _of(self, column: int) -> Evidence:
        if column not in self._cited:
            self._cited[column] = Evidence(
                id=f"E{len(self._cited) + 1}",
                kind="metric",
                claim=self._sentence(column),
                source=self._table.source,
                window=self._window,
                ref=self._table.series[column].column,
            )
        return self._cited[column]

    def _sentence(self, column: int) -> str:
        shifts, one = self._shifts, self._table.series[column]
        before, after = float(shifts.before[column]), float(shifts.after[column])
        size = abs(float(shifts.surprise[column]))
        what, unit = one.metric, self._units[column]
        if shifts.kinds[column] is MetricKind.SUCCESS:
            what, unit = _failures(one.metric), Unit("%", "share", 1e-2)
            before, after = 100 * before, 100 * after
        verb = "rose" if after > before else "fell" if after < before else "stayed"
        times = f", {number(size)} times its usual variation" if size >= 2 else ""
        symbol = None if unit is None else unit.symbol
        level = "means" if shifts.kinds[column] in RARE else "medians"
        return (
            f"{signal(what, one.entity.name)} {verb} from {quantity(before, symbol)} "
            f"to {quantity(after, symbol)} ({level}){times}."
        )


def _failures(metric: str) -> str:
    """What a success rate says of failures."""
    if not metric.startswith("edge:") or metric.count(":") < 2:
        return f"failures by {metric}"
    edge, caller, own = metric.split(":", 2)
    return f"{edge}:{caller}:failures by {own}"


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
