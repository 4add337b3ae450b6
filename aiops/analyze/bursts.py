"""Faults that come and go: what a median over the anomalous rows does not see.

A queue that fills every few minutes, a job that hogs the disk for a quarter of the time: most rows
are as before. What gives it away is that many rows lie above everything seen before.
"""

import numpy as np

from aiops.analyze.onset import Anomaly
from aiops.model.telemetry import FloatArray

LEAST_BASELINE = 20
"""Rows before the anomaly under which nobody knows how high a column may go."""
LEAST_SHARE = 0.1
"""Share of the anomalous rows that must lie above the baseline's highest."""
LEAST_RUN = 2
"""Rows that an excursion lasts in the mean: single rows are what heavy tails are made of."""
CHANCE = 0.001
"""How probable it may be, over all columns, that equal distributions look so."""


def mean_rise(values: FloatArray, anomaly: Anomaly) -> FloatArray:
    """(m,) how far bursts raise the mean of each column, in its own unit; 0 where there are none.

    Whether there are any is the exceedance test of Rosenbaum (1954): of n rows before and k after,
    that the j highest all lie after has a probability of about (k / (n + k)) ** j.

    Args:
        values: (n, m) without NaN.
    """
    baseline, during = values[: anomaly.first], values[anomaly.first : anomaly.end]
    if len(baseline) < LEAST_BASELINE:
        return np.zeros(values.shape[1])
    above = during > baseline.max(axis=0)
    count = above.sum(axis=0)
    runs = (np.diff(above.astype(np.int8), axis=0, prepend=0) > 0).sum(axis=0)
    surprising = np.log(values.shape[1] / CHANCE) / np.log1p(len(baseline) / len(during))
    least = np.maximum(LEAST_SHARE * len(during), surprising)
    burst = (count >= least) & (count >= LEAST_RUN * runs)
    rise = np.zeros(values.shape[1])
    for column in np.flatnonzero(burst):
        level = np.median(during[above[:, column], column])
        usual = np.median(baseline[:, column])
        rise[column] = (level - usual) * count[column] / len(during)
    return rise
