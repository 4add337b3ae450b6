"""What is measured may break: an outcome with its reason, and never the end of a sweep."""

import pytest

from aiops_evals.breaking import Broke, outcome_of


def raising(error: BaseException) -> int:
    raise error


def test_what_does_not_break_is_what_it_returns() -> None:
    assert outcome_of(lambda: 7) == 7


def test_a_method_that_breaks_is_an_outcome_of_one_line() -> None:
    broken = outcome_of(lambda: raising(ValueError("first\nsecond")))
    assert broken == Broke("ValueError: first")


def test_ctrl_c_is_no_outcome() -> None:
    with pytest.raises(KeyboardInterrupt):
        outcome_of(lambda: raising(KeyboardInterrupt()))
