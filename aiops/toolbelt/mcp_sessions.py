"""Sessions with MCP servers: made when first needed, shared by all who call, replaced when dead.

A server that does not answer costs its callers their own time limit and nobody else anything; one
that cannot be reached is asked again only after a while, and refused meanwhile without waiting.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aiops.errors import ToolFailed
from aiops.toolbelt.apart import Killed
from aiops.toolbelt.mcp_http import remote
from aiops.toolbelt.mcp_process import spawned
from aiops.toolbelt.mcp_reach import Bounds, InProcess, Reach, Remote, Spawned, Watch

if TYPE_CHECKING:
    from mcp import Client
    from mcp.client import Transport
    from mcp.server import Server
    from mcp.shared.dispatcher import ProgressFnT
    from mcp_types import CallToolResult, Tool

T = TypeVar("T")
TOOLS_MOST: Final = 500
_PAGES_MOST: Final = 50
_REST_S: Final = (1.0, 5.0, 30.0, 120.0)
"""How long a server that could not be reached is left alone, after so many failures."""
_CLOSE_S: Final = 8.0


class _Line:
    """One connection, held open by a task of its own until nobody needs it."""

    def __init__(self, reach: Reach, bounds: Bounds) -> None:
        self.watch = Watch()
        self.ready: asyncio.Future[Client] = asyncio.get_running_loop().create_future()
        self.users = 0
        self.tools: tuple[Tool, ...] = ()
        self.listed_at = float("-inf")
        self._retired = False
        self._end = asyncio.Event()
        self.task = asyncio.create_task(self._hold(reach, bounds))
        self.task.add_done_callback(_seen)

    async def _hold(self, reach: Reach, bounds: Bounds) -> None:
        from mcp import Client

        # The SDK's scopes have to be left by the task that entered them.
        async with Client(_target(reach, bounds, self.watch), cache=None) as client:
            self.ready.set_result(client)
            await self._end.wait()

    @property
    def dead(self) -> bool:
        return self._retired or self.task.done()

    def retire(self) -> None:
        """No new calls; those under way end, then the connection does."""
        self._retired = True
        self.left()

    def left(self) -> None:
        if self._retired and self.users <= 0:
            self._end.set()

    async def cut(self) -> None:
        """End it now, whatever is under way."""
        self._retired = True
        self._end.set()
        if not self.ready.done():
            self.task.cancel()
        _, waits = await asyncio.wait({self.task}, timeout=_CLOSE_S)
        if waits:
            self.task.cancel()
            await asyncio.wait({self.task}, timeout=_CLOSE_S)


class Session:
    """What others call; belongs to the event loop that first uses it.

    Args:
        name: for messages.
        clock: seconds, monotonic.
    """

    def __init__(
        self,
        name: str,
        reach: Reach,
        bounds: Bounds | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name, self._reach, self._bounds = name, reach, bounds or Bounds()
        self._clock = clock
        self._line: _Line | None = None
        self._held: set[_Line] = set()
        self._failures, self._rests_until, self._why = 0, 0.0, ""
        self._listing = asyncio.Lock()

    async def call(
        self,
        tool: str,
        arguments: dict[str, Any],
        *,
        timeout_s: float,
        meta: dict[str, Any] | None = None,
        report: "ProgressFnT | None" = None,
    ) -> "CallToolResult":
        """The server's answer, as it gave it.

        Raises:
            ToolFailed: "timeout", "unreachable", "invalid", "failed".
        """

        async def asked(client: "Client") -> "CallToolResult":
            # Not client.call_tool: that one lists again where a server says so, and calls a tool
            # whose description nobody has looked at.
            return await client.session.call_tool(
                tool,
                arguments,
                progress_callback=report,
                meta=meta,  # type: ignore[arg-type]
            )

        return await self._ask(asked, timeout_s)

    async def tools(self, *, fresh_s: float, timeout_s: float) -> "tuple[Tool, ...]":
        """Its tools, as listed at most ``fresh_s`` ago on the connection that calls go through.

        Raises:
            ToolFailed: as for ``call``; "invalid" where the list has no end.
        """
        async with self._listing:
            line = self._line
            if line is not None and not line.dead and self._clock() - line.listed_at < fresh_s:
                return line.tools
            return await self._ask(self._listed, timeout_s)

    async def close(self) -> None:
        """End the connection; a server that does not want to is left behind."""
        self._line = None
        await asyncio.gather(*(line.cut() for line in tuple(self._held)))

    async def _listed(self, client: "Client") -> "tuple[Tool, ...]":
        from mcp_types import PaginatedRequestParams

        found: list[Tool] = []
        cursor: str | None = None
        for _ in range(_PAGES_MOST):
            page = await client.session.list_tools(params=PaginatedRequestParams(cursor=cursor))
            found += page.tools
            cursor = page.next_cursor
            if cursor is None and len(found) <= TOOLS_MOST:
                break
            if cursor is None or len(found) > TOOLS_MOST:
                raise ToolFailed("invalid", f"{self._name} lists more than {TOOLS_MOST} tools")
        else:
            raise ToolFailed("invalid", f"{self._name}: its list of tools has no end")
        line = self._line
        if line is not None and line.ready.done() and line.ready.result() is client:
            line.tools, line.listed_at = tuple(found), self._clock()
        return tuple(found)

    async def _ask(self, work: "Callable[[Client], Awaitable[T]]", timeout_s: float) -> T:
        from mcp import MCPError
        from mcp_types import CONNECTION_CLOSED
        from pydantic import ValidationError

        line = await self._connected()
        line.users += 1
        try:
            async with asyncio.timeout(timeout_s):
                return await work(line.ready.result())
        except TimeoutError as error:
            line.retire()  # what it is still sending belongs to nobody
            raise ToolFailed(
                "timeout", f"{self._name} did not answer within {timeout_s:g} s", retryable=True
            ) from error
        except MCPError as error:
            why = line.watch.reason
            if why is None and error.code != CONNECTION_CLOSED and not line.dead:
                said = " ".join(error.message.split())[:300]
                raise ToolFailed("failed", f"{self._name} refused: {said}") from error
            line.retire()
            if line.watch.killed:
                raise Killed(self._name, *line.watch.killed) from error
            raise ToolFailed(
                "unreachable", f"{self._name} broke off: {why or 'the connection closed'}"
            ) from error
        except (RuntimeError, ValidationError) as error:
            said = " ".join(str(error).split())[:300]
            raise ToolFailed("invalid", f"{self._name} answered against MCP: {said}") from error
        finally:
            line.users -= 1
            line.left()

    async def _connected(self) -> _Line:
        if self._line is None or self._line.dead:
            rests = self._rests_until - self._clock()
            if rests > 0:
                raise ToolFailed(
                    "unreachable",
                    f"{self._name}: {self._why}; it is asked again in {rests:.0f} s",
                    retryable=True,
                )
            self._line = self._opened()
        line = self._line
        either: set[asyncio.Future[Any]] = {line.ready, line.task}
        await asyncio.wait(
            either,
            timeout=self._bounds.connect_s,
            return_when=asyncio.FIRST_COMPLETED,
        )
        if line.ready.done() and not line.task.done():
            self._failures = 0
            return line
        raise self._failed(line)

    def _opened(self) -> _Line:
        """A new line; it is remembered until it has ended, so that no server is left running."""
        line = _Line(self._reach, self._bounds)
        self._held.add(line)
        line.task.add_done_callback(lambda _: self._held.discard(line))
        return line

    def _failed(self, line: _Line) -> ToolFailed:
        """Leaves the server alone for a while; of many who waited, the first one counts."""
        if self._line is line:
            self._why = line.watch.reason or _reason(line.task, self._bounds.connect_s)
            self._rests_until = self._clock() + _REST_S[min(self._failures, len(_REST_S) - 1)]
            self._failures += 1
            self._line = None
            line.task.cancel()
        return ToolFailed("unreachable", f"{self._name}: {self._why}", retryable=True)


def _reason(task: "asyncio.Task[None]", waited_s: float) -> str:
    if not task.done():
        return f"it did not say who it is within {waited_s:g} s"
    error = None if task.cancelled() else task.exception()
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if error is None:
        return "the connection closed"
    return " ".join(str(error).split())[:300] or type(error).__name__


def _seen(task: "asyncio.Task[None]") -> None:
    """An end that nobody asks about is no news: callers learn from their own requests."""
    if not task.cancelled():
        task.exception()


def _target(reach: Reach, bounds: Bounds, watch: Watch) -> "Server[Any] | Transport":
    """What the SDK's client connects to."""
    # Its loggers print what a server sent, which may be anything, secrets included.
    logging.getLogger("mcp.client").setLevel(logging.CRITICAL)
    match reach:
        case InProcess(server):
            return server
        case Spawned():
            return spawned(reach, bounds, watch)
        case Remote():
            return remote(reach, bounds, watch)
