"""Evidence of a neural ranking: what moved, and what precedes what, with numbers and columns."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np

from aiops.analyze.before_after import Division, onset_rows, stretch
from aiops.analyze.wording import number, quantity
from aiops.model import Evidence, MetricTable, Window

LEAST_PRINTED = 1e-12
"""Corrected p values under this are bounded, never printed as zero."""


@dataclass(slots=True)
class Account:
    """Collects the evidence of one ranking and hands out its ids."""

    table: MetricTable
    division: Division
    _told: list[Evidence] = field(default_factory=list)

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """Everything told so far, in order."""
        return tuple(self._told)

    def shift(self, column: int, size: float) -> str:
        """Tells how far a column's median moved, in ``size`` usual variations; the evidence id."""
        one = self.table.series[column]
        after = self.table.values[self.division.row :, column]
        known = after[np.isfinite(after)]
        before = float(self.division.centre[column])
        from_ = quantity(before, one.unit) if np.isfinite(before) else "no samples"
        to = quantity(float(np.median(known)), one.unit) if known.size else "no samples"
        times = f", {number(size)} times its usual variation" if size > 0 else ""
        claim = f"{one.column} went from a median of {from_} to {to}{times}."
        return self._tell(claim, one.column, slice(None))

    def edge(self, source: int, target: int, lag: float, q: float, gain: float) -> str:
        """Tells that one column precedes another; the evidence id."""
        names = [self.table.series[i].column for i in (source, target)]
        sure = f"= {q:.2g}" if q > LEAST_PRINTED else f"< {LEAST_PRINTED:g}"
        claim = (
            f"Changes of {names[0]} precede those of {names[1]}, most by {lag:g} s: without them "
            f"its forecast errs {100 * max(gain, 0.0):.1f} % more (neural Granger, held-out rows, "
            f"block permutation, corrected p {sure})."
        )
        return self._tell(claim, names[1], stretch(self.table, self.division.row))

    def seconds(self, rows: int) -> float:
        """``rows`` as a length of time."""
        return rows * float(np.median(np.diff(self.table.times)))

    def onset(self, column: int) -> datetime | None:
        """When a column left its baseline; None where it did not."""
        row = onset_rows(self.division.deviations(self.table.values)[:, [column]])[0]
        return _utc(self.table.times[row]) if row >= 0 else None

    def _tell(self, claim: str, ref: str, rows: slice) -> str:
        times = self.table.times[rows]
        identity = f"E{len(self._told) + 1}"
        window = Window(_utc(times[0]), _utc(times[-1]))
        self._told.append(Evidence(identity, "metric", claim, self.table.source, window, ref))
        return identity


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
