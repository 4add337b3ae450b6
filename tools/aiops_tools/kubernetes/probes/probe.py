"""A probe: a question about one cluster, as a tool."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from aiops.errors import ToolFailed
from aiops.model.tool import ToolResult, ToolSpec, Unread
from aiops.ports.tools import ToolContext
from aiops_tools.kubernetes.reader import Reader
from aiops_tools.names import Cluster
from aiops_tools.spec import Arguments, Result, answered, reading


class InCluster(Arguments):
    """What every probe takes."""

    cluster: Cluster


@dataclass(frozen=True, slots=True)
class Answer:
    """What a probe found.

    Attributes:
        summary: for a reader, in words and tables.
    """

    result: Result
    summary: str
    unread: tuple[Unread, ...] = ()


Asked = TypeVar("Asked", bound=InCluster)


@dataclass(frozen=True, slots=True)
class View:
    """What a probe sees: a cluster to read, and the time."""

    reader: Reader
    now: datetime


@dataclass(frozen=True, slots=True)
class Question(Generic[Asked]):
    """One kind of question, before it is about any cluster.

    Attributes:
        verb: the tool's name without its toolset.
        examples: questions in people's words.
    """

    verb: str
    description: str
    asks: type[Asked]
    answers: type[Result]
    answer: Callable[[View, Asked], Answer]
    examples: tuple[str, ...] = ()
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Probe(Generic[Asked]):
    """A Reading over one cluster."""

    spec: ToolSpec
    question: Question[Asked]
    reader: Reader = field(repr=False)
    now: Callable[[], datetime] = field(repr=False)

    async def read(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        """See Reading."""
        del context
        try:
            asked = self.question.asks.model_validate(arguments)
        except ValidationError as error:
            first = error.errors(include_input=False, include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise ToolFailed("invalid", f"argument {place!r}: {first['msg']}") from None
        if asked.cluster != self.reader.cluster:
            raise ToolFailed(
                "not_found",
                f"{self.spec.name} reads cluster {self.reader.cluster!r}, not {asked.cluster!r}; "
                f"did you mean {self.reader.cluster!r}, or another toolset?",
            )
        found = await asyncio.to_thread(self.question.answer, View(self.reader, self.now()), asked)
        return answered(found.result, found.summary, unread=found.unread)


def probe(
    toolset: str, question: Question[Asked], reader: Reader, now: Callable[[], datetime]
) -> Probe[Asked]:
    """``question`` as a tool of the toolset called ``toolset``."""
    spec = reading(
        f"{toolset}.{question.verb}",
        question.description,
        question.asks,
        question.answers,
        examples=question.examples,
        timeout_s=question.timeout_s,
    )
    return Probe(spec, question, reader, now)
