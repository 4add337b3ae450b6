"""Changes that come and go: the stretch of rows in which a column stands off from all others."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.model.telemetry import FloatArray

LEAST_SHARE = 0.75
"""Of a column's variance; a random walk's best two splits explain about as much."""
BACK = 0.5
"""Share of the way out that may be left when a column counts as back: nearer to where it began
than to where it was."""
LEAST_LENGTH = 0.1
"""Share of the rows: one odd request stays for as long as rates and quantiles look back."""
EDGE_SHARE = 0.05
"""Share of the window at each of its ends, and beside a split, in which nothing is split: as for
single change points."""
_BLOCK = 512  # columns at a time: bounds memory on wide tables


@dataclass(frozen=True, slots=True, eq=False)
class Stretches:
    """(m,) per column.

    Attributes:
        first, end: first row of the stretch, and one past its last.
        share: of the column's variance that the three means explain, 0 to 1.
        returned: whether the rows after it lie where those before it do, and it lasted.
    """

    first: npt.NDArray[np.intp]
    end: npt.NDArray[np.intp]
    share: FloatArray
    returned: npt.NDArray[np.bool_]


def stretches(values: FloatArray, split: npt.NDArray[np.intp]) -> Stretches:
    """Split each column once more, on that side of ``split`` where it tells most.

    Binary segmentation (Vostrikova 1981), two steps of it; the shape looked for is that of
    circular binary segmentation (Olshen et al. 2004): one stretch unlike the rest.

    Args:
        values: (n, m) without NaN.
        split: (m,) row of each column's best single split; 0 where it has none.
    """
    rows, width = values.shape
    found = Stretches(
        np.zeros(width, dtype=np.intp),
        np.full(width, rows, dtype=np.intp),
        np.zeros(width),
        np.zeros(width, dtype=np.bool_),
    )
    edge = max(2, min(10, int(rows * EDGE_SHARE)))
    for low in range(0, width, _BLOCK):
        part = slice(low, low + _BLOCK)
        _split_again(values[:, part], split[part], edge, found, part)
    return found


def _split_again(
    values: FloatArray,
    split: npt.NDArray[np.intp],
    edge: int,
    found: Stretches,
    part: slice,
) -> None:
    rows = len(values)
    centred = values - values.mean(axis=0)
    total = np.einsum("ij,ij->j", centred, centred)
    sums = np.concatenate([np.zeros((1, centred.shape[1])), np.cumsum(centred, axis=0)])
    at_split = np.take_along_axis(sums, split[None], axis=0)[0]
    row = np.arange(rows + 1, dtype=np.float64)[:, None]
    with np.errstate(divide="ignore", invalid="ignore"):
        # Sums of squares between means, beyond what the first split explains; sums[rows] is 0.
        left = sums**2 / row + (at_split - sums) ** 2 / (split - row) - at_split**2 / split
        beyond = row - split
        right = (
            (sums - at_split) ** 2 / beyond + sums**2 / (rows - row) - at_split**2 / (rows - split)
        )
        first_gain = at_split**2 / split + at_split**2 / (rows - split)
    within_left = (row >= edge) & (row <= split - edge)
    within_right = (row >= split + edge) & (row <= rows - edge)
    gain = np.where(within_left, left, np.where(within_right, right, -np.inf))
    best = gain.argmax(axis=0)
    chosen = np.take_along_axis(gain, best[None], axis=0)[0]
    known = np.isfinite(chosen) & (split > 0) & (total > 0)
    first, end = np.minimum(best, split), np.maximum(best, split)
    at_first, at_end = (np.take_along_axis(sums, place[None], axis=0)[0] for place in (first, end))
    with np.errstate(divide="ignore", invalid="ignore"):
        before, after = at_first / first, -at_end / (rows - end)
        during = (at_end - at_first) / (end - first)
        share = (first_gain + chosen) / total
    lasted = end - first >= LEAST_LENGTH * rows
    returned = known & lasted & (np.abs(after - before) <= BACK * np.abs(during - before))
    found.first[part] = np.where(known, first, 0)
    found.end[part] = np.where(known, end, rows)
    found.share[part] = np.where(known, np.clip(share, 0.0, 1.0), 0.0)
    found.returned[part] = returned
