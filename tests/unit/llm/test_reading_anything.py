"""Whatever an endpoint sends, reading it ends in an answer or in a named failure."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from chatting import HELLO, PODS, VERDICT
from hypothesis import given
from hypothesis import strategies as st

from aiops.llm.dialect import Dialect
from aiops.llm.failures import failure_of
from aiops.llm.names import WireNames
from aiops.llm.reading import answer_of
from aiops.llm.replies import Reply, ReportedError, Stream, Unreadable, WireCall, events, reply_of
from aiops.llm.structured import NoValue, is_strict, value_in, wrong_with
from aiops.model.canonical import canonical, parsed
from aiops.model.chat import ChatQuestion, ToolCalls, Usage
from aiops.ports.chat_model import ModelFailed

JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)
KEYS = [
    "choices", "message", "delta", "content", "tool_calls", "function", "name", "arguments",
    "usage", "prompt_tokens", "error", "code", "finish_reason", "index", "id", "text", "refusal",
]  # fmt: skip
LIKE_A_COMPLETION: Any = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=40,
)
BODIES = st.binary() | st.builds(lambda value: json.dumps(value).encode(), LIKE_A_COMPLETION)
NAMES = st.text(max_size=80)
WIRE_CALLS = st.builds(
    WireCall,
    st.sampled_from(["", "a", "b"]),
    st.sampled_from(["kubernetes_pods", "kubernetes.pods", "rm"]),
    st.sampled_from(['{"namespace":"a"}', '{"namespace":"b"}', "{}", "no"]),
)


@given(BODIES)
def test_any_body_is_a_reply_or_says_what_it_is_instead(body: bytes) -> None:
    with contextlib.suppress(Unreadable, ReportedError):
        assert isinstance(reply_of(body), Reply)


@given(st.lists(BODIES))
def test_any_stream_is_a_reply_or_says_what_it_is_instead(pieces: list[bytes]) -> None:
    stream = Stream()
    with contextlib.suppress(Unreadable, ReportedError):
        handed = "".join(stream.add(piece) for piece in pieces)
        assert stream.reply().text == handed


@given(st.lists(st.integers(0, 60), max_size=5))
def test_a_stream_reads_the_same_wherever_it_is_cut(cuts: list[int]) -> None:
    whole = b'data: {"a": 1}\r\n\r\n: ping\n\ndata:{"b": "\xc3\xa9"}\n\ndata: [DONE]'

    async def chunks() -> AsyncIterator[bytes]:
        at = 0
        for cut in sorted(cuts):
            yield whole[at:cut]
            at = max(at, cut)
        yield whole[at:]

    async def read() -> list[bytes]:
        return [event async for event in events(chunks())]

    assert asyncio.run(read()) == [b'{"a": 1}', b'{"b": "\xc3\xa9"}', b"[DONE]"]


@given(st.text(), st.lists(WIRE_CALLS, max_size=5), st.booleans(), st.booleans())
def test_any_reply_is_an_answer_to_what_was_asked_or_a_named_failure(
    text: str, calls: list[WireCall], whole: bool, valued: bool
) -> None:
    question = ChatQuestion(HELLO, (PODS,), VERDICT if valued else None)
    reply = Reply(text, tuple(calls), whole=whole)
    try:
        answer = answer_of("m", reply, question, WireNames([PODS.name]), Usage())
    except ModelFailed:
        return
    assert whole
    if isinstance(answer.content, ToolCalls):
        ids = [call.id for call in answer.content.calls]
        assert len(ids) == len(set(ids))
        assert all(ids)
        for call in answer.content.calls:
            assert call.tool == PODS.name
            assert wrong_with(parsed(call.arguments), parsed(PODS.arguments)) is None


@given(st.text(alphabet='{}[]":, a1eE.-N'), st.dictionaries(st.text(max_size=3), JSON, max_size=3))
def test_a_value_found_amid_anything_is_valid_and_canonical(
    noise: str, value: dict[str, Any]
) -> None:
    text = f"{noise} {json.dumps(value)} {noise}"
    with contextlib.suppress(NoValue):
        found = value_in(text, '{"type": "object"}')
        assert found == canonical(json.loads(found))


@given(st.integers(100, 599), BODIES)
def test_any_error_is_a_failure_with_a_short_reason(status: int, body: bytes) -> None:
    failure = failure_of("m", "http://h/v1", status, body)
    assert isinstance(failure, ModelFailed)
    assert len(str(failure)) < 500
    assert "\n" not in str(failure)


@given(st.lists(NAMES, unique=True, max_size=8))
def test_every_tool_has_a_name_of_its_own_that_endpoints_take(names: list[str]) -> None:
    wire = WireNames(names)
    told = [wire.of(name) for name in names]
    assert len(set(told)) == len(names)
    for name, short in zip(names, told, strict=True):
        assert len(short) <= 64
        assert all(letter.isascii() and (letter.isalnum() or letter in "_-") for letter in short)
        assert wire.meant(short) == name


@pytest.mark.parametrize(
    ("schema", "strict"),
    [
        (VERDICT, True),
        (PODS.arguments, False),
        ('{"type":"object"}', False),
        ('{"type":"array","items":{"type":"object","properties":{}}}', False),
        ('{"type":"string"}', True),
    ],
)
def test_only_closed_schemas_are_enforced_token_by_token(schema: str, strict: bool) -> None:
    assert is_strict(json.loads(schema)) is strict


@given(st.text(max_size=30))
def test_giving_parameters_up_comes_to_an_end(words: str) -> None:
    every = f"{words} max_completion_tokens stream_options stream temperature json_schema"
    question = ChatQuestion(HELLO, schema=VERDICT)
    dialect: Dialect | None = Dialect()
    for _ in range(7):
        dialect = dialect.without(every, question) if dialect is not None else None
    assert dialect is None


def test_a_reference_to_elsewhere_is_not_fetched() -> None:
    wrong = wrong_with({"a": 1}, {"$ref": "http://127.0.0.1:9/schema.json"})
    assert wrong is not None
    assert "not there" in wrong
