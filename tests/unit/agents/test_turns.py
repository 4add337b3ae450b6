"""Conversations with tools end."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.agents.turns import Turns, TurnsSpent
from aiops.model.chat import AskedCall

CALLS = st.lists(
    st.builds(AskedCall, st.uuids().map(str), st.sampled_from("ab"), st.sampled_from(["{}", "[]"]))
)


def call(arguments: str, own: str = "c1", tool: str = "pods") -> AskedCall:
    return AskedCall(own, tool, arguments)


def test_what_was_asked_before_is_not_asked_again() -> None:
    turns, first = Turns(9).after([call('{"a":1}')])
    _, second = turns.after([call('{"a":1}', "c2"), call('{"a":2}', "c3"), call('{"a":2}', "c4")])
    assert [one.id for one in first] == ["c1"]
    assert [one.id for one in second] == ["c3"]


def test_a_model_that_asks_in_circles_is_stopped() -> None:
    turns, _ = Turns(99, idle_most=2).after([call("{}")])
    for _ in range(2):
        turns, fresh = turns.after([call("{}")])
        assert fresh == ()
    with pytest.raises(TurnsSpent, match="3 turns in a row asked nothing new"):
        turns.after([call("{}")])


def test_something_new_breaks_the_circle() -> None:
    turns = Turns(99, idle_most=1)
    for arguments in ("1", "1", "2", "2"):
        turns, _ = turns.after([call(arguments)])
    assert turns.idle == 1


@given(st.lists(CALLS, min_size=6, max_size=8))
def test_no_conversation_has_more_turns_than_it_may(rounds: list[list[AskedCall]]) -> None:
    turns, made, ended = Turns(5), list[tuple[str, str]](), False
    for calls in rounds:
        try:
            turns, fresh = turns.after(calls)
        except TurnsSpent:
            ended = True
            break
        made += [(one.tool, one.arguments) for one in fresh]
    assert ended
    assert turns.taken <= 5
    assert len(made) == len(set(made))
