"""Keep-alive HTTP/1.1 clients: a bounded pool a target, timeouts, retries, credentials."""

from __future__ import annotations

import asyncio
import base64
import itertools
import json
import socket
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal

import httptools

from aiops_lab.pods.names import NotResolved, Resolver
from aiops_lab.topology.model import Behaviour

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

    from aiops_lab.pods.meter import Meter
    from aiops_lab.pods.setup import Target

CONNECTION_AGE_S = 12.0  # so that new replicas get their share within seconds
RETRY_S = 0.5  # of who was told to retry more often than its topology says; never more
RETRY_STATUS = frozenset({502, 503, 504})

Why = Literal["dns", "refused", "reset", "timeout", "pool", "credential", "certificate"]


class Unanswered(Exception):
    """A request got no answer; ``why`` in one word, the text for a log line."""

    def __init__(self, target: str, why: Why, text: str) -> None:
        self.target, self.why = target, why
        super().__init__(f"{target}: {text}")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and body of a response."""

    status: int
    body: bytes


class Client:
    """Requests to one other service.

    Args:
        source: our own address; by it the network knows who calls.
        size: connections at the same time; requests wait for a free one.
        timeout_s: of each attempt, the wait for a connection included.
        now: seconds since the epoch, for the certificate's end.
        habits: how its process behaves now.
    """

    def __init__(
        self,
        target: Target,
        *,
        resolver: Resolver,
        source: str,
        bound: Callable[[int], int],
        size: int,
        timeout_s: float,
        retries: int,
        meter: Meter,
        rng: random.Random,
        now: Callable[[], float] = time.time,
        habits: Callable[[], Behaviour] = Behaviour,
    ) -> None:
        self.target, self.size = target, size
        self._resolver, self._source, self._bound = resolver, source, bound
        self._timeout_s, self._retries = timeout_s, retries
        self._meter, self._rng, self._now, self._habits = meter, rng, now, habits
        self._free = asyncio.Semaphore(max(size, 1))
        self._idle: list[_Connection] = []
        self._lost: list[_Connection] = []
        self._taken = 0
        self._labels = (("target", target.name),)
        secret = base64.b64encode(f"{target.user}:{target.password}".encode()).decode()
        self._headers = f"Host: {target.host}\r\n" + (
            f"Authorization: Basic {secret}\r\n" if target.store else ""
        )
        meter.gauge("client_pool_in_use", lambda: self._taken, self._labels)
        meter.gauge("client_pool_size", lambda: self.size, self._labels)

    async def request(
        self,
        method: str,
        path: str,
        *,
        headers: str = "",
        body: bytes = b"",
        timeout_s: float | None = None,
    ) -> Answer:
        """One request, tried again where it failed or the answer is 502, 503 or 504.

        Args:
            timeout_s: of a long poll; how long that waits for news is no latency.

        Raises:
            Unanswered: the last attempt got no answer.
        """
        message = (
            f"{method} {path} HTTP/1.1\r\n{self._headers}{headers}"
            f"Content-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        limit = self._timeout_s if timeout_s is None else timeout_s
        for attempt in itertools.count():
            extra = self._habits().extra_retries
            if attempt:
                self._meter.count("client_retries_total", self._labels)
                await asyncio.sleep(RETRY_S if extra else self._rng.uniform(0, 0.02 * 2**attempt))
            last = attempt >= self._retries + extra
            began = time.monotonic()
            try:
                answer = await self._attempt(message, limit)
            except Unanswered as failure:
                self._meter.count("client_errors_total", (*self._labels, ("reason", failure.why)))
                if last:
                    raise
                continue
            finally:
                if timeout_s is None:
                    self._meter.observe(
                        "client_request_duration_seconds", time.monotonic() - began, self._labels
                    )
            if last or answer.status not in RETRY_STATUS:
                return answer
        raise AssertionError("the last attempt returns or raises")

    async def _attempt(self, message: bytes, limit: float) -> Answer:
        waiting = True
        if self._lost and not self._habits().pool_leak:
            self._find_lost()
        try:
            async with asyncio.timeout(limit):
                await self._free.acquire()
                waiting = False
                self._taken += 1
                with ExitStack() as place:
                    place.callback(self._leave)
                    answer, connection = await self._exchange(message)
                    leak = self._habits().pool_leak
                    if leak and self._rng.random() < leak:
                        self._lost.append(connection)
                        place.pop_all()  # it stays taken
                    else:
                        self._keep(connection)
                return answer
        except TimeoutError:
            name = self.target.name
            if waiting:
                raise Unanswered(
                    name, "pool", f"no free connection of {self.size} in {limit:g} s"
                ) from None
            raise Unanswered(name, "timeout", f"no answer in {limit:g} s") from None

    def _leave(self) -> None:
        self._taken -= 1
        self._free.release()

    async def _exchange(self, message: bytes) -> tuple[Answer, _Connection]:
        connection, fresh = self._kept(), False
        while True:
            if connection is None:
                connection, fresh = await self._connect(), True
            try:
                return await connection.exchange(message), connection
            except ConnectionError as error:
                if fresh:
                    raise Unanswered(self.target.name, "reset", _said(error)) from None
                connection = self._kept()  # the peer closed an idle connection: not its failure

    def _keep(self, connection: _Connection) -> None:
        if connection.usable and time.monotonic() < connection.expires:
            self._idle.append(connection)
        else:
            connection.close()

    def _find_lost(self) -> None:
        for connection in self._lost:
            connection.close()
            self._leave()
        self._lost.clear()

    def _kept(self) -> _Connection | None:
        while self._idle:
            connection = self._idle.pop()
            if connection.usable and time.monotonic() < connection.expires:
                return connection
            connection.close()
        return None

    async def _connect(self) -> _Connection:
        name = self.target.name
        try:
            host = await self._resolver.resolve(self.target.host)
        except NotResolved as error:
            raise Unanswered(name, "dns", str(error)) from None
        age = CONNECTION_AGE_S * self._rng.uniform(0.7, 1.3)
        try:
            _, connection = await asyncio.get_running_loop().create_connection(
                lambda: _Connection(time.monotonic() + age),
                host,
                self._bound(self.target.port),
                local_addr=(self._source, 0),
                family=socket.AF_INET,
            )
        except ConnectionRefusedError as error:
            raise Unanswered(name, "refused", _said(error)) from None
        except OSError as error:
            raise Unanswered(name, "reset", _said(error)) from None
        if self.target.store:
            await self._greet(connection)
        return connection

    async def _greet(self, connection: _Connection) -> None:
        """Show our credential and look at the peer's certificate, as on a real connection."""
        name = self.target.name
        hello = f"GET /.connect HTTP/1.1\r\n{self._headers}Content-Length: 0\r\n\r\n".encode()
        try:
            answer = await connection.exchange(hello)
        except ConnectionError as error:
            raise Unanswered(name, "reset", _said(error)) from None
        if answer.status == 401:
            connection.close()
            raise Unanswered(name, "credential", f"access denied for user '{self.target.user}'")
        end = json.loads(answer.body).get("not_after") if answer.status == 200 else None
        if end and datetime.fromisoformat(end).timestamp() < self._now():
            connection.close()
            raise Unanswered(
                name, "certificate", f"certificate verify failed: certificate has expired ({end})"
            )

    def close(self) -> None:
        """Close what is idle."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()


def _said(error: OSError) -> str:
    return (error.strerror or str(error) or "connection reset by peer").lower()


class _Connection(asyncio.Protocol):
    """One connection, one request at a time."""

    def __init__(self, expires: float) -> None:
        self.expires = expires
        self.usable = True
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[Answer] | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._body: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # a stream's transport

    async def exchange(self, message: bytes) -> Answer:
        """The answer. Where nobody waits for it any more, it must not become the next one's."""
        if self._transport is None or self._transport.is_closing():
            raise ConnectionResetError
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(message)
        with ExitStack() as unless_answered:
            unless_answered.callback(self.close)
            answer = await self._waiter
            unless_answered.pop_all()
        return answer

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()

    def on_body(self, body: bytes) -> None:
        self._body.append(body)

    def on_message_complete(self) -> None:
        if not self._parser.should_keep_alive():
            self.usable = False
        answer = Answer(self._parser.get_status_code(), b"".join(self._body))
        self._body.clear()
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(answer)

    def connection_lost(self, exc: Exception | None) -> None:
        self.usable = False
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(
                exc if isinstance(exc, ConnectionError) else ConnectionResetError()
            )

    def close(self) -> None:
        self.usable = False
        if self._transport is not None:
            self._transport.close()
