"""Tools of other people's MCP servers, behind the same gateway as ours.

Only what a person named in the configuration and pinned exists; it exists as it was pinned. A
server's hints never widen what its tools may do: whoever configures it says which only read.
"""

import asyncio
import threading
from collections.abc import Coroutine, Mapping, Sequence
from difflib import unified_diff
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from aiops.errors import Drifted, ToolFailed
from aiops.model.canonical import canonical, digest, parsed
from aiops.model.tool import (
    BlastRadius,
    Preview,
    Target,
    ToolResult,
    ToolSpec,
    Unread,
    Verified,
)
from aiops.ports.tools import Progress, Tool, ToolContext
from aiops.toolbelt.mcp_options import ServerOptions, read
from aiops.toolbelt.mcp_pins import Pin, Pinned, compared
from aiops.toolbelt.mcp_pins import read as read_pins
from aiops.toolbelt.mcp_reach import Bounds
from aiops.toolbelt.mcp_sessions import Session

if TYPE_CHECKING:
    from mcp.shared.dispatcher import ProgressFnT
    from mcp_types import CallToolResult
    from mcp_types import Tool as Listed

T = TypeVar("T")

TEXTS: Final = canonical(
    {
        "type": "object",
        "properties": {"texts": {"type": "array", "items": {"type": "string"}}},
        "required": ["texts"],
        "additionalProperties": False,
    }
)
"""The result schema of a tool that promises none."""
BESIDE_S: Final = 15.0
"""For making a connection."""


class ThirdParty:
    """A Toolset over one MCP server of others.

    Its sessions live on an event loop of their own, in a thread: one loop asks after another, and
    a server that keeps its connection busy keeps nobody else waiting.
    """

    def __init__(self, name: str, options: ServerOptions) -> None:
        self.name = name
        self._options = options
        self._pinned = read_pins(options.pins).of(name, str(options.reach))
        connect_s = min(Bounds().connect_s, options.timeout_s)
        bounds = Bounds(connect_s=connect_s, process=options.allowance)
        self._session = Session(name, options.reach, bounds)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    @classmethod
    def connect(cls, name: str, options: Mapping[str, object], service: object) -> Self:
        """The toolset; nothing is connected yet.

        Raises:
            InvalidInput: an option, or the file of pins, that cannot be used.
        """
        del service
        return cls(name, read(name, options))

    @property
    def pinned(self) -> Pinned:
        """What was accepted of it."""
        return self._pinned

    @property
    def pins_file(self) -> Path:
        """Where that is kept."""
        return self._options.pins

    @property
    def named(self) -> tuple[str, ...]:
        """The tools that the configuration lets be used, pinned or not."""
        return (*self._options.allow, *self._options.writes)

    def tools(self) -> Sequence[Tool]:
        """Those that are configured and pinned."""
        found: list[Tool] = []
        for name in self.named:
            pin = self._pinned.pin(name)
            if pin is None:
                continue
            writes = name in self._options.writes or _admits_to_write(pin)
            found.append(RemoteWriting(self, pin) if writes else RemoteReading(self, pin))
        return found

    def check(self) -> str:
        """One listing; what was seen, in a sentence with numbers."""
        listed = self.listed()
        changes = compared(self._pinned, listed)
        asked = [name for name in self.named if changes.get(name, "gone") != "same"]
        said = f"{len(listed)} tools listed, {len(self._pinned.pins)} pinned"
        if asked:
            raise ToolFailed(
                "stale",
                f"{said}; not as pinned: {', '.join(sorted(asked))}; look at them with "
                f"'aiops mcp inspect {self.name}' and pin them with 'aiops mcp pin {self.name}'",
            )
        return said

    def listed(self) -> "tuple[Listed, ...]":
        """What the server offers now.

        Raises:
            ToolFailed: it cannot be asked.
        """
        asked = self._session.tools(fresh_s=0, timeout_s=self._options.timeout_s)
        return asyncio.run_coroutine_threadsafe(asked, self._running()).result()

    def close(self) -> None:
        """Ends the session, and the server's process."""
        with self._starting:
            loop, self._loop = self._loop, None
            thread, self._thread = self._thread, None
        if loop is None or thread is None:
            return
        ended = asyncio.run_coroutine_threadsafe(self._session.close(), loop)
        ended.add_done_callback(lambda _: loop.call_soon_threadsafe(loop.stop))
        thread.join()

    async def call(
        self, pin: Pin, arguments: Mapping[str, Any], context: ToolContext
    ) -> "CallToolResult":
        """The server's answer to a call of a tool that is still as it was pinned.

        Raises:
            ToolFailed: it is not, or the server did not answer as it should.
        """
        await self.must_be_as_pinned(pin)
        asked = self._session.call(
            pin.name,
            dict(arguments),
            timeout_s=self._options.timeout_s,
            report=_progress(context),
        )
        answer = await self._on_its_loop(asked)
        if answer.is_error:
            said = " ".join(_texts(answer))[:1000]
            raise ToolFailed("failed", f"{self.name}.{pin.name} said: {said or 'an error'}")
        return answer

    async def must_be_as_pinned(self, pin: Pin) -> None:
        """Raises ToolFailed, "stale", where the server now says something else of its tool."""
        asked = self._session.tools(
            fresh_s=self._options.fresh_s, timeout_s=self._options.timeout_s
        )
        change = compared(self._pinned, await self._on_its_loop(asked))[pin.name]
        if change != "same":
            raise Drifted(
                f"{self.name}.{pin.name} is {change} since it was pinned: it is not called until "
                f"somebody looks at it ('aiops mcp inspect {self.name}'), pins it anew ('aiops mcp "
                f"pin {self.name}') and starts the service again"
            )

    def spec(self, pin: Pin, *, writes: bool) -> ToolSpec:
        """What the tool is, in our words; only the description and schemas are its server's."""
        said = parsed(pin.definition)
        given, promised = said["inputSchema"], said.get("outputSchema")
        return ToolSpec(
            name=f"{self.name}.{pin.name}",
            description=said.get("description", ""),
            arguments=canonical({"additionalProperties": False, **given}),
            result=TEXTS if promised is None else canonical(promised),
            effect="write" if writes else "read",
            capability="executor" if writes else self._options.capability,
            risk="high" if writes else "none",
            idempotent=not writes,
            reversible=not writes,
            # The list is looked at first; the session's own limit then says what was the matter.
            timeout_s=2 * self._options.timeout_s + BESIDE_S,
        )

    async def _on_its_loop(self, work: Coroutine[Any, Any, T]) -> T:
        future = asyncio.run_coroutine_threadsafe(work, self._running())
        return await asyncio.wrap_future(future)

    def _running(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=_run, args=(self._loop,), name=f"mcp {self.name}", daemon=True
                )
                self._thread.start()
            return self._loop


