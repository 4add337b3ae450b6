"""Recorded answers: the same questions get them again, others get none."""

from dataclasses import replace
from pathlib import Path

import pytest
from chatting import HELLO, PATIENT, PODS, VERDICT, ask, model_at
from hypothesis import given
from hypothesis import strategies as st
from scripted_model import NAME, calls, fails, gives, says, scripted

from aiops.errors import AiopsError, InvalidInput
from aiops.llm.outcomes import outcome_read, outcome_written
from aiops.llm.recorded import NotRecorded, Recorder, Replayed
from aiops.llm.tape import FileTape, MemoryTape
from aiops.model.chat import Answer, AskedCall, Message, Structured, Text, ToolCalls, Usage
from aiops.ports.chat_model import (
    AnswerCut,
    ContextTooLong,
    ModelFailed,
    ModelRefused,
    ModelUnavailable,
)

COUNTS = st.integers(0, 10**9)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
USAGES = st.builds(Usage, COUNTS, COUNTS, COUNTS, st.floats(0, 1e6), st.booleans())
CALLS = st.builds(AskedCall, TEXTS, TEXTS, st.just('{"a":1}'))
ANSWERS = st.builds(
    Answer,
    st.one_of(
        st.builds(Text, TEXTS),
        st.builds(Structured, TEXTS),
        st.builds(ToolCalls, st.lists(CALLS, min_size=1).map(tuple), TEXTS),
    ),
    USAGES,
    TEXTS,
)


def test_a_recording_answers_the_same_questions_in_a_process_without_a_model(
    tmp_path: Path,
) -> None:
    file = tmp_path / "run.jsonl"
    script = (says("one"), says("two"), gives({"cause": "a", "sure": 1}))
    with scripted(*script, calls(("kubernetes.pods", {"namespace": "a"}))) as server:
        model = Recorder(model_at(server), FileTape(file))
        said = [ask(model), ask(model), ask(model, schema=VERDICT), ask(model, tools=[PODS])]
    again = Replayed(NAME, FileTape(file))
    heard: list[str] = []
    assert [
        ask(again, on_token=heard.append),
        ask(again),
        ask(again, schema=VERDICT),
        ask(again, tools=[PODS]),
    ] == said
    assert heard == ["one"]


@pytest.mark.parametrize(
    "question",
    [
        {"messages": [*HELLO, Message("user", "?")]},
        {"tools": [PODS]},
        {"schema": VERDICT},
        {"limits": replace(PATIENT, seed=9)},
    ],
)
def test_another_question_fails_loudly(question: dict[str, object]) -> None:
    tape = MemoryTape()
    with scripted(says("one")) as server:
        ask(Recorder(model_at(server), tape))
    replayed = Replayed(NAME, tape)
    with pytest.raises(NotRecorded, match="not at all") as missed:
        ask(replayed, **question)  # type: ignore[arg-type]
    assert not isinstance(missed.value, ModelFailed)  # or a policy would go on without a model


def test_a_question_asked_more_often_than_recorded_fails_loudly() -> None:
    tape = MemoryTape()
    with scripted(says("one")) as server:
        ask(Recorder(model_at(server), tape))
    replayed = Replayed(NAME, tape)
    ask(replayed)
    with pytest.raises(NotRecorded, match="only 1 times"):
        ask(replayed)


def test_more_time_does_not_make_another_question() -> None:
    tape = MemoryTape()
    with scripted(says("one")) as server:
        ask(Recorder(model_at(server), tape))
    assert ask(Replayed(NAME, tape), limits=replace(PATIENT, seconds=1)).content == Text("one")


def test_failures_are_recorded_too() -> None:
    tape = MemoryTape()
    too_long = {"message": "This model's maximum context length is 10 tokens"}
    with scripted(fails(400, too_long)) as server, pytest.raises(ContextTooLong):
        ask(Recorder(model_at(server), tape))
    with pytest.raises(ContextTooLong) as failed:
        ask(Replayed(NAME, tape))
    assert failed.value.limit == 10


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{}",
        "[]",
        '{"key": "a"}',
        '{"key": "a", "answer": {"kind": "Text"}}',
        '{"key',
        '{"key": "a", "failure": {"kind": "Exploded"}}',
        '"answer"',
        "7",
        "null",
    ],
)
def test_a_line_that_is_no_outcome_is_named_by_its_number(line: str) -> None:
    with pytest.raises(InvalidInput, match="line 1 of the recording"):
        Replayed(NAME, MemoryTape([line]))


def test_a_line_that_was_not_written_to_its_end_was_never_recorded(tmp_path: Path) -> None:
    file = tmp_path / "run.jsonl"
    tape = FileTape(file)
    with scripted(says("one")) as server:
        ask(Recorder(model_at(server), tape))
    with file.open("a") as torn:
        torn.write('{"answer": {"con')
    assert len(tape.lines()) == 1


def test_a_recording_that_is_not_there_or_is_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="No such file"):
        Replayed(NAME, FileTape(tmp_path / "none.jsonl"))
    (tmp_path / "odd").write_bytes(b"\xff\xfe\n")
    with pytest.raises(InvalidInput, match="UTF-8"):
        Replayed(NAME, FileTape(tmp_path / "odd"))
    with pytest.raises(AiopsError):
        FileTape(tmp_path / "no" / "where").add("{}")


@given(ANSWERS)
def test_any_answer_comes_back_as_it_was(answer: Answer) -> None:
    line = outcome_written("k", answer)
    assert "\n" not in line
    assert outcome_read(line, 1) == ("k", answer)


@pytest.mark.parametrize(
    "failure",
    [
        ModelUnavailable("m", "down", Usage(1), lasting=True),
        ModelRefused("m", "no"),
        AnswerCut("m", "cut", Usage(1, 2, 3), said="the ca"),
        ContextTooLong("m", "long", limit=9),
    ],
)
def test_any_failure_comes_back_as_it_was(failure: ModelFailed) -> None:
    key, back = outcome_read(outcome_written("k", failure), 1)
    assert key == "k"
    assert isinstance(back, type(failure))
    assert vars(back) == vars(failure)
