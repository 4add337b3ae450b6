"""What is usual at this time of the season: one slowly learning level per phase.

A daily rhythm is no anomaly. Each stream keeps a level and a mean deviation for every phase of
the season; memory is O(phases * streams) and each sample costs O(streams).
"""

import numpy as np

from aiops.model.telemetry import FloatArray

LEARNING = 0.2
"""Share by which a phase's level moves to what was seen in it: five seasons to forget."""
MOST_PHASES = 288
"""Phases kept per season: five minutes of a day; finer ones see too little each."""


class SeasonalBaseline:
    """Residuals of many streams against their usual level at the same phase.

    Args:
        season: its length in seconds.
        interval: seconds between samples.
        streams: how many.

    Raises:
        ValueError: a season or an interval that is not positive.
    """

    def __init__(self, season: float, interval: float, streams: int) -> None:
        if not (season > 0 and interval > 0):
            raise ValueError(f"a season of {season} s sampled every {interval} s has no phases")
        self._season = season
        phases = max(1, min(MOST_PHASES, round(season / interval)))
        self._level = np.full((phases, streams), np.nan)
        self._overall = np.full(streams, np.nan)

    def residual(self, time: float, sample: FloatArray) -> FloatArray:
        """(m,) the sample less what is usual at ``time`` (unix seconds); teaches nothing.

        A phase not seen yet falls back on the stream's overall level, and a stream never seen on
        itself: its residual is 0.
        """
        usual = self._level[self._phase(time)]
        usual = np.where(np.isnan(usual), self._overall, usual)
        left: FloatArray = sample - np.where(np.isnan(usual), sample, usual)
        return left

    def learn(self, time: float, sample: FloatArray) -> None:
        """Takes a (m,) sample as usual at ``time``; NaN teaches nothing."""
        row = self._level[self._phase(time)]
        self._level[self._phase(time)] = _moved(row, sample)
        self._overall = _moved(self._overall, sample)

    def _phase(self, time: float) -> int:
        return int((time % self._season) / self._season * len(self._level))


def _moved(level: FloatArray, sample: FloatArray) -> FloatArray:
    known = np.isfinite(sample)
    step = np.where(np.isnan(level), sample, level + LEARNING * (sample - level))
    moved: FloatArray = np.where(known, step, level)
    return moved
