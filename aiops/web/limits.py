"""How much one client may ask for: requests a minute, bytes a request."""

from collections import OrderedDict
from threading import Lock
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aiops.ports.clock import Clock
from aiops.web.errors import answer, too_large

MOST_CLIENTS: Final = 10_000
"""Clients remembered; who asked longest ago is forgotten first, and has its full allowance."""


class RateLimit:
    """A token bucket a client: a minute's allowance at once, refilled steadily. For many threads.

    Args:
        per_minute: requests.
    """

    def __init__(self, clock: Clock, per_minute: int) -> None:
        self._clock, self._most, self._per_s = clock, float(per_minute), per_minute / 60
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._gate = Lock()

    def take(self, client: str, cost: float = 1.0) -> float:
        """Take ``cost`` of the client's allowance: 0, or seconds to wait where it is used up."""
        now = self._clock.stopwatch()
        with self._gate:
            left, at = self._buckets.pop(client, (self._most, now))
            left = min(self._most, left + (now - at) * self._per_s)
            enough = left >= cost
            self._buckets[client] = (left - cost if enough else left, now)
            if len(self._buckets) > MOST_CLIENTS:
                self._buckets.popitem(last=False)
        return 0.0 if enough else (cost - left) / self._per_s


async def body_of(request: Request, most: int, setting: str = "web.max_body_bytes") -> bytes:
    """The body, read as it comes and never further than ``most`` bytes, which ``setting`` says.

    Raises:
        Refused: 413; a body that says its length is refused before any of it is read.
    """
    if _said(request.headers.get("content-length", "")) > most:
        raise too_large(most, setting)
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            raise too_large(most, setting)
        parts.append(part)
    return parts[0] if len(parts) == 1 else b"".join(parts)


class BodyLimit:
    """Refuses larger bodies in the one shape of errors, before they are read where they say so.

    Starlette's own limit answers in plain text whatever the application said.

    Args:
        most: bytes of a body, but for routes that read theirs with ``body_of``.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app, self._most = app, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http" or scope["path"].startswith(_COUNTED_THERE):
            await self._app(scope, receive, send)
            return
        if _said(Headers(scope=scope).get("content-length", "")) > self._most:
            await answer(too_large(self._most))(scope, receive, send)
            return
        size = 0

        async def counted() -> Message:
            nonlocal size
            message = await receive()
            size += len(message.get("body", b""))
            if size > self._most:
                raise HTTPException(413)
            return message

        await self._app(scope, counted, send)


_COUNTED_THERE: Final = ("/webhooks/", "/v1/")


def _said(length: str) -> int:
    return int(length) if length.isascii() and length.isdecimal() else 0
