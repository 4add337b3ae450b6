"""Streaming peaks over threshold with drift: SPOT and DSPOT, and a reset when the level moved.

Siffer, Fouque, Termier, Largouet: Anomaly detection in streams with extreme value theory (KDD
2017). Excesses over a high quantile follow a generalised Pareto distribution; its tail gives the
value passed with probability ``risk``. The paper fits by Grimshaw's likelihood equation over the
stored peaks of one stream; here many streams are one array, and the fit is by moments (Hosking
and Wallis, Technometrics 29, 1987), which needs two running sums a stream: time linear in the
samples, memory in the streams.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.model.telemetry import FloatArray

RISK = 1e-4
"""Probability that a healthy sample passes the threshold: one false alarm in 10,000 samples."""
PEAK_QUANTILE = 0.98
"""Quantile of the calibration from which a sample is a peak (the paper's t)."""
LEAST_CALIBRATION = 10
"""Samples under which no quantile of the tail can be told."""
MOST_SHAPE = 0.4
"""Largest tail index accepted: heavier tails, fitted to few peaks, hide every anomaly."""
LEAST_EXCESS = 0.05
"""Least mean excess, as a share of the calibration's own spread: a stream that hardly varied
while it was calibrated is not so precise."""
DRIFT_MEMORY = 0.02
"""Share by which the level follows each healthy sample (the paper's window d of 50 samples)."""
RESET_AFTER = 120
"""Anomalous samples in a row from which the new level is the level: a change that stays is no
anomaly any more, and the stream is calibrated anew on it."""
_BoolArray = npt.NDArray[np.bool_]


@dataclass(slots=True, eq=False)
class _Tail:
    """(m,) running moments of the peaks of each stream."""

    count: FloatArray
    total: FloatArray
    squares: FloatArray


class Pot:
    """Thresholds of many streams at once, learned from their own tails; upper side only.

    Memory is O(m * calibration) while calibrating, O(m) after a reset buffer of the same size.

    Args:
        calibration: (n, m) healthy samples, n >= 2; NaN where there is none.
        risk: probability that a healthy sample passes its threshold, of all or (m,) each.
        drift: whether the level follows healthy samples (DSPOT) or stays (SPOT).
        reset_after: anomalous samples in a row after which a stream starts over.
        heaviest: largest tail index accepted; 0 for logarithms, since the logarithm of a power
            law has an exponential tail.

    Raises:
        ValueError: fewer than two samples to calibrate on.
    """

    def __init__(
        self,
        calibration: FloatArray,
        *,
        risk: float | FloatArray = RISK,
        drift: bool = True,
        reset_after: int = RESET_AFTER,
        heaviest: float = MOST_SHAPE,
    ) -> None:
        if len(calibration) < 2:
            raise ValueError(f"{len(calibration)} samples cannot calibrate a threshold")
        self._risk, self._drift, self._reset_after = risk, drift, reset_after
        self._heaviest = heaviest
        streams = calibration.shape[1]
        self._level = np.zeros(streams)
        self._spread = np.zeros(streams)
        self._peak = np.zeros(streams)
        self._seen = np.zeros(streams)
        self._tail = _Tail(np.zeros(streams), np.zeros(streams), np.zeros(streams))
        self._run = np.zeros(streams, dtype=np.int64)
        self._recent = np.full((min(len(calibration), reset_after), streams), np.nan)
        self.resets = np.zeros(streams, dtype=np.int64)
        self._calibrate(calibration, np.arange(streams))

    @property
    def thresholds(self) -> FloatArray:
        """(m,) values from which a sample is anomalous, in the streams' own units."""
        limit: FloatArray = self._level + self._limit()
        return limit

    def step(self, sample: FloatArray) -> _BoolArray:
        """Takes one (m,) sample of every stream; which of them are anomalous. NaN never is."""
        excess = sample - self._level
        known = np.isfinite(excess)
        anomalous: _BoolArray = known & (excess > self._limit())
        healthy = known & ~anomalous
        self._learn(np.where(healthy, excess, 0.0), healthy)
        self._run = np.where(anomalous, self._run + 1, np.where(known, 0, self._run))
        if anomalous.any():
            self._remember(sample, anomalous)
        return anomalous

    def _learn(self, excess: FloatArray, healthy: _BoolArray) -> None:
        peak = healthy & (excess > self._peak)
        over = np.where(peak, excess - self._peak, 0.0)
        self._tail.count += peak
        self._tail.total += over
        self._tail.squares += over**2
        self._seen += healthy
        if self._drift:
            self._level += DRIFT_MEMORY * excess

    def _remember(self, sample: FloatArray, anomalous: _BoolArray) -> None:
        """Keeps the new level's samples, and starts over where it has stayed."""
        slot = (self._run - 1) % len(self._recent)
        columns = np.flatnonzero(anomalous)
        self._recent[slot[columns], columns] = sample[columns]
        settled = np.flatnonzero(self._run >= self._reset_after)
        if len(settled):
            self._calibrate(self._recent[:, settled], settled)
            self._run[settled] = 0
            self._recent[:, settled] = np.nan
            self.resets[settled] += 1

    def _calibrate(self, samples: FloatArray, streams: npt.NDArray[np.intp]) -> None:
        known = np.where(np.isfinite(samples), samples, np.nan)
        blank = np.isnan(known).all(axis=0)
        known[:, blank] = 0.0
        level = np.nanmedian(known, axis=0)
        apart = known - level
        spread = np.nanpercentile(np.abs(apart), 75, axis=0)
        spread = np.maximum(spread, 0.5 * np.nanstd(apart, axis=0))
        peak = np.maximum(np.nanquantile(apart, PEAK_QUANTILE, axis=0), 0.0)
        over = np.where(apart > peak, apart - peak, 0.0)
        self._level[streams], self._spread[streams] = level, spread
        self._peak[streams] = peak
        self._seen[streams] = np.isfinite(samples).sum(axis=0)
        self._tail.count[streams] = (over > 0).sum(axis=0)
        self._tail.total[streams] = over.sum(axis=0)
        self._tail.squares[streams] = (over**2).sum(axis=0)

    def _limit(self) -> FloatArray:
        """(m,) distance above the level with probability ``risk`` of being passed."""
        # One imagined peak of the least size keeps a short calibration from being over-precise.
        floor = np.maximum(LEAST_EXCESS * self._spread, np.finfo(float).tiny)
        count = self._tail.count + 1
        prior = np.maximum(self._spread, floor)
        mean = np.maximum((self._tail.total + prior) / count, floor)
        square = (self._tail.squares + 2 * prior**2) / count
        variance = np.maximum(square - mean**2, np.finfo(float).tiny)
        ratio = mean**2 / variance
        shape = np.clip(0.5 * (1 - ratio), -MOST_SHAPE, self._heaviest)
        scale = mean * (1 - shape)
        odds = self._risk * np.maximum(self._seen, 1) / count
        odds = np.minimum(odds, 1.0)
        safe = np.where(np.abs(shape) < 1e-6, 1.0, shape)
        tail = np.where(np.abs(shape) < 1e-6, -np.log(odds), (odds ** (-safe) - 1) / safe)
        limit: FloatArray = self._peak + scale * tail
        return limit
