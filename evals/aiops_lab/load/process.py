"""The load generator's process: an open loop, whose rate the lab can change at any time."""

from __future__ import annotations

import asyncio
import json
import random
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from aiops_lab.load.record import Record
from aiops_lab.load.sessions import Request, Sessions
from aiops_lab.pods.client import Client, Unanswered
from aiops_lab.pods.meter import Meter
from aiops_lab.pods.names import Resolver
from aiops_lab.pods.setup import PodSetup, Target

if TYPE_CHECKING:
    import socket

    from aiops_lab.topology.model import Topology

IN_FLIGHT = 1_000  # more are not sent, and count as errors: users have turned away
TIMEOUT_S = 5.0
REPORT_S = 1.0
RECORD_BYTES = 4 << 20


def run(setup: PodSetup, topology: Topology, control: socket.socket, rate: float) -> int:
    """Send requests until killed; over ``control`` rates come in and, each second, numbers go out.

    Each line in is ``{"rate": 5.0}``; each line out what ``Record.seen`` gives, with totals.
    """
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_Load(setup, topology, rate).serve(control))
    return 0


class _Load:
    def __init__(self, setup: PodSetup, topology: Topology, rate: float) -> None:
        self._rng = random.Random(setup.seed)  # noqa: S311 - who does what when, no secrets
        self._rate = rate
        self._sessions = Sessions(topology, rate, self._rng)
        self._record = Record()
        self._file = Path(setup.volume) / "latency.jsonl"
        self._tasks: set[asyncio.Task[None]] = set()
        entry = topology.services[topology.entry]
        self._client = Client(
            Target(entry.name, entry.name, entry.service_port, store=False, user="", password=""),
            resolver=Resolver(setup.ip, (setup.dns_host, setup.dns_port), setup.namespace),
            source=setup.ip,
            bound=setup.bound,
            size=IN_FLIGHT,
            timeout_s=TIMEOUT_S,
            retries=0,
            meter=Meter(()),
            rng=self._rng,
        )

    async def serve(self, control: socket.socket) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=control)
        tasks = [asyncio.create_task(one) for one in (self._send(), self._report(writer))]
        while line := await reader.readline():
            self._rate = self._sessions.rate = float(json.loads(line)["rate"])
        for task in tasks:
            task.cancel()

    async def _send(self) -> None:
        due = time.monotonic()
        while True:
            if self._rate <= 0:
                await asyncio.sleep(0.2)
                due = time.monotonic()
                continue
            # Arrivals are due whatever became of those before: a slow system meets the same users.
            due += self._rng.expovariate(self._rate)
            if (pause := due - time.monotonic()) > 0:
                await asyncio.sleep(pause)
            request = self._sessions.next()
            if len(self._tasks) >= IN_FLIGHT:
                self._end(request, time.monotonic(), failed=True)
                continue
            task = asyncio.create_task(self._ask(request))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _ask(self, request: Request) -> None:
        began, failed = time.monotonic(), True
        headers = f"x-session: {request.session}\r\n"
        try:
            answer = await self._client.request(request.method, request.path, headers=headers)
            failed = answer.status >= 400
        except Unanswered:
            pass  # an error like any other to who asked
        self._end(request, began, failed=failed)

    def _end(self, request: Request, began: float, *, failed: bool) -> None:
        now = time.monotonic()
        self._record.add(now, request.route, now - began, failed=failed)
        self._sessions.ended(request.session)

    async def _report(self, writer: asyncio.StreamWriter) -> None:
        while True:
            await asyncio.sleep(REPORT_S)
            line = json.dumps(
                {
                    "at": time.time(),
                    "rate": self._rate,
                    "requests": self._record.requests,
                    "errors": self._record.errors,
                    "in_flight": len(self._tasks),
                    "seen": [asdict(one) for one in self._record.seen(time.monotonic())],
                }
            )
            writer.write(line.encode() + b"\n")
            await writer.drain()
            with suppress(OSError):  # a full disk loses the record, never the users
                self._keep(line)

    def _keep(self, line: str) -> None:
        if self._file.exists() and self._file.stat().st_size > RECORD_BYTES:
            self._file.replace(self._file.with_suffix(".1.jsonl"))
        with self._file.open("a", encoding="ascii") as file:
            file.write(line + "\n")