class RemoteReading:
    """A tool of others that only reads, as the configuration says."""

    def __init__(self, server: ThirdParty, pin: Pin) -> None:
        self._server, self._pin = server, pin
        self.spec = server.spec(pin, writes=False)

    async def read(self, arguments: Mapping[str, Any], context: ToolContext) -> ToolResult:
        """The answer, as data."""
        return _result(self.spec, await self._server.call(self._pin, arguments, context))


class RemoteWriting:
    """A tool of others that changes something. It has no dry run: its preview is the exact call."""

    def __init__(self, server: ThirdParty, pin: Pin) -> None:
        self._server, self._pin = server, pin
        self.spec = server.spec(pin, writes=True)

    async def preview(self, arguments: Mapping[str, Any], context: ToolContext) -> Preview:
        """The call itself; asks the server for nothing but whether the tool is as pinned."""
        del context
        await self._server.must_be_as_pinned(self._pin)
        shown = dumps(arguments, indent=2, sort_keys=True, ensure_ascii=False)
        lines = f"{self.spec.name}\n{shown}".splitlines()
        return Preview(
            summary=f"call {self.spec.name} of a third party with exactly these arguments",
            targets=(Target(self._server.name, "MCPTool", self._pin.name),),
            diff="\n".join(unified_diff([], lines, "", "the call", lineterm="")),
            state=digest({"pin": self._pin.digest, "reach": self._server.pinned.reach}),
            radius=BlastRadius(objects=1),
            warnings=(
                f"{self._server.name} offers no dry run: what the call changes is not known before",
                "it cannot be taken back by aiops",
            ),
        )

    async def apply(
        self, arguments: Mapping[str, Any], preview: Preview, context: ToolContext
    ) -> ToolResult:
        """Make the call, once."""
        del preview
        await self._server.must_be_as_pinned(self._pin)
        try:
            return _result(self.spec, await self._server.call(self._pin, arguments, context))
        except ToolFailed as failed:
            if failed.kind in ("failed", "stale"):  # it said so itself: nothing else is unclear
                raise
            raise ToolFailed("crashed", failed.reason) from failed

    async def verify(
        self, arguments: Mapping[str, Any], preview: Preview, context: ToolContext
    ) -> Verified:
        """Raises ToolFailed: nothing of the server's is believed to prove what it did."""
        del arguments, preview, context
        raise ToolFailed(
            "unverifiable", f"{self._server.name} answered without an error; look at it by hand"
        )


def _admits_to_write(pin: Pin) -> bool:
    """Whether its own hints say that it changes something; they are believed in that alone."""
    hints = parsed(pin.definition).get("annotations") or {}
    return hints.get("readOnlyHint") is False or hints.get("destructiveHint") is True


def _result(spec: ToolSpec, answer: "CallToolResult") -> ToolResult:
    texts = _texts(answer)
    if spec.result == TEXTS:
        content = canonical({"texts": texts})
    elif isinstance(answer.structured_content, Mapping):
        content = canonical(answer.structured_content)
    else:
        raise ToolFailed("invalid", f"{spec.name} promised structured content and sent none")
    unread = []
    for block in answer.content:
        if block.type in ("resource_link", "resource"):
            uri = block.uri if block.type == "resource_link" else block.resource.uri
            what = f"resource {str(uri)[:200]!a}"
            unread.append(Unread(what, "what a third party links to is not fetched"))
        elif block.type != "text":
            unread.append(Unread(f"an {block.type}", "only text is read"))
    return ToolResult(content, "\n".join(texts) or content, tuple(unread))


def _texts(answer: "CallToolResult") -> list[str]:
    return [block.text for block in answer.content if block.type == "text"]


def _progress(context: ToolContext) -> "ProgressFnT":
    """Hands progress over to the loop of whoever called."""
    loop = asyncio.get_running_loop()

    async def report(progress: float, total: float | None, message: str | None) -> None:
        share = min(max(progress / total, 0.0), 1.0) if total and total > 0 else None
        loop.call_soon_threadsafe(context.report, Progress(share, (message or "")[:200]))

    return report


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
    finally:
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
