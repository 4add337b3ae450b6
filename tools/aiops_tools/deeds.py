"""A change to what the service keeps, as a tool: previewed, done once for a key, verified."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, ParamSpec, TypeVar

from aiops.errors import AiopsError, Drifted
from aiops.model.tool import Preview, Risk, ToolResult, ToolSpec, Verified
from aiops.ports.tools import ToolContext
from aiops_tools.questions import Answer, Asked, Scene, read_arguments, tool_failure
from aiops_tools.spec import Result, answered, writing

Params = ParamSpec("Params")
Returned = TypeVar("Returned")


@dataclass(frozen=True, slots=True)
class Deed(Generic[Scene, Asked]):
    """One kind of change; its functions block and raise AiopsError.

    Attributes:
        verb: the tool's name without its toolset.
        preview: what it would do; its state is that of all that the deed depends on.
        apply: does it, and does nothing where it was done for the same key.
        verify: whether it is done.
    """

    verb: str
    description: str
    asks: type[Asked]
    answers: type[Result]
    preview: Callable[[Scene, Asked, ToolContext], Preview]
    apply: Callable[[Scene, Asked, ToolContext], Answer]
    verify: Callable[[Scene, Asked, ToolContext], Verified]
    risk: Risk = "low"
    reversible: bool = True
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Doing(Generic[Scene, Asked]):
    """A Writing: one deed in one scene."""

    spec: ToolSpec
    deed: Deed[Scene, Asked]
    scene: Scene = field(repr=False)

    async def preview(self, arguments: Mapping[str, Any], context: ToolContext) -> Preview:
        """See Writing."""
        asked = read_arguments(self.deed.asks, arguments)
        return await _apart(self.deed.preview, self.scene, asked, context)

    async def apply(
        self, arguments: Mapping[str, Any], preview: Preview, context: ToolContext
    ) -> ToolResult:
        """See Writing."""
        asked = read_arguments(self.deed.asks, arguments)
        now = await _apart(self.deed.preview, self.scene, asked, context)
        if now.state != preview.state:
            raise Drifted(f"{preview.summary}: this is not as it was; look at it anew")
        done = await _apart(self.deed.apply, self.scene, asked, context)
        return answered(done.result, done.summary, unread=done.unread, refs=done.refs)

    async def verify(
        self, arguments: Mapping[str, Any], preview: Preview, context: ToolContext
    ) -> Verified:
        """See Writing."""
        del preview
        asked = read_arguments(self.deed.asks, arguments)
        return await _apart(self.deed.verify, self.scene, asked, context)


def doing(toolset: str, deed: Deed[Scene, Asked], scene: Scene) -> Doing[Scene, Asked]:
    """``deed`` as a tool of the toolset called ``toolset``."""
    spec = writing(
        f"{toolset}.{deed.verb}",
        deed.description,
        deed.asks,
        deed.answers,
        risk=deed.risk,
        reversible=deed.reversible,
        examples=deed.examples,
    )
    return Doing(spec, deed, scene)


async def _apart(
    work: Callable[Params, Returned], *args: Params.args, **more: Params.kwargs
) -> Returned:
    """``work`` in a thread; its errors as those of tools."""
    try:
        return await asyncio.to_thread(work, *args, **more)
    except AiopsError as error:
        raise tool_failure(error) from error
