"""A question as a tool: typed arguments in, a typed answer out, whatever it is asked of."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from aiops.errors import (
    AiopsError,
    ChangedMeanwhile,
    InvalidInput,
    NotDelivered,
    NotKept,
    SourceUnavailable,
    StoreUnavailable,
    ToolFailed,
    WrongState,
)
from aiops.model.tool import Capability, ToolResult, ToolSpec, Unread
from aiops.ports.tools import ToolContext
from aiops_tools.spec import Arguments, Result, answered, reading

Asked = TypeVar("Asked", bound=Arguments)
Scene = TypeVar("Scene")


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found.

    Attributes:
        summary: for a reader, in words and tables.
        refs: ids of what holds more.
    """

    result: Result
    summary: str
    unread: tuple[Unread, ...] = ()
    refs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Question(Generic[Scene, Asked]):
    """One kind of question, before it is asked of anything.

    Attributes:
        verb: the tool's name without its toolset.
        answer: blocking; raises AiopsError.
        examples: questions in people's words.
    """

    verb: str
    description: str
    asks: type[Asked]
    answers: type[Result]
    answer: Callable[[Scene, Asked], Answer]
    examples: tuple[str, ...] = ()
    timeout_s: float = 150.0  # sources have 60 s each, and a name nobody has is looked for twice


@dataclass(frozen=True, slots=True)
class Asking(Generic[Scene, Asked]):
    """A Reading: one question asked of one scene."""

    spec: ToolSpec
    question: Question[Scene, Asked]
    scene: Scene = field(repr=False)

    async def read(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        """See Reading."""
        del context
        asked = read_arguments(self.question.asks, arguments)
        try:
            found = await asyncio.to_thread(self.question.answer, self.scene, asked)
        except AiopsError as error:
            raise tool_failure(error) from error
        return answered(found.result, found.summary, unread=found.unread, refs=found.refs)


def asking(
    toolset: str, question: Question[Scene, Asked], scene: Scene, capability: Capability
) -> Asking[Scene, Asked]:
    """``question`` as a tool of the toolset called ``toolset``."""
    spec = reading(
        f"{toolset}.{question.verb}",
        question.description,
        question.asks,
        question.answers,
        capability=capability,
        examples=question.examples,
        timeout_s=question.timeout_s,
    )
    return Asking(spec, question, scene)


def read_arguments(model: type[Asked], arguments: Mapping[str, Any]) -> Asked:
    """``arguments`` as ``model``; raises ToolFailed, "invalid", with the first that is wrong."""
    try:
        return model.model_validate(arguments)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        reason = first["msg"].removeprefix("Value error, ")
        raise ToolFailed("invalid", f"argument {place!r}: {reason}") from None


def tool_failure(error: AiopsError) -> ToolFailed:
    """``error`` as those who call tools know it."""
    match error:
        case ToolFailed():
            return error
        case NotKept():
            return ToolFailed("not_found", str(error))
        case WrongState():
            return ToolFailed("conflict", str(error))
        case ChangedMeanwhile():
            return ToolFailed("conflict", str(error), retryable=True)
        case InvalidInput():
            return ToolFailed("invalid", str(error))
        case SourceUnavailable() | StoreUnavailable() | NotDelivered():
            return ToolFailed("unreachable", str(error), retryable=True)
        case _:
            return ToolFailed("failed", str(error))
