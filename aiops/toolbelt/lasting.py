"""Calls that last: begun, asked about by their handle, ended on their own."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from aiops.errors import ToolFailed
from aiops.model.canonical import canonical, parsed
from aiops.model.tool import Outcome, ToolResult, ToolSpec
from aiops.ports.tools import ToolContext
from aiops.toolbelt.trail import Trail

NAME: Final = "calls.progress"
KEPT: Final = 1000
"""Ended calls that can still be asked about."""


class Lasting:
    """The lasting calls of this process, by handle: the id of the call."""

    def __init__(self) -> None:
        self._calls: dict[str, tuple[Trail, asyncio.Task[Outcome]]] = {}

    def keep(self, trail: Trail, task: "asyncio.Task[Outcome]") -> None:
        """Hold on to a call that goes on after its caller was answered."""
        ended = [handle for handle, (_, one) in self._calls.items() if one.done()]
        for handle in ended[: max(0, len(ended) - KEPT)]:
            del self._calls[handle]
        self._calls[trail.call.id] = (trail, task)

    def of(self, handle: str, run: str) -> tuple[Trail, "asyncio.Task[Outcome]"]:
        """The call; raises ToolFailed, "not_found", also for another run's."""
        found = self._calls.get(handle)
        if found is None or found[0].call.caller.run != run:
            raise ToolFailed(
                "not_found",
                f"no call with handle {handle!a} goes on here; make the call again with its key to "
                "read how it ended",
            )
        return found

    async def close(self) -> None:
        """Cut off what goes on, and wait until it has ended and is recorded."""
        tasks = [task for _, task in self._calls.values()]
        for trail, _ in self._calls.values():
            trail.cut.now()
        if tasks:
            await asyncio.wait(tasks)


def _spec() -> ToolSpec:
    text = {"type": "string"}
    return ToolSpec(
        name=NAME,
        description="How far a lasting call is, by its handle, and how it ended.",
        arguments=canonical(
            {
                "type": "object",
                "properties": {"handle": {"type": "string", "minLength": 1, "maxLength": 100}},
                "required": ["handle"],
                "additionalProperties": False,
            }
        ),
        result=canonical(
            {
                "type": "object",
                "properties": {
                    "status": text,
                    "share": {"type": ["number", "null"]},
                    "doing": text,
                    "content": {"type": ["object", "null"]},
                },
                "required": ["status", "share", "doing", "content"],
            }
        ),
        effect="read",
        capability="observer",
        examples=("is the rollout that was started done", "how far is that call"),
    )


@dataclass(frozen=True, slots=True)
class AskProgress:
    """The tool "calls.progress"."""

    calls: Lasting
    spec: ToolSpec = field(default_factory=_spec)

    async def read(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        """See Reading."""
        trail, task = self.calls.of(arguments["handle"], context.caller.run)
        outcome = task.result() if task.done() and not task.cancelled() else None
        progress = trail.progress
        status = "started" if outcome is None else outcome.status
        doing = outcome.summary if outcome is not None else progress.doing if progress else ""
        share = 1.0 if outcome is not None else progress.share if progress else None
        content = None if outcome is None or outcome.content is None else parsed(outcome.content)
        answer = {"status": status, "share": share, "doing": doing, "content": content}
        return ToolResult(canonical(answer), f"{trail.call.tool}: {status} {doing}".strip())
