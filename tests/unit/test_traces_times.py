"""Self time and critical path."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.analyze.traces.forest import Forest, children, forest
from aiops.analyze.traces.times import aligned_starts, covered, critical_path, self_times
from aiops.model.rows import Span, span_table


def trees(*rows: tuple[str, str, float, float]) -> Forest:
    """(name, parent, start, end)."""
    return forest(span_table(Span("t", n, p, "s", "o", a, b - a) for n, p, a, b in rows))


def path(found: Forest) -> dict[str, float]:
    return {
        str(found.spans.span_ids[row]): round(seconds, 9)
        for row, seconds in critical_path(found, 0, children(found))
    }


def test_self_time_is_what_no_child_covers() -> None:
    found = trees(("a", "", 0, 10), ("b", "a", 1, 4), ("c", "a", 6, 8))
    assert self_times(found).tolist() == pytest.approx([5, 3, 2])


def test_parallel_children_are_counted_once() -> None:
    found = trees(("a", "", 0, 10), ("b", "a", 1, 6), ("c", "a", 2, 5), ("d", "a", 4, 8))
    assert self_times(found)[0] == pytest.approx(3)


def test_a_child_that_outlives_its_parent_is_cut_off() -> None:
    found = trees(("a", "", 0, 10), ("b", "a", 8, 30))
    assert self_times(found)[0] == pytest.approx(8)


def test_a_child_on_another_clock_is_centred_in_its_parent() -> None:
    found = trees(("a", "", 100, 110), ("b", "a", 50, 56))
    assert aligned_starts(found).tolist() == pytest.approx([100, 102])
    assert self_times(found)[0] == pytest.approx(4)


def test_a_child_too_long_for_its_parent_starts_with_it() -> None:
    found = trees(("a", "", 100, 110), ("b", "a", 50, 80))
    assert aligned_starts(found)[1] == pytest.approx(100)
    assert self_times(found)[0] == pytest.approx(0)


def test_a_span_of_no_duration_has_no_self_time() -> None:
    found = trees(("a", "", 5, 5), ("b", "a", 5, 7))
    assert self_times(found).tolist() == pytest.approx([0, 2])


def test_the_critical_path_waits_for_the_child_that_ends_last() -> None:
    found = trees(("a", "", 0, 10), ("b", "a", 1, 4), ("c", "a", 1, 9))
    assert path(found) == {"a": 2, "c": 8}


def test_the_critical_path_goes_through_calls_in_succession() -> None:
    found = trees(
        ("a", "", 0, 10), ("b", "a", 1, 4), ("c", "a", 5, 9), ("d", "c", 6, 8), ("e", "b", 2, 3)
    )
    assert path(found) == {"a": 3, "b": 2, "c": 2, "d": 2, "e": 1}


def test_a_call_of_which_only_the_beginning_mattered_counts_up_to_there() -> None:
    found = trees(("a", "", 0, 10), ("b", "a", 0, 6), ("c", "a", 4, 10))
    assert path(found) == {"a": 0, "c": 6, "b": 4}


@st.composite
def requests(draw: st.DrawFn) -> Forest:
    """One tree; children may overlap, outlive and precede their parents."""
    size = draw(st.integers(1, 12))
    rows = [("0", "", 0.0, draw(st.floats(0, 10)))]
    for i in range(1, size):
        parent = draw(st.integers(0, i - 1))
        start = draw(st.floats(-3, 10))
        rows.append((str(i), str(parent), start, start + draw(st.floats(0, 10))))
    return trees(*rows)


@given(requests())
def test_the_seconds_of_a_critical_path_are_the_seconds_of_its_root(found: Forest) -> None:
    steps = critical_path(found, 0, children(found))
    assert sum(seconds for _, seconds in steps) == pytest.approx(
        float(found.spans.durations[0]), abs=1e-9
    )
    assert all(seconds >= -1e-9 for _, seconds in steps)


@given(requests())
def test_self_times_are_never_negative_nor_longer_than_the_span(found: Forest) -> None:
    own = self_times(found)
    assert (own >= 0).all()
    assert (own <= found.spans.durations + 1e-9).all()


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(-2, 14), st.integers(-2, 14)), max_size=20)
)
def test_covered_seconds_are_those_of_a_ruler(intervals: list[tuple[int, int, int]]) -> None:
    length = np.array([10.0, 0.0, 4.0, 12.0])
    owner = np.array([i for i, _, _ in intervals], dtype=np.intp)
    low = np.array([min(a, b) for _, a, b in intervals], dtype=np.float64)
    high = np.array([max(a, b) for _, a, b in intervals], dtype=np.float64)
    by_ruler = [
        sum(
            any(
                i == g and a <= tick and tick + 1 <= b
                for i, a, b in zip(owner, low, high, strict=True)
            )
            for tick in range(int(length[g]))
        )
        for g in range(4)
    ]
    assert covered(owner, low, high, length).tolist() == pytest.approx(by_ruler, abs=1e-9)
