"""How far each metric moved: in its own variations, and in what is material across the fleet."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aiops.analyze.metric_kinds import MetricKind
from aiops.analyze.onset import Anomaly
from aiops.analyze.shifts import (
    FAILURE_SHARE_FLOOR,
    LEVEL_SHARE,
    MOST_VARIATIONS,
    SIGMA_SHARE,
    Shifts,
    failures,
    kinds_of,
    measure,
)
from aiops.model import Entity, Series

HALF = Anomaly(50, 100, found=True)


def series(*columns: str, unit: str | None = None) -> tuple[Series, ...]:
    """Columns named ``service_metric``."""
    return tuple(
        Series(Entity("service", name.partition("_")[0]), name.partition("_")[2], name, unit)
        for name in columns
    )


def measured(
    values: np.ndarray, named: tuple[Series, ...], anomaly: Anomaly = HALF, *, fleet: bool = True
) -> Shifts:
    return measure(values, named, kinds_of(named), anomaly, fleet=fleet)


def noise(columns: int, rows: int = 100, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(100, 1, size=(rows, columns))


def test_a_shift_is_the_difference_of_medians_in_the_columns_own_variations():
    values = noise(1)
    values[50:] += 40
    shifts = measured(values, series("a_x"))
    assert shifts.before[0] == pytest.approx(100, abs=0.5)
    assert shifts.after[0] == pytest.approx(140, abs=0.5)
    assert shifts.moved[0] == pytest.approx(40, abs=0.5)
    assert shifts.surprise[0] == pytest.approx(40 / (LEVEL_SHARE * 100), rel=0.05)


def test_bursts_outside_the_quartiles_are_usual_variation_but_no_new_level():
    values = noise(1)
    values[50:] += 40
    values[10, 0] = 1000
    shifts = measured(values, series("a_x"))
    assert shifts.before[0] == pytest.approx(100, abs=0.5)
    assert shifts.surprise[0] == pytest.approx(40 / (SIGMA_SHARE * values[:50].std()), rel=0.05)


def test_a_flat_column_is_measured_by_its_level_and_a_flat_zero_by_what_it_became():
    values = np.zeros((100, 3))
    values[:, 0] = 10
    values[50:, 0] = 11
    values[50:, 1] = 0.25
    shifts = measured(values, series("a_x", "b_y", "c_z"))
    assert shifts.surprise[0] == pytest.approx(1 / (LEVEL_SHARE * 10))
    assert shifts.surprise[1] == pytest.approx(1 / LEVEL_SHARE)
    assert shifts.surprise[2] == shifts.material[2] == 0


def test_a_fall_is_a_negative_shift_and_negative_levels_are_levels_too():
    values = noise(2)
    values[50:, 0] -= 40
    values[:, 1] = -values[:, 0]
    shifts = measured(values, series("a_x", "b_y"))
    assert shifts.surprise[0] < -5
    assert shifts.surprise[1] == pytest.approx(-shifts.surprise[0])


def test_what_idled_and_now_does_a_little_is_surprising_but_immaterial_in_its_fleet():
    values = noise(4) * np.array([1.0, 1, 1, 1e-3])
    values[50:, 3] += 1
    shifts = measured(values, series("a_cpu", "b_cpu", "c_cpu", "d_cpu"))
    assert shifts.surprise[3] > 100
    assert abs(shifts.material[3]) < 1
    alone = measured(values, series("a_cpu", "b_cpu", "c_cpu", "d_cpu"), fleet=False)
    assert alone.material[3] == alone.surprise[3]


def test_two_peers_are_no_fleet():
    values = noise(2) * np.array([1.0, 1e-3])
    values[50:, 1] += 1
    shifts = measured(values, series("a_cpu", "b_cpu"))
    assert shifts.material[1] == shifts.surprise[1]


def test_a_trusted_unit_brings_the_least_shift_of_interest():
    values = np.full((100, 1), 1e6) + noise(1)
    values[50:] += 1e6
    known = measured(values, series("a_memory", unit="bytes"))
    unknown = measured(values, series("a_memory"))
    assert known.material[0] == pytest.approx(1e6 / (16 * 2**20), rel=0.01)
    assert unknown.material[0] > 10


def test_a_drift_from_long_before_is_not_this_incidents():
    values = noise(1, rows=400)
    values[280:, 0] += 50
    shifts = measured(values, series("a_x"), Anomaly(350, 400, found=True))
    assert abs(shifts.moved[0]) < 1
    assert shifts.after[0] - shifts.before[0] == pytest.approx(50, abs=1)


@pytest.mark.parametrize("scale", [1.0, 100.0])
def test_success_rates_become_failed_shares_whether_ratios_or_percentages(scale):
    values = np.array([[1.0, 0.99], [0.9, 0.5]]) * scale
    named = series("a_success_rate", "b_success_rate")
    failures(values, kinds_of(named), named)
    assert values == pytest.approx(np.array([[0, 0.01], [0.1, 0.5]]))


def test_whether_a_rate_is_a_percentage_is_decided_for_the_whole_fleet():
    values = np.array([[99.0, 0.4], [98.0, 0.2]])  # the second serves almost nothing
    named = series("a_success_rate", "b_success_rate")
    failures(values, kinds_of(named), named)
    assert values[:, 1] == pytest.approx([0.996, 0.998])


def test_a_count_of_successes_is_traffic_and_stays_as_it_is():
    values = np.array([[5000.0, 4000], [20, 4100]])
    named = series("a_success_total", "b_success_total")
    kinds, before = kinds_of(named), values.copy()
    failures(values, kinds, named)
    assert (values == before).all()
    assert list(kinds) == [MetricKind.LOAD] * 2


def test_a_success_rate_that_never_failed_varies_by_half_a_point_at_least():
    values = np.zeros((100, 1))
    values[50:] = 0.01
    shifts = measured(values, series("a_success_rate"))
    assert shifts.surprise[0] == pytest.approx(0.01 / FAILURE_SHARE_FLOOR)


@pytest.mark.parametrize("first", [1, 2, 3])
def test_a_baseline_of_one_to_three_rows_still_tells_up_from_nothing(first):
    values = np.full((10, 2), 10.0)
    values[first:, 0] = 30
    shifts = measured(values, series("a_x", "b_y"), Anomaly(first, 10, found=False))
    assert shifts.surprise[0] > 10
    assert shifts.surprise[1] == 0


def test_a_jump_from_next_to_nothing_to_almost_anything_is_finite():
    values = np.full((100, 3), [1e-300, 5e-324, 0.0])
    values[50:] = [1e99, 5e-320, 5e-324]
    shifts = measured(values, series("a_x", "b_y", "c_z"))
    assert shifts.surprise[0] == MOST_VARIATIONS
    assert np.isfinite(shifts.surprise).all()
    assert np.isfinite(shifts.material).all()


@given(arrays(np.float64, (12, 4), elements=st.floats(-1e99, 1e99)), st.integers(1, 11))
def test_any_measurements_give_finite_shifts_and_stay_as_they_were(values, first):
    before = values.copy()
    named = series("a_cpu", "b_cpu", "c_cpu", "a_latency")
    shifts = measured(values, named, Anomaly(first, 12, found=False))
    assert np.isfinite(shifts.surprise).all()
    assert np.isfinite(shifts.material).all()
    assert (shifts.material * shifts.surprise >= 0).all()
    assert (values == before).all()
