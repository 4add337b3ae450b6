"""Every toolset's server in this process: the transport that the supervisor uses by default."""

from aiops.ports.clock import Clock
from aiops.ports.ids import Ids
from aiops.ports.repositories import AuditLog
from aiops.ports.tools import Toolbelt
from aiops.toolbelt.mcp_belt import McpToolbelt
from aiops.toolbelt.mcp_identity import Seal
from aiops.toolbelt.mcp_reach import InProcess
from aiops_mcp.door import Door, Visitor
from aiops_mcp.server import server_of
from aiops_mcp.shelf import Shelf


async def belt_in_process(
    gateway: Toolbelt, shelf: Shelf, secret: bytes, clock: Clock, ids: Ids, audit: AuditLog
) -> McpToolbelt:
    """The tool belt whose every call goes through a server of this process to ``gateway``.

    Args:
        secret: random, of KEY_BYTES; made anew for each process, it never leaves it.
    """
    visitor = Visitor("in process", ids.new("session"), most="executor")
    toolsets = sorted({spec.toolset for spec in await gateway.specs()})
    servers = {
        name: InProcess(
            server_of(
                name, gateway, Door(Seal(secret, name), clock, ids, audit), shelf, lambda _: visitor
            )
        )
        for name in toolsets
    }
    return McpToolbelt(servers, secret, clock)
