"""Trace context (W3C traceparent), and spans and logs sent as OTLP/HTTP JSON."""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

KEPT = 2_000
BATCH = 400
EVERY_S = 1.0


@dataclass(frozen=True, slots=True)
class Trace:
    """Where we are in a trace: ids in hex; ``parent`` is empty at its start."""

    trace_id: str
    span_id: str
    parent: str
    sampled: bool

    @property
    def header(self) -> str:
        """As a request header line."""
        return (
            f"traceparent: 00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}\r\n"
        )


def begin(parent: str, rng: random.Random, sample: float) -> Trace:
    """A new span under a ``traceparent`` header; the start of a trace where there is none."""
    span = f"{rng.getrandbits(64):016x}"
    parts = parent.split("-")
    if len(parts) == 4 and len(parts[1]) == 32 and len(parts[2]) == 16:
        return Trace(parts[1], span, parts[2], sampled=parts[3] == "01")
    return Trace(f"{rng.getrandbits(128):032x}", span, "", sampled=rng.random() < sample)


def child(trace: Trace, rng: random.Random) -> Trace:
    """A span inside another."""
    return Trace(trace.trace_id, f"{rng.getrandbits(64):016x}", trace.span_id, trace.sampled)


class Exporter:
    """Sends batches to a collector; what it cannot send is dropped and counted.

    Args:
        endpoint: "http://host:port"; empty: nothing is kept or sent.
        resource: attributes of the process, such as ("service.name", "payments").
    """

    def __init__(
        self,
        endpoint: str,
        resource: tuple[tuple[str, str], ...],
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self._endpoint, self._now_ns = endpoint, now_ns
        self._resource = {"attributes": [_attribute(k, v) for k, v in resource]}
        self._spans: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._logs: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self.dropped = 0

    def span(
        self,
        trace: Trace,
        name: str,
        kind: int,
        began_ns: int,
        ended_ns: int,
        attributes: tuple[tuple[str, str], ...],
        error: str | None,
    ) -> None:
        """Keep one span for the next batch; ``kind`` 2 is server, 3 client, 5 consumer."""
        if not (self._endpoint and trace.sampled):
            return
        self.dropped += len(self._spans) == KEPT
        self._spans.append(
            {
                "traceId": trace.trace_id,
                "spanId": trace.span_id,
                "parentSpanId": trace.parent,
                "name": name,
                "kind": kind,
                "startTimeUnixNano": str(began_ns),
                "endTimeUnixNano": str(ended_ns),
                "attributes": [_attribute(k, v) for k, v in attributes],
                "status": {"code": 2, "message": error} if error else {},
            }
        )

    def log(self, level: str, message: str, trace: Trace | None) -> None:
        """Keep one log record for the next batch."""
        if not self._endpoint:
            return
        self.dropped += len(self._logs) == KEPT
        record: dict[str, Any] = {
            "timeUnixNano": str(self._now_ns()),
            "severityNumber": {"debug": 5, "info": 9, "warning": 13}.get(level, 17),
            "severityText": level.upper(),
            "body": {"stringValue": message},
        }
        if trace is not None:
            record |= {"traceId": trace.trace_id, "spanId": trace.span_id}
        self._logs.append(record)

    async def run(self) -> None:
        """Send batches until cancelled."""
        while self._endpoint:
            await asyncio.sleep(EVERY_S)
            await self._send("traces", "resourceSpans", "scopeSpans", "spans", self._spans)
            await self._send("logs", "resourceLogs", "scopeLogs", "logRecords", self._logs)

    async def _send(
        self, path: str, top: str, scopes: str, inner: str, kept: deque[dict[str, Any]]
    ) -> None:
        while kept:
            batch = [kept.popleft() for _ in range(min(BATCH, len(kept)))]
            document = {top: [{"resource": self._resource, scopes: [{inner: batch}]}]}
            if not await self._post(f"/v1/{path}", json.dumps(document).encode()):
                self.dropped += len(batch)
                return

    async def _post(self, path: str, body: bytes) -> bool:
        where = urlsplit(self._endpoint)
        head = (
            f"POST {where.path}{path} HTTP/1.1\r\nHost: {where.netloc}\r\n"
            "Content-Type: application/json\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        try:
            async with asyncio.timeout(5):
                reader, writer = await asyncio.open_connection(where.hostname, where.port or 4318)
                try:
                    writer.write(head.encode() + body)
                    status = (await reader.readline()).split()
                finally:
                    writer.close()
        except (OSError, TimeoutError):
            return False
        return len(status) > 1 and status[1].startswith(b"2")


def _attribute(key: str, value: str) -> dict[str, Any]:
    return {"key": key, "value": {"stringValue": value}}
