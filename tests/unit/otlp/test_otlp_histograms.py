"""Quantiles from buckets, and what was counted between two pushes."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.ingest.otlp.histograms import (
    Accumulated,
    Counted,
    ExplicitBuckets,
    ExponentialBuckets,
)


def exponential(values: np.ndarray, scale: int) -> ExponentialBuckets:
    """The histogram that an SDK makes of these values."""

    def side(sizes: np.ndarray) -> tuple[int, np.ndarray]:
        if not len(sizes):
            return 0, np.zeros(0, dtype=np.int64)
        index = np.ceil(np.log2(sizes) * 2.0**scale).astype(int) - 1
        return int(index.min()), np.bincount(index - index.min()).astype(np.int64)

    zeros, positive, negative = int((values == 0).sum()), values[values > 0], -values[values < 0]
    return ExponentialBuckets(scale, zeros, 0.0, side(positive), side(negative))


def counted(
    buckets: ExplicitBuckets | ExponentialBuckets, count: int, end: float = 10.0
) -> Counted:
    return Counted(buckets, count, None, 0.0, end)


@given(
    st.lists(st.floats(-1e6, 1e6).filter(lambda v: v == 0 or abs(v) > 1e-6), min_size=1),
    st.integers(-3, 8),
    st.sampled_from([0.01, 0.5, 0.9, 0.99]),
)
def test_an_exponential_quantile_lies_in_the_bucket_of_the_true_one(sample, scale, share):
    values = np.array(sample)
    (found,) = counted(exponential(values, scale), len(values)).quantiles((share,))
    true = float(np.quantile(values, share, method="inverted_cdf"))
    base = 2.0 ** (2.0**-scale)
    assert math.copysign(1, found) == math.copysign(1, true) or true == 0 or found == 0
    assert abs(true) / base * (1 - 1e-9) <= abs(found) <= abs(true) * base * (1 + 1e-9)


def test_an_explicit_quantile_is_read_linearly_within_its_bucket():
    buckets = ExplicitBuckets(np.array([1.0, 2.0, 4.0]), np.array([0, 10, 10, 0]))
    assert counted(buckets, 20).quantiles((0.25, 0.5, 0.75)) == (1.5, 2.0, 3.0)


def test_what_lies_above_all_bounds_is_the_last_bound_unless_the_largest_is_known():
    bounds, counts = np.array([1.0, 2.0]), np.array([0, 0, 10])
    assert counted(ExplicitBuckets(bounds, counts), 10).quantiles((0.5,)) == (2.0,)
    known = ExplicitBuckets(bounds, counts, low=3.0, high=9.0)
    assert counted(known, 10).quantiles((0.0001, 1.0)) == (pytest.approx(3.0, abs=1e-2), 9.0)


def test_an_empty_histogram_has_no_quantiles():
    for buckets in (
        ExplicitBuckets(np.array([1.0]), np.array([0, 0])),
        ExplicitBuckets(np.empty(0), np.array([7])),
        exponential(np.empty(0), 3),
    ):
        assert math.isnan(counted(buckets, 0).quantiles((0.5,))[0])


@given(
    st.lists(st.floats(0.001, 1e4), min_size=1, max_size=50),
    st.lists(st.floats(0.001, 1e4), min_size=1, max_size=50),
    st.integers(0, 5),
    st.integers(0, 3),
)
def test_the_difference_of_two_pushes_is_the_histogram_of_the_news(old, new, scale, coarser):
    first = exponential(np.array(old), scale)
    second = exponential(np.array(old + new), scale - coarser)
    news = second.since(first)
    assert news is not None
    alone = exponential(np.array(new), scale - coarser)
    found, expected = counted(news, len(new)), counted(alone, len(new))
    shares = (0.1, 0.5, 0.9)
    assert found.quantiles(shares) == pytest.approx(expected.quantiles(shares))


def test_counts_that_fall_without_a_new_start_say_nothing():
    accumulated, bounds = Accumulated(), np.array([1.0])
    accumulated.since_last("s", counted(ExplicitBuckets(bounds, np.array([5, 5])), 10, 1.0))
    fallen = counted(ExplicitBuckets(bounds, np.array([4, 9])), 13, 2.0)
    assert accumulated.since_last("s", fallen) is None


def test_the_series_pushed_longest_ago_is_forgotten_first():
    accumulated, bounds = Accumulated(most=2), np.array([1.0])
    for at, series in enumerate(["a", "b", "a", "c"], start=1):
        accumulated.since_last(series, counted(ExplicitBuckets(bounds, np.array([at, 0])), at, at))
    later = counted(ExplicitBuckets(bounds, np.array([9, 0])), 9, 9.0)
    assert accumulated.since_last("a", later) is not None
    assert accumulated.since_last("b", later) is None
