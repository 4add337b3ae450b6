"""Histograms: what was counted between two pushes, and its quantiles from the buckets.

Cumulative histograms are turned into what came since the last push of the same series. Explicit
buckets are read linearly (as Prometheus's histogram_quantile does), exponential ones on their own
logarithmic scale (OpenTelemetry metrics data model, "ExponentialHistogram").
"""

from collections import OrderedDict
from dataclasses import dataclass, replace
from threading import Lock
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from aiops.model.telemetry import FloatArray

Counts = npt.NDArray[np.int64]
MOST_SERIES: Final = 50_000
"""Cumulative series remembered; of more, those pushed longest ago begin anew."""


class Buckets(Protocol):
    """Counts of values by size."""

    def since(self, earlier: "Buckets") -> "Buckets | None":
        """What was counted after ``earlier``; None where that cannot be told."""
        ...

    def intervals(self) -> tuple[FloatArray, FloatArray, Counts]:
        """(k,) lower and upper bounds, ascending, and how many values lie between them."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class ExplicitBuckets:
    """Attributes:
    bounds: (k,) ascending.
    counts: (k + 1,) values up to each bound, and above all.
    low, high: smallest and largest value; None where unknown.
    """

    bounds: FloatArray
    counts: Counts
    low: float | None = None
    high: float | None = None

    def since(self, earlier: Buckets) -> "ExplicitBuckets | None":
        """See Buckets; None with other bounds or fewer values."""
        if not isinstance(earlier, ExplicitBuckets):
            return None
        if not np.array_equal(self.bounds, earlier.bounds):
            return None
        left = self.counts - earlier.counts
        return None if (left < 0).any() else ExplicitBuckets(self.bounds, left)

    def intervals(self) -> tuple[FloatArray, FloatArray, Counts]:
        """See Buckets. The open ends reach to the smallest and largest value where known."""
        if not len(self.bounds):
            return np.empty(0), np.empty(0), self.counts[:0]
        lower = np.concatenate([np.minimum(self.bounds[:1], 0.0), self.bounds])
        upper = np.concatenate([self.bounds, self.bounds[-1:]])
        if self.low is not None:
            lower[0] = self.low
            lower = np.maximum(lower, self.low)
        if self.high is not None:
            upper[-1] = self.high
            upper = np.minimum(upper, self.high)
        return lower, upper, self.counts


@dataclass(frozen=True, slots=True, eq=False)
class ExponentialBuckets:
    """Bucket i holds values above base**i up to base**(i + 1), base being 2**2**-scale.

    Attributes:
        zeros: values within ``threshold`` of zero.
        positive, negative: index of the first bucket, and (k,) counts from there.
    """

    scale: int
    zeros: int
    threshold: float
    positive: tuple[int, Counts]
    negative: tuple[int, Counts]

    def since(self, earlier: Buckets) -> "ExponentialBuckets | None":
        """See Buckets; both are brought to the coarser of their scales."""
        if not isinstance(earlier, ExponentialBuckets):
            return None
        scale = min(self.scale, earlier.scale)
        now, then = self._coarser(scale), earlier._coarser(scale)
        positive, negative = _less(now.positive, then.positive), _less(now.negative, then.negative)
        zeros = now.zeros - then.zeros
        if positive is None or negative is None or zeros < 0:
            return None
        return replace(now, zeros=zeros, positive=positive, negative=negative)

    def intervals(self) -> tuple[FloatArray, FloatArray, Counts]:
        """See Buckets."""
        low, high, above = self._side(self.positive)
        near, far, below = self._side(self.negative)
        lower = np.concatenate([-far[::-1], [-self.threshold], low])
        upper = np.concatenate([-near[::-1], [self.threshold], high])
        return lower, upper, np.concatenate([below[::-1], [self.zeros], above])

    def _side(self, side: tuple[int, Counts]) -> tuple[FloatArray, FloatArray, Counts]:
        offset, counts = side
        with np.errstate(over="ignore", under="ignore"):
            edges = np.exp2(np.ldexp(offset + np.arange(len(counts) + 1.0), -self.scale))
        return edges[:-1], edges[1:], counts

    def _coarser(self, scale: int) -> "ExponentialBuckets":
        steps = self.scale - scale
        return replace(
            self,
            scale=scale,
            positive=_folded(self.positive, steps),
            negative=_folded(self.negative, steps),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """The values counted from ``start`` to ``end``, unix seconds.

    Attributes:
        total: their sum; None where unknown.
    """

    buckets: Buckets
    count: int
    total: float | None
    start: float
    end: float

    def quantiles(self, shares: tuple[float, ...]) -> tuple[float, ...]:
        """The values below which these shares lie; NaN where nothing was counted."""
        lower, upper, counts = self.buckets.intervals()
        sums = np.cumsum(counts)
        if not len(sums) or sums[-1] <= 0:
            return (float("nan"),) * len(shares)
        found = []
        for share in shares:
            wanted = share * float(sums[-1])
            i = int(np.searchsorted(sums, wanted))
            part = 1.0 - (float(sums[i]) - wanted) / float(counts[i])
            found.append(self._within(float(lower[i]), float(upper[i]), part))
        return tuple(found)

    def _within(self, low: float, high: float, part: float) -> float:
        if isinstance(self.buckets, ExponentialBuckets) and low * high > 0:
            return float(low * (high / low) ** part)
        return low + (high - low) * part


class Accumulated:
    """Remembers the last cumulative histogram of each series. For several threads."""

    def __init__(self, most: int = MOST_SERIES) -> None:
        self._most, self._lock = most, Lock()
        self._last: OrderedDict[str, Counted] = OrderedDict()

    def since_last(self, series: str, now: Counted) -> Counted | None:
        """What came since the last push of a series; None where nothing can be said.

        That is so for the first push, for one that comes again or late, and where counts fell
        although the process did not start again. After a start all of it is new.
        """
        with self._lock:
            last = self._last.get(series)
            if last is not None and now.end <= last.end:
                return None
            self._last[series] = now
            self._last.move_to_end(series)
            if len(self._last) > self._most:
                self._last.popitem(last=False)
        if last is None:
            return None
        if now.start != last.start:
            return now if now.start >= last.end else None
        buckets = now.buckets.since(last.buckets)
        if buckets is None or now.count < last.count:
            return None
        known = now.total is not None and last.total is not None
        return Counted(
            buckets,
            now.count - last.count,
            now.total - last.total if known else None,  # type: ignore[operator]
            last.end,
            now.end,
        )


def _less(now: tuple[int, Counts], then: tuple[int, Counts]) -> tuple[int, Counts] | None:
    """The difference of two sides; None where fewer are counted now."""
    (offset, counts), (earlier, taken) = now, then
    used = np.flatnonzero(taken)
    if not len(used):
        return now
    left = counts.copy()
    places = earlier + used - offset
    if places[0] < 0 or places[-1] >= len(left):
        return None
    left[places] -= taken[used]
    return None if (left < 0).any() else (offset, left)


def _folded(side: tuple[int, Counts], steps: int) -> tuple[int, Counts]:
    """A side with 2**steps neighbouring buckets in one."""
    offset, counts = side
    if not steps or not len(counts):
        return offset >> steps, counts
    places = (offset + np.arange(len(counts))) >> steps
    first = int(places[0])
    return first, np.bincount(places - first, counts).astype(np.int64)
