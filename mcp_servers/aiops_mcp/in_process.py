"""Every toolset's server in this process: the transport that the supervisor uses by default."""

import secrets

from aiops.bootstrap.service import Service
from aiops.ports.tools import Toolbelt
from aiops.toolbelt.mcp_belt import McpToolbelt
from aiops.toolbelt.mcp_identity import KEY_BYTES, Seal
from aiops.toolbelt.mcp_reach import InProcess
from aiops_mcp.door import Door, Visitor
from aiops_mcp.server import server_of
from aiops_mcp.shelf import Shelf, shipped_playbooks


async def belt_in_process(gateway: Toolbelt, service: Service) -> McpToolbelt:
    """The tool belt whose every call goes through a server of this process to ``gateway``.

    What signs the calls is made here and never leaves the process.
    """
    secret = secrets.token_bytes(KEY_BYTES)
    shelf = Shelf(service.investigations, shipped_playbooks())
    visitor = Visitor("in process", service.ids.new("session"), most="executor")
    toolsets = sorted({spec.toolset for spec in await gateway.specs()})
    servers = {
        name: InProcess(
            server_of(
                name,
                gateway,
                Door(Seal(secret, name), service.clock, service.ids, service.audit),
                shelf,
                lambda _: visitor,
            )
        )
        for name in toolsets
    }
    return McpToolbelt(servers, secret, service.clock)
