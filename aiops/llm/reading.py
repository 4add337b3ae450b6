"""From what an endpoint sent to an answer that holds what was asked for, or a named failure."""

import json
from collections.abc import Sequence
from typing import Final

from aiops.errors import InvalidInput
from aiops.llm import structured
from aiops.llm.names import WireNames
from aiops.llm.replies import Reply, WireCall
from aiops.model.canonical import canonical
from aiops.model.chat import (
    Answer,
    AskedCall,
    ChatQuestion,
    OfferedTool,
    Structured,
    Text,
    ToolCalls,
    Usage,
)
from aiops.ports.chat_model import AnswerCut, BadAnswer, ModelRefused

_SHOWN: Final = 2000
_CALLS: Final = 64
"""Calls in one answer; more are no plan."""


class _BadCall(ValueError):
    """A call that cannot be made; the text says why, to the model as to a reader."""


def answer_of(
    model: str, reply: Reply, question: ChatQuestion, names: WireNames, usage: Usage
) -> Answer:
    """What ``reply`` answers to ``question``.

    Raises:
        ModelRefused: nothing, on purpose.
        AnswerCut: it has no end.
        BadAnswer: something else than was asked for.
    """
    text = structured.spoken(reply.text)
    said = text[:_SHOWN]
    if reply.refusal or reply.finish == "content_filter":
        why = f": {reply.refusal[:200]}" if reply.refusal else " (filtered by its provider)"
        raise ModelRefused(model, f"refuses to answer{why}", usage)
    if not reply.whole:
        raise AnswerCut(model, "its stream broke off before the answer was whole", usage, said=said)
    if reply.finish == "length":
        limit = question.limits.output_tokens
        raise AnswerCut(
            model, f"its answer is longer than {limit} tokens and was cut", usage, said=said
        )
    try:
        if reply.calls:
            calls = asked_calls(reply.calls, question.tools, names)
            return Answer(ToolCalls(calls, text), usage, model)
        if not text:
            raise BadAnswer(model, "answers nothing", usage)
        if question.schema is None:
            return Answer(Text(text), usage, model)
        return Answer(Structured(structured.value_in(text, question.schema)), usage, model)
    except (_BadCall, structured.NoValue) as error:
        raise BadAnswer(model, f"its answer is no use: {error}", usage, said=said) from error


def asked_calls(
    calls: Sequence[WireCall], tools: Sequence[OfferedTool], names: WireNames
) -> tuple[AskedCall, ...]:
    """The calls by our names, each once and with an id of its own, in their order.

    Raises:
        ValueError: they are too many, one is of no tool, or its arguments are not valid.
    """
    if len(calls) > _CALLS:
        raise _BadCall(f"it asks for {len(calls)} calls at once, {_CALLS} are the most")
    offered = {tool.name: tool for tool in tools}
    found: dict[str, AskedCall] = {}
    for call in calls:
        name = names.meant(call.name)
        if name is None or name not in offered:
            raise _BadCall(f"there is no tool {call.name!r}{names.near(call.name)}")
        arguments = _arguments(call, offered[name])
        before = found.get(call.id)
        if before is not None and (before.tool, before.arguments) == (name, arguments):
            continue
        own = call.id if call.id and before is None else _free(call.id or "call", found)
        found[own] = AskedCall(own, name, arguments)
    return tuple(found.values())


def _arguments(call: WireCall, tool: OfferedTool) -> str:
    try:
        read = json.loads(call.arguments or "{}")
        arguments = canonical(read)
    except (ValueError, RecursionError, InvalidInput) as error:
        raise _BadCall(f"the arguments of {call.name!r} are no JSON: {error}") from error
    closed = {"additionalProperties": False, **json.loads(tool.arguments)}
    wrong = structured.wrong_with(read, closed)
    if wrong is not None or not isinstance(read, dict):
        raise _BadCall(f"the arguments of {call.name!r} are not valid: {wrong or 'no object'}")
    return arguments


def _free(wanted: str, taken: dict[str, AskedCall]) -> str:
    number = 2
    while f"{wanted}-{number}" in taken:
        number += 1
    return f"{wanted}-{number}"
