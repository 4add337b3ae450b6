"""When the anomaly began: the data decide where they can, the alert where they cannot."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from aiops.analyze.onset import Anomaly, around_alert, at_alert, change_points, consensus, locate


def steps(rows: int, at: int, columns: int = 4, size: float = 20.0, seed: int = 0) -> np.ndarray:
    values = np.random.default_rng(seed).normal(size=(rows, columns))
    values[at:] += size
    return values


def clock(rows: int, interval: float = 1.0) -> np.ndarray:
    return 1_700_000_000 + interval * np.arange(rows)


@pytest.mark.parametrize("at", [20, 100, 280])
def test_a_clean_step_is_found_at_its_row_and_explains_nearly_all_variance(at):
    split, share = change_points(steps(300, at, size=50))
    assert split.tolist() == [at] * 4
    assert (share > 0.95).all()


def test_the_split_is_the_exact_least_squares_one():
    values = np.random.default_rng(1).normal(size=(40, 6))
    split, share = change_points(values)
    edge = 2
    for column in range(6):
        x = values[:, column]
        left = {
            row: x[:row].var() * row + x[row:].var() * (40 - row)
            for row in range(edge, 40 - edge + 1)
        }
        best = min(left, key=left.__getitem__)
        assert split[column] == best
        assert share[column] == pytest.approx(1 - left[best] / (x.var() * 40))


def test_flat_columns_and_windows_too_short_to_split_explain_nothing():
    assert change_points(np.full((100, 2), 7.0))[1].tolist() == [0, 0]
    assert change_points(np.full((100, 1), 1e9 + 0.1))[1].tolist() == [0]
    assert change_points(np.array([[1.0], [9.0]]))[1].tolist() == [0]


def test_more_columns_than_a_block_are_treated_as_each_alone():
    values = np.random.default_rng(2).normal(size=(60, 1100)).cumsum(axis=0)
    split, share = change_points(values)
    for column in (0, 511, 512, 1099):
        alone_split, alone_share = change_points(values[:, [column]])
        assert split[column] == alone_split[0]
        assert share[column] == pytest.approx(alone_share[0])


@given(
    arrays(
        np.float64, st.tuples(st.integers(2, 40), st.integers(1, 4)), elements=st.floats(-1e9, 1e9)
    )
)
def test_any_table_gives_rows_inside_it_and_shares_between_0_and_1(values):
    split, share = change_points(values)
    assert ((split >= 0) & (split < len(values))).all()
    assert ((share >= 0) & (share <= 1)).all()


def test_noise_and_random_walks_reach_no_consensus():
    rng = np.random.default_rng(3)
    assert consensus(rng.normal(size=(300, 30)), alert=150) is None
    assert consensus(rng.normal(size=(300, 1)).cumsum(axis=0), alert=None) is None


def test_of_two_changes_the_one_near_the_alert_wins_and_without_an_alert_the_cleaner_one():
    early, late = steps(300, 60, columns=4, size=30), steps(300, 240, columns=3, size=30)
    both = np.hstack([early, late])
    assert consensus(both, alert=235) == (240, 300)
    assert consensus(both, alert=None) == (60, 300)


@pytest.mark.parametrize("delay", [-60, -20, 0, 20, 75])
def test_a_late_or_early_alert_is_moved_to_where_the_data_change(delay):
    anomaly = locate(clock(300), steps(300, 150), 1_700_000_150.0 + delay, None)
    assert anomaly == Anomaly(150, 300, found=True)


def test_without_a_change_the_alert_is_taken_at_its_word():
    quiet = np.random.default_rng(4).normal(size=(300, 8))
    assert locate(clock(300), quiet, 1_700_000_200.0, None) == Anomaly(200, 300, found=False)


@pytest.mark.parametrize("alert", [None, 0.0, 1_600_000_000.0, 1_800_000_000.0])
def test_an_alert_that_is_absent_or_outside_the_window_leaves_it_to_the_data(alert):
    assert locate(clock(300), steps(300, 90), alert, None).first == 90
    quiet = np.random.default_rng(5).normal(size=(300, 8))
    anomaly = locate(clock(300), quiet, alert, None)
    assert not anomaly.found
    assert 1 <= anomaly.first < anomaly.end == 300


def test_few_rows_do_not_overrule_the_alert():
    anomaly = locate(clock(30), steps(30, 12), 1_700_000_020.0, None)
    assert anomaly == Anomaly(20, 30, found=False)


@settings(max_examples=60)
@given(
    rows=st.integers(2, 60),
    alert=st.none() | st.floats(-10, 70),
    signalled=st.booleans(),
    seed=st.integers(0, 9),
)
def test_both_sides_always_have_a_row(rows, alert, signalled, seed):
    values = steps(rows, rows // 2, seed=seed)
    at = None if alert is None else 1_700_000_000.0 + alert
    signal = values[:, 0] if signalled else None
    anomaly = locate(clock(rows), values, at, signal)
    assert 1 <= anomaly.first < anomaly.end <= rows


def test_on_coarse_data_the_alerted_metric_says_when_it_began_and_when_it_was_over():
    signal = np.full(105, 10.0) + np.random.default_rng(6).normal(size=105)
    signal[101:103] += 80
    anomaly = locate(clock(105, 300), signal[:, None], 1_700_000_000 + 300 * 101 + 19, signal)
    assert anomaly == Anomaly(101, 103, found=True)


def test_the_stretch_around_the_alert_holds_the_alert():
    rng = np.random.default_rng(7)
    for alert in range(3, 20):
        found = around_alert(rng.normal(size=20), alert)
        assert found is not None
        first, end = found
        assert first <= alert + 2
        assert end > alert


def test_a_window_too_short_for_a_stretch_says_so():
    assert around_alert(np.array([1.0, 2.0]), 1) is None


def test_at_alert_never_looks_at_the_data():
    assert at_alert(clock(10), 1_700_000_004.0) == Anomaly(4, 10, found=False)
    assert at_alert(clock(10), None).first == 5
    assert at_alert(clock(10), 0.0).first == 1
    assert at_alert(clock(10), 1e12).first == 9


def one_step(at: int, *, columns: int = 8, rows: int = 200) -> np.ndarray:
    values = np.random.default_rng(5).standard_normal((rows, columns))
    values[at:, 0] += 30
    return values


@pytest.mark.parametrize("alert", [120, 170, 195])
def test_a_single_step_long_before_a_late_alert_is_the_onset(alert):
    found = locate(np.arange(200.0), one_step(60), float(alert), None)
    assert (found.first, found.found) == (60, True)


def test_a_step_in_the_first_rows_of_the_window_does_not_overrule_a_far_alert():
    found = locate(np.arange(200.0), one_step(12), 170.0, None)
    assert (found.first, found.found) == (170, False)


def test_what_comes_and_goes_ends_where_it_goes():
    rng = np.random.default_rng(5)
    table = rng.normal(size=(150, 6)) + 100
    table[60:120] += 40
    anomaly = locate(clock(150), table, 1_700_000_075.0, None)
    assert anomaly == Anomaly(60, 120, found=True)


def test_a_return_to_normal_is_no_onset_however_clean_it_is():
    rng = np.random.default_rng(6)
    table = rng.normal(size=(150, 8)) + 100
    for column, delay in enumerate(range(0, 16, 2)):
        table[60 + delay : 120, column] += 40  # they leave one after the other, and return at once
    assert 60 <= locate(clock(150), table, 1_700_000_090.0, None).first <= 76


def test_one_odd_request_is_no_onset():
    table = np.full((150, 3), 0.005)
    table[110:115] = 2.0  # as long as a quantile looks back
    table[:, 1] += np.random.default_rng(7).normal(size=150) * 1e-4
    assert locate(clock(150), table, 1_700_000_070.0, None).first == 70


def test_one_more_open_file_of_twenty_outvotes_nobody():
    rng = np.random.default_rng(8)
    still = np.full((150, 4), 20.0)
    still[130:] = 21.0
    slow = 5 + rng.normal(size=(150, 4)) * 0.5
    slow[60:] += 5
    anomaly = locate(clock(150), np.hstack([still, slow]), 1_700_000_064.0, None)
    assert abs(anomaly.first - 60) <= 1
