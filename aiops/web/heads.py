"""HEAD: what GET would answer, without its body (RFC 9110, section 9.3.2)."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Heads:
    """Answers HEAD wherever GET is answered: monitors and proxies ask so whether we are there."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        ended = False

        async def bodiless(message: Message) -> None:
            nonlocal ended
            if message["type"] == "http.response.start":
                await send(message)
            elif not ended:  # a stream would go on for ever
                ended = True
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        async def until_ended() -> Message:
            return {"type": "http.disconnect"} if ended else await receive()

        await self._app({**scope, "method": "GET"}, until_ended, bodiless)
