"""A server over streamable HTTP: scoped tokens, checked Host and Origin, bounded requests."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from aiops.app.tokens import capability_on, scoped_by
from aiops.ports.access import TokenRepo
from aiops.ports.clock import Clock
from aiops_mcp.door import Visitor

if TYPE_CHECKING:
    from mcp.server import Server, ServerRequestContext
    from mcp.server.auth.provider import AccessToken
    from starlette.applications import Starlette
    from starlette.types import ASGIApp, Receive, Scope, Send

PATH: Final = "/mcp"
BODY_BYTES: Final = 1_000_000
BODY_S: Final = 10.0
"""A request's body is sent within this time, or not read."""
SESSIONS: Final = 64
IDLE_S: Final = 600.0


@dataclass(frozen=True, slots=True)
class Tokens:
    """Says which tokens open a toolset's server, and for what."""

    repo: TokenRepo
    clock: Clock
    toolset: str

    async def verify_token(self, token: str) -> "AccessToken | None":
        """The SDK's question; None: 401."""
        from mcp.server.auth.provider import AccessToken

        found = await asyncio.to_thread(scoped_by, self.repo, self.clock, token)
        if found is None or capability_on(found.scopes, self.toolset) is None:
            return None
        return AccessToken(
            token="",  # the secret itself goes no further
            client_id=found.id,
            subject=found.name,
            scopes=list(found.scopes),
        )

    def visitor(self, context: "ServerRequestContext[Any, Any]") -> Visitor:
        """Whose token came with a request; a session is a token's hour.

        Raises:
            PermissionError: there is none; the middleware lets no such request come here.
        """
        from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser

        user = None if context.request is None else context.request.scope.get("user")
        if not isinstance(user, AuthenticatedUser):
            raise PermissionError("no token")
        token = user.access_token
        most = capability_on(token.scopes, self.toolset) or "observer"
        run = f"mcp/{token.client_id}/{self.clock.now():%Y-%m-%dT%H}"
        return Visitor(token.subject or token.client_id, run, most, unsigned=most)


def app_of(
    server: "Server[Any]", tokens: Tokens, address: str, hosts: Sequence[str]
) -> "Starlette":
    """The web application that serves ``server`` at PATH.

    Args:
        address: where clients find it, for the SDK's words to them.
        hosts: Host headers that are ours, with their port or ":*"; a page that a browser loaded
            from elsewhere sends another Origin, or through rebound DNS another Host.
    """
    from mcp.server.auth.settings import AuthSettings
    from mcp.server.transport_security import TransportSecuritySettings
    from pydantic import AnyHttpUrl

    app = server.streamable_http_app(
        streamable_http_path=PATH,
        max_request_body_size=BODY_BYTES,
        session_idle_timeout=IDLE_S,
        max_sessions=SESSIONS,
        transport_security=TransportSecuritySettings(
            enable_dns_rebinding_protection=True,
            allowed_hosts=list(hosts),
            allowed_origins=[
                f"{scheme}://{host}" for host in hosts for scheme in ("http", "https")
            ],
        ),
        auth=AuthSettings(
            issuer_url=AnyHttpUrl(address),
            resource_server_url=None,
            required_scopes=[],
            validate_token_resource=False,
        ),
        token_verifier=tokens,
    )
    app.add_middleware(Patience, seconds=BODY_S)
    return app


class Patience:
    """Waits for a request's body only so long: one that trickles in holds a session for ever."""

    def __init__(self, app: "ASGIApp", seconds: float) -> None:
        self._app, self._seconds = app, seconds

    async def __call__(self, scope: "Scope", receive: "Receive", send: "Send") -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        loop = asyncio.get_running_loop()
        until, whole = loop.time() + self._seconds, False

        async def in_time() -> Any:
            nonlocal whole
            if whole:
                return await receive()
            try:
                async with asyncio.timeout_at(until):
                    message = await receive()
            except TimeoutError:
                return {"type": "http.disconnect"}
            whole = message["type"] != "http.request" or not message.get("more_body", False)
            return message

        await self._app(scope, in_time, send)
