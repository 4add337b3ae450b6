"""Names of services -> addresses, asked of the lab's network by UDP and kept for a few seconds.

The question is ``<number> <name> <namespace>``, the answer ``<number> <address or NXDOMAIN or
SERVFAIL>``, in ASCII; the network knows who asks by the source address.
"""

from __future__ import annotations

import asyncio
import itertools
import time

KEPT_S = 5.0
TIMEOUT_S = 1.0
ATTEMPTS = 2


class NotResolved(Exception):
    """A name has no address, or nobody answered; the text says which."""


class Resolver:
    """Asks, waits, asks again, keeps."""

    def __init__(self, source: str, server: tuple[str, int], namespace: str) -> None:
        self._source, self._server, self._namespace = source, server, namespace
        self._kept: dict[str, tuple[float, str]] = {}
        self._waiting: dict[str, asyncio.Future[str]] = {}
        self._numbers = itertools.count(1)
        self._transport: asyncio.DatagramTransport | None = None

    async def resolve(self, name: str) -> str:
        """The address of a name.

        Raises:
            NotResolved: it has none, or no server answers.
        """
        until, address = self._kept.get(name, (0.0, ""))
        if time.monotonic() < until:
            return address
        answer = await self._ask(name)
        if answer == "NXDOMAIN":
            raise NotResolved(f"lookup {name}: no such host")
        if answer == "SERVFAIL":
            raise NotResolved(f"lookup {name}: server misbehaving")
        self._kept[name] = (time.monotonic() + KEPT_S, answer)
        return answer

    async def _ask(self, name: str) -> str:
        loop = asyncio.get_running_loop()
        if self._transport is None or self._transport.is_closing():
            self._transport, _ = await loop.create_datagram_endpoint(
                lambda: _Answers(self._waiting), local_addr=(self._source, 0)
            )
        for _ in range(ATTEMPTS):
            number = str(next(self._numbers))
            waiter = self._waiting[number] = loop.create_future()
            self._transport.sendto(f"{number} {name} {self._namespace}".encode(), self._server)
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    return str(await waiter)
            except TimeoutError:
                continue
            finally:
                self._waiting.pop(number, None)
        raise NotResolved(f"lookup {name}: i/o timeout")


class _Answers(asyncio.DatagramProtocol):
    def __init__(self, waiting: dict[str, asyncio.Future[str]]) -> None:
        self._waiting = waiting

    def datagram_received(self, data: bytes, _addr: tuple[str | object, int]) -> None:
        number, _, answer = data.decode("ascii", "replace").partition(" ")
        waiter = self._waiting.get(number)
        if waiter is not None and not waiter.done():
            waiter.set_result(answer)

    def error_received(self, exc: Exception) -> None:
        """Nobody listens there; the timeout says so."""
