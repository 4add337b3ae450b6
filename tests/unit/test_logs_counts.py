"""New, surging and vanished statements, against time and traffic."""

import numpy as np
import pytest
from scipy import stats

from aiops.analyze.logs.counts import Tally, movements


def tally(*counts: int, minutes: float = 10.0, requests: float = float("nan")) -> Tally:
    return Tally(np.array([counts], dtype=np.int64), minutes, np.array([requests]))


def test_an_error_that_never_came_before_is_new() -> None:
    (one,) = movements(tally(40), [tally(0)])
    assert (one.trend, one.expected, one.seen) == ("new", 0.0, 4.0)
    assert one.size == 4.0


def test_an_error_that_doubles_surges_and_one_more_line_does_not() -> None:
    (one,) = movements(tally(200, 101), [tally(100, 100)])
    assert (one.statement, one.trend) == (0, "surging")


def test_twice_the_traffic_writes_twice_the_lines() -> None:
    assert movements(tally(200, requests=100), [tally(100, requests=50)]) == ()
    assert len(movements(tally(200, requests=50), [tally(100, requests=50)])) == 1


def test_a_long_reference_is_scaled_to_the_time_since_the_onset() -> None:
    assert movements(tally(20, minutes=2), [tally(600, minutes=60)]) == ()


def test_a_statement_that_stopped_has_vanished() -> None:
    (one,) = movements(tally(0), [tally(100)])
    assert (one.trend, one.size) == ("vanished", 10.0)


def test_rare_lines_that_stop_are_not_noticed() -> None:
    assert movements(tally(0), [tally(3)]) == ()


def test_the_stronger_contrast_of_two_references_counts() -> None:
    (one,) = movements(tally(100), [tally(90), tally(0)])
    assert one.trend == "new"


def test_p_values_are_those_of_the_exact_binomial_test() -> None:
    (one,) = movements(tally(60, minutes=5), [tally(40, minutes=10)])
    exact = stats.binomtest(60, 100, 5 / 15, alternative="greater").pvalue
    assert one.p_value == pytest.approx(exact, rel=1e-9)
