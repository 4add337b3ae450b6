"""What counts as a measurement, and tables put in an order of their own."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aiops.analyze.samples import averaged, by_name, measurements, rates, sampled
from aiops.model import Entity, MetricTable, Series

LARGEST_FLOAT = np.finfo(float).max


def table(values: np.ndarray, names: list[str]) -> MetricTable:
    series = tuple(Series(Entity("service", name), "cpu", name) for name in names)
    return MetricTable(np.arange(float(len(values))), values, series)


def test_nan_infinities_and_the_largest_float_are_no_measurements():
    cells = np.array([[1.0, -5.0, 0.0, np.nan, np.inf, -np.inf, LARGEST_FLOAT, -LARGEST_FLOAT]])
    assert sampled(cells).tolist() == [[True] * 3 + [False] * 5]
    assert np.isnan(measurements(cells)).tolist() == [[False] * 3 + [True] * 5]


def counted(values: list[float], type_: str = "counter") -> MetricTable:
    series = Series(Entity("service", "a"), "requests_total", "a", "requests", type_)
    times = 10.0 * np.arange(len(values))
    return MetricTable(times, np.array(values)[:, None], (series,))


def test_a_counter_becomes_a_rate_a_second_with_a_unit_that_says_so():
    found = rates(counted([0.0, 50.0, 150.0]))
    assert found.values[1:, 0].tolist() == [5.0, 10.0]
    assert np.isnan(found.values[0, 0])
    assert found.series[0].unit == "requests/s"


def test_a_counter_that_starts_again_from_zero_leaves_a_gap_and_no_fall():
    growing = [10.0 * i for i in range(60)]
    found = rates(counted([*growing, *growing])).values[1:, 0]
    assert np.isnan(found[59])
    assert set(found[~np.isnan(found)]) == {1.0}


def test_what_was_a_rate_already_or_is_no_counter_stays_as_it_is():
    for unchanged in (counted([5.0, 3.0, 6.0, 2.0]), counted([0.0, 50.0, 150.0], "gauge")):
        assert rates(unchanged) is unchanged


def test_a_clean_array_is_passed_on_without_a_copy_and_an_unclean_one_is_not_changed():
    clean, unclean = np.ones((3, 2)), np.array([[np.inf, 1.0]])
    assert measurements(clean) is clean
    assert np.isnan(measurements(unclean)[0, 0])
    assert unclean[0, 0] == np.inf
    assert measurements(np.empty((0, 2))).shape == (0, 2)


def test_a_table_by_name_is_the_same_to_the_bit_for_any_order_and_shares_nothing():
    given_table = table(np.arange(12.0).reshape(4, 3), ["c", "a", "b"])
    ordered = by_name(given_table)
    again = by_name(given_table.take(np.array([2, 0, 1])))
    assert [one.column for one in ordered.series] == ["a", "b", "c"]
    assert ordered.values.tobytes() == again.values.tobytes()
    assert not np.shares_memory(ordered.values, given_table.values)


def test_averages_leave_out_what_is_no_measurement():
    values = np.array([[1.0, np.nan], [3.0, np.nan], [5.0, 2.0], [np.inf, 4.0]])
    means = averaged(values, 2)
    assert means[:, 0].tolist() == [2.0, 5.0]
    assert np.isnan(means[0, 1])
    assert means[1, 1] == 3.0


@given(
    arrays(np.float64, (24, 3), elements=st.floats(-1e9, 1e9)),
    st.sampled_from([1, 2, 3, 4, 6, 8, 12, 24]),
)
def test_averages_do_not_depend_on_how_the_array_lies_in_memory(values, factor):
    rows_first, columns_first = (
        averaged(values, factor),
        averaged(np.asfortranarray(values), factor),
    )
    assert rows_first.tobytes() == columns_first.tobytes()
    assert np.allclose(rows_first, values.reshape(-1, factor, 3).mean(axis=1))


def untyped(values: list[float], metric: str) -> MetricTable:
    series = Series(Entity("service", "a"), metric, f"a_{metric}")
    return MetricTable(10.0 * np.arange(len(values)), np.array(values)[:, None], (series,))


def test_without_metadata_a_name_and_steady_growth_make_a_counter():
    growing = [50.0 * i for i in range(20)]
    assert set(rates(untyped(growing, "requests_total")).values[1:, 0]) == {5.0}
    for gauge in ("memory_bytes", "open_files"):
        assert rates(untyped(growing, gauge)) is not None
        assert rates(untyped(growing, gauge)).values[-1, 0] == growing[-1]


def test_what_is_only_named_like_a_counter_and_falls_or_stands_still_is_none():
    for values in ([5.0, 3.0, 6.0, 2.0], [3.0] * 30 + [4.0] * 30):
        unchanged = untyped(values, "worker_count")
        assert rates(unchanged) is unchanged
