"""When the anomaly began: the alert time is a hint, the data decide.

An alert fires late, early or at somebody else's fault, and a ranking that trusts it compares fault
with fault (notes: rca-findings, "Re-anchor first"). Here every column votes for its own best
change point, weighted by how cleanly it changes there; a consensus near the alert wins.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.analyze.stretches import LEAST_SHARE as LEAST_STRETCH_SHARE
from aiops.analyze.stretches import stretches
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
ALERT_FIRST_TRUST = 0.05
"""The same after the alert: alerts are late more often than early."""
LEVEL_KNOWN = 0.02
"""Share of its level to which a column is known: one more open file of twenty is no clean step,
however still the rest of the column was."""
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


def consensus(
    values: FloatArray, alert: int | None, least: FloatArray | None = None
) -> tuple[int, int] | None:
    """The rows between which most columns stand off cleanly, preferring rows near the alert.

    Args:
        values: (n, m) without NaN.
        alert: row of the alert, None where unknown.
        least: (m,) the smallest change of each column that anybody cares about; 0 where unknown.

    Returns:
        The row where they left, and the one where they came back (n where they did not); None
        where no change stands out.
    """
    rows = len(values)
    votes = _votes(values, alert, least)
    tally = _tally(votes.first, votes.weight, rows)
    nearby = tally if alert is None else _tally(votes.first, _near(votes, alert, rows), rows)
    row = int(nearby.argmax())
    if nearby[row] < LEAST_CONSENSUS:
        # Nothing changed near the alert: it is late, and the clearest change wherever it was
        # counts.
        row = int(tally.argmax())
        if row < FAR_BASELINE * rows or tally[row] < FAR_CONSENSUS:
            return None
    return row, _end(votes, row, rows)


@dataclass(frozen=True, slots=True, eq=False)
class _Votes:
    """(m,) per column: from which row on it stands off, until which, and how cleanly, in nats."""

    first: npt.NDArray[np.intp]
    end: npt.NDArray[np.intp]
    weight: FloatArray


def _votes(values: FloatArray, alert: int | None, least: FloatArray | None) -> _Votes:
    """What came back to where it was began when it left; before the alert it is another story."""
    first, share = change_points(values)
    variance = values.var(axis=0)
    blur = LEVEL_KNOWN * np.abs(values.mean(axis=0))
    if least is not None:
        blur = np.maximum(blur, least)
    known = variance / np.where(variance > 0, variance + blur**2, 1.0)
    weight = _nats(share * known, LEAST_SHARE_EXPLAINED)
    end = np.full(len(first), len(values), dtype=np.intp)
    found = stretches(values, first)
    clean = _nats(found.share * known, LEAST_STRETCH_SHARE)
    back = found.returned & (share > 0)
    if alert is not None:
        clean = np.where(found.end > alert, clean, 0.0)
    left = found.first == first
    weight = np.where(back, np.where(left, np.maximum(weight, clean), clean), weight)
    first = np.where(back, found.first, first)
    end = np.where(back & (clean > 0), found.end, end)
    return _Votes(first, end, weight)


def _near(votes: _Votes, alert: int, rows: int) -> FloatArray:
    """(m,) votes, less the farther from the alert; whatever lasts while it fires is not far."""
    off = (votes.first - alert) / rows
    distance = np.maximum(-off / ALERT_TRUST, off / ALERT_FIRST_TRUST)
    lasts = (votes.first <= alert) & (alert < votes.end) & (votes.end < rows)
    near: FloatArray = votes.weight / (1 + np.where(lasts, 0.0, distance))
    return near


def _nats(share: FloatArray, least: float) -> FloatArray:
    nats: FloatArray = np.maximum(-np.log1p(-np.minimum(share, 1 - 1e-6)) + np.log1p(-least), 0.0)
    return nats


def _tally(at: npt.NDArray[np.intp], weight: FloatArray, rows: int) -> FloatArray:
    """(rows + 1,) summed votes, each also counted a little for the rows beside it."""
    tally = np.bincount(at, weights=weight, minlength=rows + 1).astype(np.float64)
    reach = max(1, rows // 60)
    kernel = 1 - np.abs(np.arange(-reach, reach + 1)) / (reach + 1)
    return np.convolve(tally, kernel, mode="same")


def _end(votes: _Votes, row: int, rows: int) -> int:
    """Where most of what left by ``row`` and stayed off came back together; else ``rows``."""
    reach = max(2, round(rows * ALERT_TRUST))
    party = (votes.weight > 0) & (np.abs(votes.first - row) <= reach) & (votes.end > row + 1)
    back = party & (votes.end < rows)
    tally = _tally(votes.end[back], votes.weight[back], rows)
    end = int(tally.argmax())
    agreed = tally[end] >= LEAST_CONSENSUS and tally[end] > votes.weight[party].sum() / 2
    return end if agreed and end >= row + 2 else rows


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
    times: FloatArray,
    values: FloatArray,
    alert_at: float | None,
    signal: FloatArray | None,
    least: FloatArray | None = None,
) -> Anomaly:
    """The anomalous rows of a window.

    Args:
        times: (n,) ascending, n >= 2.
        values: (n, m) without NaN.
        alert_at: time of the alert, None where unknown.
        signal: (n,) the alert's own metric, where it names one.
        least: (m,) see ``consensus``.
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
    agreed = consensus(values, alert, least)
    if agreed is not None and 2 <= agreed[0] <= rows - 2:
        return Anomaly(*agreed, found=True)
    fallback = alert if alert is not None else max(2, rows // 6)
    return Anomaly(max(1, min(fallback, rows - 1)), rows, found=False)


def at_alert(times: FloatArray, alert_at: float | None) -> Anomaly:
    """Everything from the alert on, taken at its word; for comparison."""
    rows = len(times)
    alert = rows // 2 if alert_at is None else int(np.searchsorted(times, alert_at))
    return Anomaly(max(1, min(alert, rows - 1)), rows, found=False)
