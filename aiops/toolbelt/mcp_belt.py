"""The tool belt as an MCP client: every toolset through its own server, whatever the transport.

The gateway is inside the servers; what is here signs whose call it is, sends it, and reads the
outcome.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Final, Self

from aiops.errors import ToolFailed
from aiops.model.canonical import parsed
from aiops.model.tool import Outcome, OutcomeStatus, ToolCall, ToolSpec
from aiops.ports.clock import Clock
from aiops.ports.tools import Progress
from aiops.toolbelt.mcp_forms import outcome_of, spec_of
from aiops.toolbelt.mcp_identity import META, Seal
from aiops.toolbelt.mcp_reach import Bounds, Reach
from aiops.toolbelt.mcp_sessions import Session

if TYPE_CHECKING:
    from mcp.shared.dispatcher import ProgressFnT

_FRESH_S: Final = 60.0
_LIST_S: Final = 15.0
_BESIDE_S: Final = 30.0
_OURS: Final = Bounds(message_bytes=32_000_000, between_bytes=64_000_000)
"""The gateway bounds what our own servers answer."""


class McpToolbelt:
    """A Toolbelt over servers of aiops; used inside one event loop, and closed at its end.

    Args:
        servers: how each toolset's server is reached, by the toolset's name.
        secret: what identities are signed with; the servers have the same.
    """

    def __init__(self, servers: Mapping[str, Reach], secret: bytes, clock: Clock) -> None:
        self._clock = clock
        self._sessions = {name: Session(name, reach, _OURS) for name, reach in servers.items()}
        self._seals = {name: Seal(secret, name) for name in servers}
        self._timeouts: dict[str, float] = {}
        self._missing: dict[str, str] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def missing(self) -> Mapping[str, str]:
        """Toolsets whose server did not answer when ``specs`` was asked last, and why."""
        return dict(self._missing)

    async def specs(self) -> Sequence[ToolSpec]:
        """See Toolbelt. Tools of a server that does not answer are ``missing``."""
        found = await asyncio.gather(*(self._listed(name) for name in self._sessions))
        # All of them offer "results": what one of them kept, each can read.
        named = {spec.name: spec for each in found for spec in each}
        specs = sorted(named.values(), key=lambda spec: spec.name)
        self._timeouts = {spec.name: spec.timeout_s for spec in specs}
        return specs

    async def call(
        self, call: ToolCall, report: Callable[[Progress], None] | None = None
    ) -> Outcome:
        """See Toolbelt."""
        toolset = call.tool.partition(".")[0]
        if toolset not in self._sessions:
            # Any server reads results, and refuses all else, and its gateway records it.
            toolset = next(iter(self._sessions), toolset)
        session = self._sessions.get(toolset)
        if session is None:
            return Outcome(call.id, "denied", "there are no tools here", reason="unknown_tool")
        try:
            answer = await session.call(
                call.tool,
                dict(parsed(call.arguments)),
                timeout_s=3 * self._timeouts.get(call.tool, _BESIDE_S) + _BESIDE_S,
                meta={META: self._seals[toolset].signed(call, self._clock.now())},
                report=None if report is None else _heard(report),
            )
            return outcome_of(answer)
        except ToolFailed as failed:
            # A change may have happened though its answer was lost.
            status: OutcomeStatus = "failed" if call.approval is None else "unknown"
            return Outcome(call.id, status, failed.reason, reason=failed.kind)

    async def close(self) -> None:
        """End every session."""
        await asyncio.gather(*(each.close() for each in self._sessions.values()))

    async def _listed(self, name: str) -> list[ToolSpec]:
        try:
            tools = await self._sessions[name].tools(fresh_s=_FRESH_S, timeout_s=_LIST_S)
            specs = [spec_of(tool) for tool in tools]
        except ToolFailed as failed:
            self._missing[name] = failed.reason
            return []
        self._missing.pop(name, None)
        return specs


def _heard(report: Callable[[Progress], None]) -> "ProgressFnT":
    async def heard(progress: float, total: float | None, message: str | None) -> None:
        report(Progress(progress / total if total else None, message or ""))

    return heard
