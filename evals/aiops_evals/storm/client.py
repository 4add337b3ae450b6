"""The sender of a storm, a process of its own: ``python -m aiops_evals.storm.client``.

Latency counts from when a request was due to the last byte of its answer, so waiting for a free
connection is part of it.
"""

import asyncio
import json
import os
import re
import sys
import time
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final, cast

from aiops_evals.storm.load import Load, alert, request

_LENGTH: Final = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)
_TICK_S: Final = 0.001
PATIENCE_S: Final = 60.0
"""How long answers are awaited after the last request."""


@dataclass(frozen=True, slots=True)
class Sent:
    """What the client saw.

    Attributes:
        sent_per_s: requests that were due and handed out, a second.
        cpu: share of one core that the client used.
        refused: the numbers of the requests that were not answered 202.
        p50_ms, p95_ms, p99_ms, max_ms: from when a request was due to its answer.
        p99_per_second_ms: of the requests due in each second, to see when it was slow.
    """

    requests: int
    sent_per_s: float
    cpu: float
    refused: tuple[int, ...]
    p50_ms: float
    p95_ms: float
    p99_ms: float
    max_ms: float
    p99_per_second_ms: tuple[float, ...]


class Storm:
    """Requests that are due, and the connections that wait for one."""

    def __init__(self, load: Load, requests: list[bytes]) -> None:
        self._load, self._requests = load, requests
        self.began = 0.0
        self.due: deque[int] = deque()
        self.free: list[Connection] = []
        self.took_s: list[float | None] = [None] * load.requests
        self.refused: list[int] = []
        self.answered = 0

    async def blow(self, host: str, port: int) -> float:
        """Send everything and wait for the answers; returns how long sending took, in seconds."""
        loop = asyncio.get_running_loop()
        for _ in range(self._load.connections):
            _, each = await loop.create_connection(lambda: Connection(self), host, port)
            self.free.append(each)
        self.began = time.perf_counter()
        handed = 0
        while handed < self._load.requests:
            passed = time.perf_counter() - self.began
            upto = min(self._load.requests, int(passed * self._load.rate) + 1)
            self.due.extend(range(handed, upto))
            handed = upto
            while self.due and self.free:
                self.free.pop().send(self.due.popleft())
            await asyncio.sleep(_TICK_S)
        took_s = time.perf_counter() - self.began
        until = time.perf_counter() + PATIENCE_S
        while self.answered < self._load.requests and time.perf_counter() < until:
            await asyncio.sleep(0.01)
        return took_s

    def bytes_of(self, number: int) -> bytes:
        """The request of that number."""
        return self._requests[number]

    def answer(self, connection: "Connection", number: int, *, accepted: bool) -> None:
        """Note an answer, and send the connection on."""
        due_at = self.began + number / self._load.rate
        self.took_s[number] = time.perf_counter() - due_at
        self.answered += 1
        if not accepted:
            self.refused.append(number)
        if self.due:
            connection.send(self.due.popleft())
        else:
            self.free.append(connection)


class Connection(asyncio.Protocol):
    """One kept-alive connection."""

    _transport: asyncio.WriteTransport

    def __init__(self, storm: Storm) -> None:
        self._storm, self._number, self._answer = storm, -1, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def send(self, number: int) -> None:
        """Send one request; the next only after its answer."""
        self._number = number
        self._transport.write(self._storm.bytes_of(number))

    def data_received(self, data: bytes) -> None:
        """See asyncio; an answer's body may come in a packet of its own."""
        self._answer += data
        head, found, body = self._answer.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if found and length is not None and len(body) >= int(length[1]):
            self._answer = b""
            self._storm.answer(self, self._number, accepted=head.startswith(b"HTTP/1.1 202"))


def main(host: str, port: int, path: str, load: Load) -> Sent:
    """Blow one storm."""
    starts_at = datetime.now(UTC).isoformat()
    known = {n: request(path, [alert(load, n, starts_at)]) for n in set(load.alerts())}
    storm = Storm(load, [known[n] for n in load.alerts()])
    before = os.times()
    with asyncio.Runner(loop_factory=_loop) as runner:
        sending_s = runner.run(storm.blow(host, port))
    after = os.times()
    cpu_s = after.user + after.system - before.user - before.system
    unanswered = tuple(n for n, took in enumerate(storm.took_s) if took is None)
    seconds: list[list[float]] = [[] for _ in range(load.seconds)]
    for n, took in enumerate(storm.took_s):
        seconds[n // load.rate].append(PATIENCE_S if took is None else took)
    every = sorted(took for second in seconds for took in second)
    return Sent(
        requests=load.requests,
        sent_per_s=load.requests / sending_s,
        cpu=cpu_s / sending_s,
        refused=(*storm.refused, *unanswered),
        p50_ms=_ms(every, 0.5),
        p95_ms=_ms(every, 0.95),
        p99_ms=_ms(every, 0.99),
        max_ms=_ms(every, 1.0),
        p99_per_second_ms=tuple(_ms(sorted(second), 0.99) for second in seconds),
    )


def _loop() -> asyncio.AbstractEventLoop:
    """uvloop, which leaves more of the machine to the service."""
    import uvloop

    return uvloop.new_event_loop()


def _ms(ordered: list[float], share: float) -> float:
    return round(1000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 1)


if __name__ == "__main__":
    host_, port_, path_, *numbers = sys.argv[1:]
    found = main(host_, int(port_), path_, Load(*map(int, numbers)))
    print(json.dumps(asdict(found)))  # noqa: T201  what the parent process reads
