"""Which contributions to a forecast are more than luck: block permutation, in closed form.

If source i does not drive target j, then the contribution g of i to j's forecast, made by a model
that did not see the row, fits j no better in its own place in time than moved elsewhere. Blocks as
long as the forecaster's window are moved, not rows, so that autocorrelation moves along with them.
The statistic is the sum over blocks of <r, g>, with r what is left of the target without source i.
Its mean and variance over *all* permutations of the blocks are known (Hoeffding, "A combinatorial
central limit theorem", Annals of Mathematical Statistics 22, 1951), so none need be drawn and p
values do not end at one over their number.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.analyze.granger import benjamini_hochberg
from aiops.model.telemetry import FloatArray

BoolArray = npt.NDArray[np.bool_]

ALPHA = 0.05
"""Share of false edges tolerated among those drawn."""
TINY = 1e-12
"""Variance of the statistic under which a contribution is nothing but rounding."""
TWINS = 0.999
"""Correlation from which two series are one signal under two names: each predicts the other as it
predicts itself, and neither direction can be told."""
_CHUNK = 4_000_000  # numbers in one batch of block products: bounds memory on wide tables


@dataclass(frozen=True, slots=True, eq=False)
class Edges:
    """Every ordered pair's test, ``[source, target]``.

    Attributes:
        z: (m, m) the statistic in its standard deviations under permutation; 0 where there is none.
        p: (m, m) chance of as much, one-sided; NaN on the diagonal and for what is not testable.
        q: (m, m) corrected over all pairs, each weighted by its prior; NaN likewise.
        gain: (m, m) by how much the target's forecast error grows without the source, as a share.
        present: (m, m) the edges.
    """

    z: FloatArray
    p: FloatArray
    q: FloatArray
    gain: FloatArray
    present: BoolArray


def significant_edges(
    contributions: FloatArray,
    residuals: FloatArray,
    *,
    block: int,
    prior: FloatArray | None = None,
    testable: BoolArray | None = None,
) -> Edges:
    """Test every pair by moving blocks of the source's contribution in time.

    Args:
        contributions: (n, m, m) [row, source, target].
        residuals: (n, m) [row, target].
        block: rows of a block; the first rows that fill none are left out.
        prior: (m, m) weight of each pair's hypothesis, as in weighted false discovery control
            (Genovese, Roeder and Wasserman, Biometrika 93, 2006); scaled to average 1.
        testable: (m, m) False for pairs that cannot be told apart (see ``distinct``).

    Raises:
        ValueError: under two blocks.
    """
    from scipy.special import stdtr

    blocks = len(residuals) // block
    if blocks < 2:
        raise ValueError(f"{len(residuals)} rows hold no two blocks of {block}; shorten the blocks")
    width = residuals.shape[1]
    z = np.zeros((width, width))
    gain = np.zeros((width, width))
    step = max(1, _CHUNK // (len(residuals) * width))
    for low in range(0, width, step):
        part = slice(low, low + step)
        own = contributions[:, :, part]
        left = own + residuals[:, None, part]
        z[:, part] = permutation_z(left, own, block)
        error = residuals[:, part].var(axis=0)
        gain[:, part] = left.var(axis=0) / np.where(error > 0, error, 1.0) - 1.0
    # Student's tail allows for the few blocks that the variance is taken over.
    p = np.asarray(stdtr(blocks - 1, -z))
    np.fill_diagonal(p, np.nan)
    if testable is not None:
        p[~testable] = np.nan
    q = benjamini_hochberg(weighted(p, prior))
    return Edges(z, p, q, gain, np.asarray(q < ALPHA))  # False where q is NaN


def distinct(values: FloatArray) -> BoolArray:
    """(m, m) whether two standardized series, (n, m), are two signals and not one twice."""
    return np.asarray(np.abs(values.T @ values) < TWINS * len(values))


def permutation_z(left: FloatArray, contribution: FloatArray, block: int) -> FloatArray:
    """(...,) standardized block-permutation statistic of pairs of series, (n, ...) each."""
    blocks = len(left) // block
    shape = (blocks, block, *left.shape[1:])
    mine = left[-blocks * block :].reshape(shape)
    other = contribution[-blocks * block :].reshape(shape)
    products = np.einsum("bl...,cl...->bc...", mine, other)
    observed = np.einsum("bb...->...", products)
    expected = products.sum(axis=(0, 1)) / blocks
    centred = products - products.mean(axis=0, keepdims=True)
    centred -= centred.mean(axis=1, keepdims=True)
    variance = np.square(centred).sum(axis=(0, 1)) / (blocks - 1)
    z: FloatArray = np.divide(
        observed - expected,
        np.sqrt(variance),
        out=np.zeros_like(observed),
        where=variance > TINY,
    )
    return z


def weighted(p: FloatArray, prior: FloatArray | None) -> FloatArray:
    """p values divided by their weights, which average 1 over the pairs tested; at most 1."""
    if prior is None:
        return p
    share = prior / prior[np.isfinite(p)].mean() if np.isfinite(p).any() else prior
    return np.minimum(p / share, 1.0)
