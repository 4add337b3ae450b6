"""The doors of tools: those who make them, those who call them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from aiops.model.tool import (
    Caller,
    Outcome,
    Preview,
    ToolCall,
    ToolResult,
    ToolSpec,
    Verified,
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a call is: a share from 0 to 1, or None where nobody knows, and what it does."""

    share: float | None
    doing: str


@dataclass(frozen=True, slots=True)
class ToolContext:
    """What a tool is told beside its arguments.

    Attributes:
        key: idempotency key, to be handed on where the API takes one.
        report: takes progress.
    """

    call: str
    key: str
    caller: Caller
    report: Callable[[Progress], None]


class Reading(Protocol):
    """A tool that reads. It changes nothing, whatever its arguments."""

    @property
    def spec(self) -> ToolSpec:
        """What it is."""
        ...

    async def read(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        """The answer. ``arguments`` are valid by the schema.

        Raises:
            ToolFailed: it cannot answer; a part that is missing is ``ToolResult.unread``.
        """
        ...


class Writing(Protocol):
    """A tool that changes something: looked at first, carried out, looked at afterwards."""

    @property
    def spec(self) -> ToolSpec:
        """What it is."""
        ...

    async def preview(self, arguments: Mapping[str, Any], context: ToolContext) -> Preview:
        """What it would do, by a dry run on the server where there is one; changes nothing.

        Raises:
            ToolFailed: it could not be done either.
        """
        ...

    async def apply(
        self, arguments: Mapping[str, Any], preview: Preview, context: ToolContext
    ) -> ToolResult:
        """Carry it out, on the state that was previewed and on no other.

        Raises:
            ToolFailed: nothing was changed; ``Drifted`` where the state is another by now.
        """
        ...

    async def verify(
        self, arguments: Mapping[str, Any], preview: Preview, context: ToolContext
    ) -> Verified:
        """Wait, within the tool's time, for what it was for, by reading.

        Raises:
            ToolFailed: it cannot be read.
        """
        ...


Tool = Reading | Writing


class Toolset(Protocol):
    """Tools over one API: a class registered in ``aiops.toolsets`` under its kind."""

    name: str

    def tools(self) -> Sequence[Tool]:
        """Its tools; every name begins with "<name>."."""
        ...

    def check(self) -> str:
        """One real read; what was seen, in a sentence with numbers.

        Raises:
            ToolFailed: it cannot answer; the reason says what to do.
        """
        ...

    def close(self) -> None:
        """Give connections back; the toolset is not used afterwards."""
        ...


class Toolbelt(Protocol):
    """All tools behind their gateway: what agents are handed."""

    async def specs(self) -> Sequence[ToolSpec]:
        """Every tool there is, in the order of their names."""
        ...

    async def call(
        self, call: ToolCall, report: Callable[[Progress], None] | None = None
    ) -> Outcome:
        """Decide about a call, and carry it out if it may be. Never raises for what a caller asks:
        a refusal is an outcome too.

        Args:
            report: takes the tool's progress; None where nobody asks for it.
        """
        ...


class ToolClient(Toolbelt, Protocol):
    """The tool belt from the other end of a transport; used inside one event loop."""

    async def close(self) -> None:
        """End its connections."""
        ...
