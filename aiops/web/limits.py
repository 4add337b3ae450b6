"""How much one client may ask for: requests a minute, bytes a request."""

from collections import OrderedDict
from threading import Lock
from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request

from aiops.ports.clock import Clock
from aiops.web.errors import too_large

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


async def body_of(request: Request, most: int) -> bytes:
    """The body, read as it comes and never further than ``most`` bytes.

    Raises:
        Refused: 413; a body that says its length is refused before any of it is read.
    """
    said = request.headers.get("content-length", "")
    if said.isdecimal() and int(said) > most:
        raise too_large(most)
    parts, size = [], 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > most:
                raise too_large(most)
            parts.append(part)
    except HTTPException as error:  # the framework counts, too
        raise too_large(most) from error
    return parts[0] if len(parts) == 1 else b"".join(parts)
