"""Expressions of silences: whole values, in linear time, and what RE2 does not know is refused."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.app.incidents.expressions import fault_of, matches
from aiops.app.incidents.silences import Silencing, checked
from aiops.errors import InvalidInput
from aiops.model.alert import Matcher, Silence


@pytest.mark.parametrize("expression", ["(a+)+", "(a|aa)+", "(a*)*b", "(.*a){20}"])
def test_no_value_makes_an_expression_last_for_ever(expression: str) -> None:
    # A backtracking engine would take 2 to the power of thousands of steps.
    matches(expression, "a" * 5_000 + "!")


@pytest.mark.parametrize(
    ("expression", "value", "found"),
    [
        ("ca", "cart", False),
        ("car|cart", "cart", True),
        (".*", "two\nlines", True),
        ("", "", True),
        ("a{2}", "aa", True),
        (".*", "half a pair \ud83e", True),
        ("ä.+", "äß", True),
    ],
)
def test_the_whole_value_is_matched(expression: str, value: str, found: bool) -> None:
    assert matches(expression, value) is found


@given(
    expression=st.lists(
        st.sampled_from(["a", "b", ".", "a*", "b+", "(ab)?", "[ab]", "c|a", "x{1,2}"]), max_size=5
    ).map("".join),
    value=st.text("abcx\n", max_size=8),
)
def test_what_both_engines_know_means_the_same_in_both(expression: str, value: str) -> None:
    expected = re.compile(expression, re.DOTALL).fullmatch(value) is not None
    assert matches(expression, value) is expected


@pytest.mark.parametrize("expression", ["(", r"(a)\1", "(?=a)b", "a{9999}", "[z-a]", "*"])
def test_what_cannot_be_used_is_said_when_the_silence_is_made(expression: str) -> None:
    assert fault_of(expression)
    with pytest.raises(InvalidInput, match="is no regular expression of RE2") as refused:
        checked([Matcher("service", expression, regex=True)])
    assert "\n" not in str(refused.value)


@given(st.text(max_size=30))
def test_any_text_is_an_expression_or_has_a_fault(expression: str) -> None:
    if fault_of(expression) is None:
        matches(expression, "cart")


def test_a_kept_silence_that_cannot_be_read_keeps_nothing_quiet_and_stops_nothing(world) -> None:
    silence = world.silence("cart", 600)
    lookaround = Matcher("service", "(?!queue).*", regex=True)
    old = Silence("sil-old", (lookaround,), world.at(0), world.at(600), "ana", "planned")
    silencing = Silencing([old, silence])
    assert silencing.of(world.alert("search"), world.at(1)) is None
    assert silencing.of(world.alert("cart"), world.at(1)) == silence
