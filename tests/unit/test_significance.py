"""Intervals and tests, checked against published values and their own definitions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops_evals.significance import mcnemar, wilson


def test_wilson_agrees_with_a_published_example() -> None:
    # Newcombe 1998 (Stat. Med. 17), table I, method 3: 81/263 and 15/148.
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(15, 148) == pytest.approx((0.0624, 0.1605), abs=5e-5)


def test_the_interval_of_all_right_ends_at_one_and_of_none_right_starts_at_zero() -> None:
    assert wilson(30, 30)[1] == 1.0
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_interval_holds_its_share_and_mirrors(case: tuple[int, int]) -> None:
    hits, n = case
    low, high = wilson(hits, n)
    assert 0 <= low <= hits / n <= high <= 1
    assert wilson(n - hits, n) == pytest.approx((1 - high, 1 - low))


@pytest.mark.parametrize(("hits", "n"), [(1, 0), (3, 2), (-1, 2)])
def test_what_is_no_share_has_no_interval(hits: int, n: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        wilson(hits, n)


def test_mcnemar_is_the_exact_binomial_of_the_discordant_pairs() -> None:
    first = [True] * 8 + [False] + [True] * 5
    second = [False] * 8 + [True] + [True] * 5
    test = mcnemar(first, second)
    assert (test.n, test.only_first, test.only_second) == (14, 8, 1)
    assert test.p_value == pytest.approx(2 * (1 + 9) / 2**9)


def test_methods_that_agree_everywhere_do_not_differ() -> None:
    assert mcnemar([True, False], [True, False]).p_value == 1.0


@given(st.lists(st.tuples(st.booleans(), st.booleans())))
def test_mcnemar_does_not_care_which_method_comes_first(pairs: list[tuple[bool, bool]]) -> None:
    first, second = [a for a, _ in pairs], [b for _, b in pairs]
    there, back = mcnemar(first, second), mcnemar(second, first)
    assert there.p_value == back.p_value
    assert (there.only_first, there.only_second) == (back.only_second, back.only_first)
    assert 0 < there.p_value <= 1


def test_results_on_different_cases_are_not_compared() -> None:
    with pytest.raises(ValueError, match="not the same cases"):
        mcnemar([True], [True, False])
