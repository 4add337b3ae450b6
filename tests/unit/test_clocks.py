"""Series from several sources come onto one clock without inventing samples."""

import numpy as np

from aiops.analyze.clocks import on_one_clock
from aiops.model import Entity, MetricTable, Series

CART, QUEUE = Entity("service", "cart"), Entity("service", "queue")


def union(*clocks: np.ndarray) -> MetricTable:
    """One series a clock, its value its own time, on the union of all clocks."""
    times = np.unique(np.concatenate(clocks))
    values = np.full((len(times), len(clocks)), np.nan)
    for column, clock in enumerate(clocks):
        values[np.searchsorted(times, clock), column] = clock
    series = tuple(Series(CART, f"m{i}", f"cart_m{i}") for i in range(len(clocks)))
    return MetricTable(times, values, series)


def test_two_phases_of_one_interval_share_rows() -> None:
    table = on_one_clock(union(np.arange(0, 600, 15.0), np.arange(4, 600, 15.0)))
    assert np.diff(table.times).tolist() == [15.0] * (len(table.times) - 1)
    assert (~np.isnan(table.values)).mean() > 0.95


def test_a_sample_stands_in_the_interval_that_ends_after_it() -> None:
    table = on_one_clock(
        union(np.arange(0, 600, 15.0), np.arange(4, 600, 15.0), np.arange(7, 600, 15.0))
    )
    for row, time in enumerate(table.times):
        known = table.values[row][~np.isnan(table.values[row])]
        assert ((known <= time + 1e-9) & (known > time - 15 - 1e-9)).all()


def test_no_sample_is_invented_and_the_last_of_an_interval_counts() -> None:
    quick, slow = np.arange(0, 600, 10.0), np.arange(3, 600, 60.0)
    table = on_one_clock(union(quick, quick + 2, quick + 5, slow))
    assert np.count_nonzero(~np.isnan(table.values[:, 3])) == len(slow)
    assert set(table.values[:, 3][~np.isnan(table.values[:, 3])]) <= set(slow)


def test_a_table_with_a_clock_of_its_own_stays_as_it_is() -> None:
    table = union(np.arange(0, 600, 15.0), np.arange(0, 600, 15.0))
    assert on_one_clock(table) is table


def test_series_without_two_samples_give_no_clock_and_stay() -> None:
    table = union(np.array([1.0]), np.array([2.0]), np.array([3.0]))
    assert on_one_clock(table) is table
