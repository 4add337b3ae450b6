"""Columns made fit for regressions: gaps bridged, the unusable dropped and named, scale removed."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.model.telemetry import FloatArray

MOST_MISSING = 0.5  # a column with a larger share of missing samples is more line than signal
FEWEST_SAMPLES = 5


@dataclass(frozen=True, slots=True)
class Dropped:
    """A column that was left out, by its position in the table, and why."""

    column: int
    reason: str


@dataclass(frozen=True, slots=True, eq=False)
class Standardized:
    """The usable columns of a table with mean 0 and standard deviation 1.

    Attributes:
        values: (n, k) no gaps.
        kept: (k,) their positions in the table.
        grain: (k,) rounding of the original numbers in standard deviations: 1e9 bytes that vary
            by 10 carry noise of 1e-8 however exact the arithmetic after.
        dropped: the others.
    """

    values: FloatArray
    kept: npt.NDArray[np.intp]
    grain: FloatArray
    dropped: tuple[Dropped, ...]


def bridge_gaps(values: FloatArray) -> FloatArray:
    """(n, m) values with missing samples on a straight line between their neighbours.

    Before the first and after the last sample the nearest one holds. Infinities count as
    missing; a column without any sample stays NaN. The input is not changed.
    """
    filled = np.where(np.isfinite(values), values, np.nan)
    rows = np.arange(len(filled))
    for column in np.flatnonzero(np.isnan(filled).any(axis=0)):
        known = ~np.isnan(filled[:, column])
        if known.any():
            filled[:, column] = np.interp(rows, rows[known], filled[known, column])
    return filled


def standardize(values: FloatArray) -> Standardized:
    """Bridge gaps, drop what carries no signal, and z-score the rest.

    Dropped: columns without samples, with fewer than ``FEWEST_SAMPLES``, with more than
    ``MOST_MISSING`` missing, and constant ones.
    """
    samples = np.isfinite(values).sum(axis=0)
    filled = bridge_gaps(values)
    safe = np.where(np.isnan(filled), 0.0, filled)
    # A power of two takes huge and tiny values into range without rounding them.
    size, exponent = np.frexp(np.abs(safe).max(axis=0, initial=0.0))
    safe = np.ldexp(safe, -exponent)
    spread = np.ptp(safe, axis=0) if len(safe) else np.zeros(values.shape[1])
    faults = [
        _fault(len(values), int(samples[i]), spread[i], size[i]) for i in range(values.shape[1])
    ]
    dropped = tuple(Dropped(i, fault) for i, fault in enumerate(faults) if fault is not None)
    kept = np.array([i for i, fault in enumerate(faults) if fault is None], dtype=np.intp)
    scaled = (safe[:, kept] - safe[:1, kept]) / spread[kept]
    scaled -= scaled.mean(axis=0)
    deviation = scaled.std(axis=0)
    grain = np.finfo(float).eps * size[kept] / (deviation * spread[kept])
    return Standardized(scaled / deviation, kept, grain, dropped)


def _fault(rows: int, samples: int, spread: float, size: float) -> str | None:
    if samples == 0:
        return "no samples"
    if samples < FEWEST_SAMPLES:
        return f"only {samples} samples"
    if rows - samples > MOST_MISSING * rows:
        return f"{rows - samples} of {rows} samples missing"
    if spread <= 4 * np.finfo(float).eps * size:
        return "constant"
    return None
