"""When the anomaly began: the alert time is a hint, the data decide.

An alert fires late, early or at somebody else's fault, and a ranking that trusts it compares fault
with fault (notes: rca-findings, "Re-anchor first"). Here every column votes for its own best
change point, weighted by how cleanly it changes there; a consensus near the alert wins.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.model.telemetry import FloatArray

LEAST_VOTE_ROWS = 40
"""Rows below which change points are too coarse to overrule the alert."""
LEAST_SHARE_EXPLAINED = 0.5
"""A random walk's best split explains about half to two thirds of its variance: no vote below."""
LEAST_CONSENSUS = 2.0
"""Nats of summed votes under which nothing changed together: the alert time stands."""
FAR_CONSENSUS = 3.0
"""The same far from the alert, where chance has more rows to choose from: a single column whose
step explains 97.5 % of its variance."""
FAR_BASELINE = 0.1
"""Share of the window that must lie before such a change: less is a start, not a baseline."""
ALERT_TRUST = 0.1
"""Share of the window's length at which a change point's votes count half for being far off."""
EDGE_SHARE = 0.05
"""Share of the window at each end where a split has too few rows on one side to vote."""
COARSE_ROWS = 10
"""With this few rows after the alert every row counts: the alert's own metric picks them."""
_BLOCK = 512  # columns at a time: bounds memory on wide tables


@dataclass(frozen=True, slots=True)
class Anomaly:
    """The rows in question.

    Attributes:
        first: first anomalous row; the rows before it are the baseline.
        end: one past the last anomalous row.
        found: whether the data named it (a consensus or the alert's own metric), or the alert
            time was taken as it is.
    """

    first: int
    end: int
    found: bool


def change_points(values: FloatArray) -> tuple[npt.NDArray[np.intp], FloatArray]:
    """Best single mean-shift split of each column (Hinkley 1970), by exact least squares.

    Args:
        values: (n, m) without NaN.

    Returns:
        (m,) first row of the second part, and (m,) share of variance the split explains, 0 to 1.
    """
    rows, columns = values.shape
    edge = max(2, min(10, int(rows * EDGE_SHARE)))
    split = np.zeros(columns, dtype=np.intp)
    share = np.zeros(columns)
    if rows < 2 * edge:
        return split, share
    counts = np.arange(1, rows, dtype=np.float64)
    weight = (rows / (counts * (rows - counts)))[edge - 1 : rows - edge, None]
    for low in range(0, columns, _BLOCK):
        block = values[:, low : low + _BLOCK]
        centred = block - block.mean(axis=0)
        total = np.einsum("ij,ij->j", centred, centred)
        alive = total > 1e-20 * rows * np.abs(block).max(axis=0) ** 2
        sums = np.cumsum(centred, axis=0)[edge - 1 : rows - edge]
        between = sums**2 * weight
        best = between.argmax(axis=0)
        chosen = np.take_along_axis(between, best[None], axis=0)[0]
        split[low : low + _BLOCK] = best + edge
        share[low : low + _BLOCK] = np.where(alive, chosen / np.where(alive, total, 1.0), 0.0)
    return split, np.clip(share, 0.0, 1.0)


def consensus(values: FloatArray, alert: int | None) -> int | None:
    """The row where most columns change cleanly, preferring rows near the alert.

    Args:
        values: (n, m) without NaN.
        alert: row of the alert, None where unknown.

    Returns:
        The row, or None where no change stands out.
    """
    rows = len(values)
    split, share = change_points(values)
    votes = np.maximum(
        -np.log1p(-np.minimum(share, 1 - 1e-6)) + np.log1p(-LEAST_SHARE_EXPLAINED), 0.0
    )
    tally: FloatArray = np.bincount(split, weights=votes, minlength=rows + 1).astype(np.float64)
    reach = max(1, rows // 150)
    kernel = 1 - np.abs(np.arange(-reach, reach + 1)) / (reach + 1)
    tally = np.convolve(tally, kernel, mode="same")
    if alert is None:
        nearby = tally
    else:
        distance = np.abs(np.arange(len(tally)) - alert) / rows
        nearby = tally / (1 + distance / ALERT_TRUST)
    row = int(nearby.argmax())
    if nearby[row] >= LEAST_CONSENSUS:
        return row
    # Nothing changed near the alert: it is late, and the clearest change wherever it was counts.
    row = int(tally.argmax())
    settled = row >= FAR_BASELINE * rows
    return row if settled and tally[row] >= FAR_CONSENSUS else None


def around_alert(signal: FloatArray, alert: int) -> tuple[int, int] | None:
    """The stretch of rows around ``alert`` in which the alert's own metric stands off most.

    The fault may be over before the window ends, so both ends are searched: the contrast of the
    stretch with the rows around it, in pooled standard deviations, over all stretches that hold
    the alert.

    Args:
        signal: (n,) the metric that broke, without NaN.
        alert: the row whose interval holds the alert.

    Returns:
        (first, end) rows, or None where the window is too short to tell.
    """
    rows = len(signal)
    after = max(2, rows - alert)
    tiny = 0.02 * np.abs(signal).max() + np.finfo(float).tiny
    best: tuple[float, int, int] | None = None
    for first in range(max(2, alert - 2), min(rows - 1, alert + 2) + 1):
        for end in range(max(first + 2, alert + 1), rows + 1):
            inside = signal[first:end]
            outside = np.concatenate([signal[max(0, first - after) : first], signal[end:]])
            spread = np.sqrt(
                ((inside - inside.mean()) ** 2).sum() + ((outside - outside.mean()) ** 2).sum()
            )
            sizes = len(inside) * len(outside) / (len(inside) + len(outside))
            contrast = abs(inside.mean() - outside.mean()) * np.sqrt(sizes) / (spread + tiny)
            if best is None or contrast > best[0]:
                best = (float(contrast), first, end)
    return None if best is None else best[1:]


def locate(
    times: FloatArray, values: FloatArray, alert_at: float | None, signal: FloatArray | None
) -> Anomaly:
    """The anomalous rows of a window.

    Args:
        times: (n,) ascending, n >= 2.
        values: (n, m) without NaN.
        alert_at: time of the alert, None where unknown.
        signal: (n,) the alert's own metric, where it names one.
    """
    rows, alert = len(values), None
    if alert_at is not None:
        first_after = int(np.searchsorted(times, alert_at))
        if signal is not None and 1 <= rows - first_after <= COARSE_ROWS:
            # The alert falls into the interval that the row before it summarises.
            holding = int(np.searchsorted(times, alert_at, side="right")) - 1
            stretch = around_alert(signal, max(1, holding))
            if stretch is not None:
                return Anomaly(*stretch, found=True)
        alert = first_after if 1 <= first_after <= rows - 1 else None
    if alert is not None and rows < LEAST_VOTE_ROWS:
        return Anomaly(alert, rows, found=False)
    row = consensus(values, alert)
    if row is not None and 2 <= row <= rows - 2:
        return Anomaly(row, rows, found=True)
    fallback = alert if alert is not None else max(2, rows // 6)
    return Anomaly(max(1, min(fallback, rows - 1)), rows, found=False)


def at_alert(times: FloatArray, alert_at: float | None) -> Anomaly:
    """Everything from the alert on, taken at its word; for comparison."""
    rows = len(times)
    alert = rows // 2 if alert_at is None else int(np.searchsorted(times, alert_at))
    return Anomaly(max(1, min(alert, rows - 1)), rows, found=False)
