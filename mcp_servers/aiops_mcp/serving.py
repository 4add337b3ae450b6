"""Runs one toolset's server until it is told to stop: over standard input and output, or HTTP."""

import socket
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from aiops.errors import AiopsError
from aiops.model.tool import Capability
from aiops.ports.tools import Toolbelt
from aiops_mcp.door import Door, Visitor
from aiops_mcp.http import PATH, Tokens, app_of
from aiops_mcp.server import server_of
from aiops_mcp.shelf import Shelf

if TYPE_CHECKING:
    from starlette.applications import Starlette

_CONCURRENT: Final = 128
_GRACE_S: Final = 3


class CannotListen(AiopsError):
    """The address is taken or not ours."""


async def over_stdio(
    toolset: str,
    belt: Toolbelt,
    door: Door,
    shelf: Shelf,
    name: str,
    capability: Capability,
) -> None:
    """Serve whoever started this process, until they close our input.

    Args:
        name: of whoever started it, for the audit log.
        capability: what they may without a signature.
    """
    from mcp.server.stdio import stdio_server

    visitor = Visitor(name, door.ids.new("session"), most="executor", unsigned=capability)
    server: Any = server_of(toolset, belt, door, shelf, lambda _: visitor)
    async with stdio_server() as (incoming, outgoing):
        await server.run(incoming, outgoing, server.create_initialization_options())


async def over_http(
    toolset: str,
    belt: Toolbelt,
    door: Door,
    shelf: Shelf,
    tokens: Tokens,
    listening: socket.socket,
    hosts: Sequence[str],
    ready: Callable[[str], None],
) -> None:
    """Serve whoever has a token with our scope.

    Args:
        hosts: names that clients call this machine by, beside loopback's.
        ready: told the address once it listens.
    """
    host, port = listening.getsockname()[:2]
    address = f"http://[{host}]:{port}{PATH}" if ":" in host else f"http://{host}:{port}{PATH}"
    names = ("127.0.0.1", "localhost", "[::1]", *hosts)
    allowed = [*names, *(f"{each}:*" for each in names)]
    server = server_of(toolset, belt, door, shelf, tokens.visitor)
    ready(address)
    await _run(app_of(server, tokens, address, allowed), listening)


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        CannotListen: the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family)
    except OSError as error:
        raise CannotListen(
            f"cannot listen on {host}:{port}: {error.strerror}; stop what listens there, or choose "
            "another --port"
        ) from error


async def _run(app: "Starlette", listening: socket.socket) -> None:
    import uvicorn

    config = uvicorn.Config(
        app,
        log_level="error",
        access_log=False,
        lifespan="on",
        limit_concurrency=_CONCURRENT,
        timeout_graceful_shutdown=_GRACE_S,
        h11_max_incomplete_event_size=32_768,
        server_header=False,
        ws="none",
    )
    await uvicorn.Server(config).serve(sockets=[listening])
