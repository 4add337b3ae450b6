"""Granger causality for all pairs of columns at once.

x Granger-causes y where the past of x improves the prediction of y by y's own past (Granger,
"Investigating causal relations by econometric models and cross-spectral methods", Econometrica
37, 1969). The test is the F test of nested regressions, statsmodels' ``ssr_ftest``:

    F = ((SSR_own - SSR_joint) / L) / (SSR_joint / (T - 2L - 1)),  T = n - L rows, L lags.

F depends only on the *spaces* the lags span. So every column's lags are made orthonormal once
(QR), target and source alike, and a pair needs only the L x L products of two bases: one matrix
product for all pairs. Pairs whose spaces nearly meet are done again one by one with a full QR.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from aiops.analyze.columns import Dropped, Standardized, standardize
from aiops.errors import AnalysisFailed
from aiops.model.telemetry import FloatArray, IntArray

BoolArray = npt.NDArray[np.bool_]
Criterion = Literal["aic", "bic"]

# A direction whose sine against the others is below this is the same direction.
SAME_DIRECTION = 1e-10
# Squared sines below this lose digits in the products of bases: such pairs take the exact path.
NEARLY_SAME = 1e-4
# Joint residuals below this share of the own residuals: the subtraction loses digits, as above.
NEARLY_PERFECT = 1e-4
BLOCK_CELLS = 65_536  # cells in one (targets x sources) plane: large enough for matrix products
EXACT_PAIRS = 256  # pairs in one batch of the exact path


@dataclass(frozen=True, slots=True, eq=False)
class GrangerResult:
    """Every ordered pair's test; ``[source, target]``, in the order of the columns given.

    Attributes:
        lags: (m,) lags used for each target; 0 where the column was dropped.
        f: (m, m) F statistics, NaN where the pair is not identifiable.
        p: (m, m) p values, NaN likewise.
        q: (m, m) p values corrected over all identifiable pairs (Benjamini and Hochberg, 1995).
        identifiable: (m, m) False for the diagonal, for dropped columns, and where source and
            target share a direction of their pasts (rank-deficient design) or fit perfectly.
        dropped: columns that could not be tested, and why.
    """

    lags: IntArray
    f: FloatArray
    p: FloatArray
    q: FloatArray
    identifiable: BoolArray
    dropped: tuple[Dropped, ...]


def granger(
    values: FloatArray, *, lag: int | Criterion = "bic", max_lag: int = 10
) -> GrangerResult:
    """Test every ordered pair of columns.

    Columns are standardized first (see :func:`aiops.analyze.columns.standardize`: gaps bridged
    by straight lines, constant and empty columns dropped); nothing is differenced here.

    Args:
        values: (n, m) equally spaced rows; NaN where there is no sample.
        lag: number of lags, or the information criterion that chooses it for each target.
        max_lag: the most lags a criterion may choose; cut to what the rows can carry.

    Raises:
        AnalysisFailed: too few rows for the lags asked (n must exceed 3 lags + 1).
        ValueError: a lag below 1.
    """
    rows, columns = values.shape
    least = max_lag if isinstance(lag, str) else lag
    if least < 1:
        raise ValueError(f"lags start at 1, not {least}")
    most = (rows - 2) // 3
    if most < (1 if isinstance(lag, str) else lag):
        raise AnalysisFailed(
            f"granger: {rows} rows cannot carry {least} lags; "
            f"widen the window to {3 * least + 2} rows or ask for fewer lags"
        )
    table = standardize(values)
    if isinstance(lag, str):
        chosen = choose_lags(table, criterion=lag, max_lag=min(max_lag, most))
    else:
        chosen = np.full(len(table.kept), lag, dtype=np.int32)

    lags = np.zeros(columns, dtype=np.int32)
    lags[table.kept] = chosen
    f = np.full((columns, columns), np.nan)
    p = np.full((columns, columns), np.nan)
    for length in np.unique(chosen):
        targets = np.flatnonzero(chosen == length)
        bases = _Bases.of(table, int(length))
        for block, ratio in _ratios(bases, targets):
            statistic = ratio * (bases.freedom / length)
            # The block is [target, source]; the result is [source, target].
            place = np.ix_(table.kept, table.kept[block])
            f[place] = statistic.T
            p[place] = _f_tail(int(length), bases.freedom, statistic).T
    return GrangerResult(lags, f, p, benjamini_hochberg(p), np.isfinite(p), table.dropped)


def choose_lags(table: Standardized, *, criterion: Criterion, max_lag: int) -> IntArray:
    """The lags of each target: those of the best two-variable model of it.

    For every length the criterion (Akaike 1974; Schwarz 1978) is that of the target's best
    single source, so one true cause at lag 5 is not outvoted by a hundred columns that say
    nothing. All lengths are judged on the same rows, those that ``max_lag`` leaves.

    Returns: (kept,) lags, 1 to ``max_lag``; 1 where no pair of the target is identifiable.
    """
    width = table.values.shape[1]
    rows = table.values.shape[0] - max_lag
    scores = np.full((max_lag, width), np.inf)
    for length in range(1, max_lag + 1):
        bases = _Bases.of(table, length, skip=max_lag - length)
        price = (2 * length + 1) * (2.0 if criterion == "aic" else np.log(rows))
        for block, ratio in _ratios(bases, np.arange(width)):
            best = np.max(np.nan_to_num(ratio, nan=-1.0), axis=1, initial=-1.0)
            known = best >= 0
            left = bases.own_ssr[block[known]] / (1.0 + best[known])
            scores[length - 1, block[known]] = rows * np.log(left / rows) + price
    chosen: IntArray = (np.argmin(scores, axis=0) + 1).astype(np.int32)
    return chosen


def benjamini_hochberg(p: FloatArray) -> FloatArray:
    """Corrected p values (Benjamini and Hochberg, 1995); NaN stays NaN and is not counted."""
    q = np.full(p.shape, np.nan)
    tested = np.isfinite(p)
    raw = p[tested]
    order = np.argsort(raw)
    scaled = raw[order] * (raw.size / np.arange(1, raw.size + 1))
    corrected = np.empty_like(raw)
    corrected[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    q[tested] = corrected
    return q


def _f_tail(numerator: int, denominator: int, f: FloatArray) -> FloatArray:
    from scipy.special import fdtrc

    tail: FloatArray = fdtrc(numerator, denominator, f)
    return tail


@dataclass(frozen=True, slots=True, eq=False)
class _Bases:
    """Orthonormal bases of every column's lags, and what they leave of the column itself.

    Attributes:
        lags: (L, T, m) the k-th basis vector of each column's centred lags.
        residuals: (T, m) each column regressed on its own lags and a constant.
        own_ssr: (m,) squared norm of the residuals.
        sound: (m,) False where a column's own lags are collinear or predict it perfectly.
        blur: (m,) sine below which a direction is rounding of the column's own values.
    """

    lags: FloatArray
    residuals: FloatArray
    own_ssr: FloatArray
    sound: BoolArray
    blur: FloatArray

    @property
    def freedom(self) -> int:
        """Residual degrees of freedom of the joint model."""
        length, rows = self.lags.shape[0], self.lags.shape[1]
        return int(rows - 2 * length - 1)

    @classmethod
    def of(cls, table: Standardized, length: int, *, skip: int = 0) -> "_Bases":
        """Bases of ``length`` lags over the rows after the first ``length + skip``."""
        rows, width = table.values.shape
        start = length + skip
        lags = np.empty((length, rows - start, width))
        now = table.values[start:] - table.values[start:].mean(axis=0)
        residuals = np.empty_like(now)
        weakest = np.empty(width)
        step = max(1, BLOCK_CELLS * 8 // max(1, rows * length))  # bounds the copies QR makes
        for low in range(0, width, step):
            part = slice(low, low + step)
            past = np.stack(
                [table.values[start - k : rows - k, part].T for k in range(1, length + 1)], axis=2
            )
            past -= past.mean(axis=1, keepdims=True)
            norms = np.sqrt(np.einsum("mtk,mtk->mk", past, past))
            past /= np.where(norms > 0, norms, 1.0)[:, None, :]
            basis, triangle = np.linalg.qr(past)
            weakest[part] = np.linalg.svd(triangle, compute_uv=False)[:, -1]
            residuals[:, part] = _without(basis, now[:, part].T).T
            lags[:, :, part] = basis.transpose(2, 1, 0)
        own_ssr = np.einsum("tm,tm->m", residuals, residuals)
        total = np.einsum("tm,tm->m", now, now)
        limit = np.maximum(SAME_DIRECTION, 16 * table.grain)
        sound = (weakest > limit) & (own_ssr > (limit**2) * total) & (total > 0)
        blur = limit / np.where(sound, weakest, 1.0)
        return cls(lags, residuals, own_ssr, sound, blur)


def _without(basis: FloatArray, vectors: FloatArray) -> FloatArray:
    """(b, T) vectors less their projection on (b, T, k) orthonormal bases; twice is enough."""
    left = vectors
    for _ in range(2):
        weights = np.matmul(basis.transpose(0, 2, 1), left[..., None])
        left = left - np.matmul(basis, weights)[..., 0]
    return left


def _ratios(
    bases: _Bases, targets: npt.NDArray[np.intp]
) -> Iterator[tuple[npt.NDArray[np.intp], FloatArray]]:
    """Blocks of targets with (block, m) ratios explained / unexplained by each source's past.

    NaN where the pair is not identifiable.
    """
    width = bases.lags.shape[2]
    step = max(1, BLOCK_CELLS // max(1, width))
    sound = bases.sound
    for low in range(0, targets.size, step):
        block = targets[low : low + step]
        gain, weakest = _gains(bases, block)
        left = bases.own_ssr[block, None] - gain
        testable = sound[block, None] & sound[None, :] & (block[:, None] != np.arange(width))
        precise = (weakest > NEARLY_SAME) & (left > NEARLY_PERFECT * bases.own_ssr[block, None])
        ratio = np.full(gain.shape, np.nan)
        np.divide(gain, left, out=ratio, where=testable & precise)
        again = np.argwhere(testable & ~precise)
        for first in range(0, len(again), EXACT_PAIRS):
            rows, sources = again[first : first + EXACT_PAIRS].T
            ratio[rows, sources] = _exact_ratios(bases, block[rows], sources)
        yield block, ratio


def _gains(bases: _Bases, block: npt.NDArray[np.intp]) -> tuple[FloatArray, FloatArray]:
    """Reduction of the squared residuals, and the smallest pivot met, both (block, m).

    With Q_j, Q_i the bases of target and source, A = Q_j' Q_i and r the target's own residual,
    the reduction is b' (I - A'A)^-1 b with b = Q_i' r; the elimination runs on whole planes.
    """
    own = bases.lags[:, :, block]
    length = own.shape[0]
    shared = np.stack([np.matmul(own[q].T, bases.lags) for q in range(length)])  # (q, k, b, m)
    right = np.matmul(bases.residuals[:, block].T, bases.lags)  # (k, b, m)
    matrix = {
        (k, n): (1.0 if k == n else 0.0) - np.einsum("qbm,qbm->bm", shared[:, k], shared[:, n])
        for k in range(length)
        for n in range(k, length)
    }
    gain = np.zeros(right.shape[1:])
    weakest = np.ones_like(gain)
    for k in range(length):
        pivot = matrix[k, k]
        np.minimum(weakest, pivot, out=weakest)
        pivot = np.maximum(pivot, SAME_DIRECTION)  # such pairs are done again; no division by 0
        gain += right[k] ** 2 / pivot
        for n in range(k + 1, length):
            factor = matrix[k, n] / pivot
            right[n] -= factor * right[k]
            for o in range(n, length):
                matrix[n, o] -= factor * matrix[k, o]
    return gain, weakest


def _exact_ratios(
    bases: _Bases, targets: npt.NDArray[np.intp], sources: npt.NDArray[np.intp]
) -> FloatArray:
    """Explained / unexplained for a few pairs, by QR of the source's past cleared of the target's.

    NaN where a direction of the source's past is the target's own up to rounding, or where the
    joint model fits perfectly.
    """
    own = bases.lags[:, :, targets].transpose(2, 1, 0)
    past = bases.lags[:, :, sources].transpose(2, 1, 0)
    for _ in range(2):
        past = past - np.matmul(own, np.matmul(own.transpose(0, 2, 1), past))
    basis, triangle = np.linalg.qr(past)
    sines = np.linalg.svd(triangle, compute_uv=False)[:, -1]
    residuals = bases.residuals[:, targets].T
    explained = np.matmul(basis.transpose(0, 2, 1), residuals[..., None])[..., 0]
    left = _without(basis, residuals)
    gain = np.einsum("bk,bk->b", explained, explained)
    unexplained = np.einsum("bt,bt->b", left, left)
    blur = np.maximum(bases.blur[targets], bases.blur[sources])
    sound = (sines > blur) & (unexplained > np.finfo(float).eps * bases.own_ssr[targets])
    ratio = np.full(gain.shape, np.nan)
    np.divide(gain, unexplained, out=ratio, where=sound)
    return ratio
