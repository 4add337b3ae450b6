"""What a person sees who watches a run on a terminal, and of a model's answer while it comes."""

import json
from datetime import UTC, datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.app.legible import Legible
from aiops.app.watching import SHORT, Steps
from aiops.model.run import Moment, MomentKind

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
READ = "suspect: 1, because: claim: it was busy, evidence: E1, E2"
VERDICT = '{"suspect": 1, "because": [{"claim": "it was busy", "evidence": ["E1", "E2"]}]}'


def shown(*told: tuple[MomentKind, str]) -> str:
    written: list[str] = []
    steps = Steps(written.append)
    for kind, text in told:
        steps(Moment("inv-1", NOON, "plan", kind, text))
    return "".join(written)


def test_an_answer_is_one_line_that_grows_between_the_steps() -> None:
    seen = shown(
        ("begun", "web"),
        ("words", "It was "),
        ("words", "web.\nSure."),
        ("answer", "web"),
        ("words", "Next"),
        ("ended", "done"),
    )
    assert seen.splitlines() == [
        "plan: begun: web",
        "plan: words: It was web. Sure.",
        "plan: answer: web",
        "plan: words: Next",
        "plan: ended: done",
    ]


def test_words_cannot_move_the_cursor_and_a_step_is_short() -> None:
    seen = shown(("words", "a\x1b[2Jb\u202ec"), ("call", f"{'x' * 500}\x1b[2J"))
    assert "\x1b" not in seen
    assert "\u202e" not in seen
    assert len(seen.splitlines()[1]) == len("plan: call: ") + SHORT


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (VERDICT, READ),
        (f"<think>hm {{x}}</think>{VERDICT}", f"<think>hm {{x}}</think>{READ}"),
        (f"```json\n{VERDICT[:13]}}}\n```", "```json\nsuspect: 1\n```"),
        ('use {x} and [E1]: "so"', 'use {x} and [E1]: "so"'),
        ('{"a": "x", "b": null}} and so on', "a: x, b: null} and so on"),
    ],
)
def test_json_is_read_as_its_values(said: str, read: str) -> None:
    assert Legible().read(said) == read


@given(
    st.text(),
    st.booleans(),
    st.lists(st.integers(0, 400), max_size=8),
)
def test_the_text_of_a_value_is_read_whole_however_it_is_cut(
    text: str, ascii_only: bool, cuts: list[int]
) -> None:
    whole = json.dumps({"text": text}, ensure_ascii=ascii_only)
    places = [0, *sorted(cuts), len(whole)]
    reading = Legible(keys=False)
    read = "".join(reading.read(whole[start:end]) for start, end in pairwise(places))
    assert read == text


@given(st.text(), st.integers(0, 50))
def test_anything_is_read_in_pieces_as_in_one(text: str, cut: int) -> None:
    for start in ("", '{"a": "'):
        reading = Legible()
        said = start + text
        assert reading.read(said[:cut]) + reading.read(said[cut:]) == Legible().read(said)


def test_half_a_character_is_a_mark_that_one_is_lost() -> None:
    assert Legible(keys=False).read('{"a": "\\ud83d!", "b": "\\ud83d", "c": "\\ud83d\\ude42"}') == (
        "\ufffd!, \ufffd, 🙂"
    )
