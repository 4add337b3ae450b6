"""Past windows of every series, and their split into trend and seasonal part *along time*.

RUN's reference code hands its moving average an array of (batch, time, channels) with the last two
axes exchanged, so that it smooths across neighbouring channels: a series' "trend" there depends on
the order of the columns. Here a window is (rows, series, time) and only the last axis is smoothed.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from aiops.model.telemetry import FloatArray

WINDOW = 32
"""Rows of the past a forecast sees, as in RUN."""
KERNEL = 25
"""Rows of the moving average that is the trend, as in RUN and DLinear (Zeng et al., AAAI 2023)."""
WINDOWS_IN_ROWS = 10
"""Least windows that must fit into the rows: a shorter table gets shorter windows, so that enough
blocks of one window's length are left to permute."""
SHORTEST = 4
"""Rows under which a window has no trend to speak of."""
FEWEST_ROWS = WINDOWS_IN_ROWS * SHORTEST


class Crops(NamedTuple):
    """Pairs of overlapping stretches of rows; the rows both contain are the same timestamps.

    Attributes:
        first, second: (pairs, overlap, window) row numbers of the window that ends at each common
            row, as seen within the earlier and the later stretch. What lies before a stretch is
            unseen: its first row stands in.
    """

    first: npt.NDArray[np.intp]
    second: npt.NDArray[np.intp]


def window_length(rows: int) -> int:
    """Rows of a window for ``rows`` rows, at most ``WINDOW``; 0 where they are too few."""
    return min(WINDOW, rows // WINDOWS_IN_ROWS) if rows >= FEWEST_ROWS else 0


def past_windows(values: FloatArray, length: int) -> FloatArray:
    """(n - length, m, length) the rows before each of the rows ``length``, ..., n - 1.

    Args:
        values: (n, m).
    """
    view = np.lib.stride_tricks.sliding_window_view(values, length, axis=0)
    return view[:-1]


def trend_operator(length: int, kernel: int = KERNEL) -> FloatArray:
    """(length, length) matrix whose product with a window is its centred moving average.

    The ends are padded with the first and last row (DLinear's ``series_decomp``). A kernel longer
    than the window is cut to the largest odd length that fits.
    """
    reach = (min(kernel, length - 1 + length % 2)) // 2
    operator = np.zeros((length, length))
    for row in range(length):
        seen = np.clip(np.arange(row - reach, row + reach + 1), 0, length - 1)
        np.add.at(operator[row], seen, 1 / (2 * reach + 1))
    return operator


def decompose(windows: FloatArray) -> FloatArray:
    """(..., 2 * length) trend, then the rest, of windows (..., length)."""
    trend = windows @ trend_operator(windows.shape[-1]).T
    return np.concatenate([trend, windows - trend], axis=-1)


def nearness(length: int, decay: float) -> FloatArray:
    """(2 * length,) scale of each input of a decomposed window: lag ** -decay, lag 1 being last."""
    scale = np.arange(length, 0, -1.0) ** -decay
    return np.concatenate([scale, scale])


def random_crops(rows: int, length: int, pairs: int, rng: np.random.Generator) -> Crops:
    """Pairs of stretches of twice a window's length, the second up to a window later.

    Two views of the same timestamps that differ only in how much of the past they show
    (TS2Vec, Yue et al., AAAI 2022, section 2.3; RUN, section "contrastive learning").
    """
    stretch = min(2 * length, rows - 2)
    shift = int(rng.integers(1, min(length, rows - stretch) + 1))
    starts = rng.integers(0, rows - stretch - shift + 1, size=pairs)
    common = starts[:, None] + np.arange(shift, stretch)
    past = common[:, :, None] + np.arange(1 - length, 1)
    return Crops(
        np.maximum(past, starts[:, None, None]), np.maximum(past, starts[:, None, None] + shift)
    )
