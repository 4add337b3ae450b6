"""Outcomes of questions as lines of JSON, and back."""

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from aiops.errors import InvalidInput
from aiops.model.canonical import canonical
from aiops.model.chat import Answer, AskedCall, Structured, Text, ToolCalls, Usage
from aiops.ports.chat_model import (
    AnswerCut,
    BadAnswer,
    BudgetSpent,
    ContextTooLong,
    ModelFailed,
    ModelRefused,
    ModelUnavailable,
)

_FAILURES: Final = (
    AnswerCut,
    BadAnswer,
    BudgetSpent,
    ContextTooLong,
    ModelRefused,
    ModelUnavailable,
)
_KINDS: Final = {kind.__name__: kind for kind in _FAILURES}


def outcome_written(key: str, outcome: Answer | ModelFailed) -> str:
    """A line of canonical JSON that ``outcome_read`` gives back."""
    if isinstance(outcome, ModelFailed):
        return canonical({"key": key, "failure": _failure_written(outcome)})
    return canonical({"key": key, "answer": _answer_written(outcome)})


def outcome_read(line: str, number: int) -> tuple[str, Answer | ModelFailed]:
    """Key and outcome of a line.

    Args:
        number: of the line, for the error.

    Raises:
        InvalidInput: it is no recorded outcome.
    """
    try:
        read = json.loads(line)
        if "failure" in read:
            return read["key"], _failure_read(read["failure"])
        return read["key"], _answer_read(read["answer"])
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(
            f"line {number} of the recording is no recorded answer: {error}; record it anew"
        ) from error


def _answer_written(answer: Answer) -> dict[str, Any]:
    kind = type(answer.content).__name__
    return {
        "kind": kind,
        "content": asdict(answer.content),
        "usage": asdict(answer.usage),
        "model": answer.model,
    }


def _failure_written(failure: ModelFailed) -> dict[str, Any]:
    told = {
        name: getattr(failure, name)
        for name in ("lasting", "limit", "said", "spent")
        if hasattr(failure, name)
    }
    return {
        "kind": type(failure).__name__,
        "model": failure.model,
        "reason": failure.reason,
        "usage": asdict(failure.usage),
        "told": told,
    }


def _failure_read(read: Mapping[str, Any]) -> ModelFailed:
    kind: Any = _KINDS[read["kind"]]
    failure: ModelFailed = kind(
        read["model"], read["reason"], Usage(**read["usage"]), **read["told"]
    )
    return failure


def _answer_read(read: Mapping[str, Any]) -> Answer:
    return Answer(
        _content_read(read["kind"], read["content"]), Usage(**read["usage"]), read["model"]
    )


def _content_read(kind: str, read: Mapping[str, Any]) -> Text | ToolCalls | Structured:
    match kind:
        case "Text":
            return Text(**read)
        case "Structured":
            return Structured(**read)
        case _:
            calls = tuple(AskedCall(**call) for call in read["calls"])
            return ToolCalls(calls, read["text"])
