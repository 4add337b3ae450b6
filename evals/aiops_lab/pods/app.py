"""A service as an ASGI application."""

from __future__ import annotations

import asyncio
import base64
import binascii
import json
import re
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from aiops_lab.pods.steps import Asked, StepFailed, Steps
from aiops_lab.pods.store import NoSpace, QueueFull, Queues, Tables
from aiops_lab.pods.traces import Exporter, Trace, begin

if TYPE_CHECKING:
    import random

    from aiops_lab.pods.journal import Journal
    from aiops_lab.pods.meter import Meter
    from aiops_lab.pods.setup import Settings
    from aiops_lab.pods.wall import Wall
    from aiops_lab.topology.model import Route, Service

Scope = Mapping[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

LONG_POLL_S = 5.0
_LINE_PER_SLOT = 8  # requests that may wait for each one that is served


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back; ``route`` is the declared name for the metrics, empty: not counted."""

    status: int
    body: bytes
    route: str
    error: str | None = None


@dataclass(frozen=True, slots=True)
class App:
    """One process's application; ``tables`` and ``queues`` are there where its role has them."""

    service: Service
    settings: Settings
    steps: Steps
    meter: Meter
    journal: Journal
    exporter: Exporter
    tables: Tables | None
    queues: Queues | None
    rng: random.Random
    gate: Gate
    wall: Wall

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; ASGI."""
        if scope["type"] != "http":
            return
        method, path = scope["method"], scope["path"]
        if method == "GET" and path in _OWN:
            status, body = self._own(path)
            await _send(send, status, body)
            return
        headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
        trace = begin(headers.get(b"traceparent", ""), self.rng, self.settings.sample)
        began, began_ns = time.monotonic(), self.wall.time_ns()
        body = await _body(receive)
        reply = await self._reply(method, path, headers, body, trace, receive)
        await _send(send, reply.status, reply.body)
        if reply.route:
            self._record(method, reply, trace, began_ns, time.monotonic() - began)

    def _own(self, path: str) -> tuple[int, bytes]:
        if path == "/metrics":
            return 200, self.meter.text().encode()
        if self.steps.strain.now.unhealthy:
            return 503, b'{"status":"unhealthy"}'
        return 200, b'{"status":"ok"}'

    async def _reply(
        self,
        method: str,
        path: str,
        headers: Mapping[bytes, str],
        body: bytes,
        trace: Trace,
        receive: Receive,
    ) -> Reply:
        if self.tables is not None or self.queues is not None:
            if not self._admitted(headers.get(b"authorization", "")):
                return Reply(401, b"{}", "connect", "access denied: wrong or expired credential")
            if path == "/.connect":
                end = self.settings.certificate_not_after or None
                return Reply(200, json.dumps({"not_after": end}).encode(), "")
        if self.queues is not None and method == "GET" and path.startswith("/queues/"):
            message = await _unless_gone(self.queues.consume(path[8:], LONG_POLL_S), receive)
            return Reply(204, b"", "") if message is None else Reply(200, message, "")
        if self.gate.full:
            return Reply(503, b"{}", "overloaded", f"{self.gate.waiting} requests wait already")
        async with self.gate:
            await self.steps.strain.delay(lambda now: now.delay_s)
            rate = self.steps.strain.now.error_rate
            if rate and self.rng.random() < rate:
                return Reply(500, b"{}", path.split("/")[1], "unhandled exception in handler")
            if self.tables is not None and path == "/query":
                return await self._query(self.tables, body)
            if self.queues is not None and path.startswith("/queues/"):
                return self._publish(self.queues, path[8:], body)
            return await self._route(method, path, headers, trace)

    async def _query(self, tables: Tables, body: bytes) -> Reply:
        try:
            asked = json.loads(body)
            op, table, key = asked["op"], asked["table"], asked["key"]
        except (ValueError, KeyError, TypeError):
            return Reply(400, b"{}", "query", "a query that cannot be read")
        try:
            rows = await tables.query(op, table, key, asked.get("item", ""))
        except NoSpace as failure:
            return Reply(507, b"{}", f"{op} {table}", str(failure))
        return Reply(200, json.dumps(rows).encode(), f"{op} {table}")

    def _publish(self, queues: Queues, queue: str, body: bytes) -> Reply:
        try:
            queues.publish(queue, body)
        except QueueFull as failure:
            return Reply(503, b"{}", f"publish {queue}", str(failure))
        return Reply(202, b"{}", f"publish {queue}")

    async def _route(
        self, method: str, path: str, headers: Mapping[bytes, str], trace: Trace
    ) -> Reply:
        found = find(self.service.routes, method, path)
        if found is None:
            return Reply(404, b"{}", "unknown", f"no route {method} {path}")
        route, names = found
        session = headers.get(b"x-session", "-")
        asked = Asked({"session": session, "item": "-", **names}, trace)
        try:
            await self.steps.run(route.steps, asked)
        except StepFailed as failure:
            text = json.dumps({"error": str(failure)}).encode()
            return Reply(failure.status, text, route.name, str(failure))
        return Reply(200, b'{"ok":true}', route.name)

    def _admitted(self, authorization: str) -> bool:
        settings = self.settings
        if not settings.password:
            return True
        try:
            shown = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        except (binascii.Error, UnicodeDecodeError):
            return False
        end = settings.password_expires
        if end and datetime.fromisoformat(end) < self.wall.now():
            return False
        return shown == f"{settings.user}:{settings.password}"

    def _record(
        self, method: str, reply: Reply, trace: Trace, began_ns: int, seconds: float
    ) -> None:
        labels = (("method", method), ("route", reply.route), ("status_code", str(reply.status)))
        self.meter.observe("request_duration_seconds", seconds, labels)
        about = (("http.route", reply.route), ("http.response.status_code", str(reply.status)))
        failed = reply.error if reply.status >= 500 else None
        ended = began_ns + int(seconds * 1e9)
        self.exporter.span(trace, reply.route, 2, began_ns, ended, about, failed)
        fields: dict[str, str | float] = {
            "method": method,
            "route": reply.route,
            "status": reply.status,
            "duration_ms": round(seconds * 1e3, 2),
        }
        if reply.status >= 500:
            self.journal.error(reply.error or "failed", trace, **fields)
        elif reply.error:
            self.journal.warning(reply.error, trace, **fields)
        elif self.tables is None and self.queues is None:
            self.journal.info("request served", trace, **fields)
        else:
            self.journal.debug("query served", trace, **fields)


class Gate:
    """Lets so many requests in at a time; the rest wait in a line that has an end."""

    def __init__(self, size: int) -> None:
        self.size = max(size, 1)
        self._slots = asyncio.Semaphore(self.size)
        self.inside = self.waiting = 0

    @property
    def full(self) -> bool:
        """Whether the line is as long as it may be."""
        return self.waiting >= _LINE_PER_SLOT * self.size

    async def __aenter__(self) -> None:
        self.waiting += 1
        try:
            await self._slots.acquire()
        finally:
            self.waiting -= 1
        self.inside += 1

    async def __aexit__(self, *_: object) -> None:
        self.inside -= 1
        self._slots.release()


def find(routes: tuple[Route, ...], method: str, path: str) -> tuple[Route, dict[str, str]] | None:
    """The route that answers, with the names its path gives; fixed paths before patterns."""
    for route in sorted(routes, key=lambda r: "{" in r.path):
        if route.method == method and (found := _pattern(route.path).fullmatch(path)):
            return route, found.groupdict()
    return None


_OWN = frozenset({"/metrics", "/health", "/healthz"})
_patterns: dict[str, re.Pattern[str]] = {}


def _pattern(path: str) -> re.Pattern[str]:
    if path not in _patterns:
        inner = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))
        _patterns[path] = re.compile(inner)
    return _patterns[path]


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


async def _unless_gone(answer: Coroutine[Any, Any, bytes | None], receive: Receive) -> bytes | None:
    """The answer, given up when the caller leaves: nothing is taken off a queue for nobody."""
    waiting, leaving = asyncio.ensure_future(answer), asyncio.ensure_future(receive())
    try:
        await asyncio.wait({waiting, leaving}, return_when=asyncio.FIRST_COMPLETED)
        return waiting.result() if waiting.done() else None
    finally:
        waiting.cancel()
        leaving.cancel()


async def _send(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
