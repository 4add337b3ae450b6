"""A connection through the network: accepted for a service, carried to one of its pods."""

from __future__ import annotations

import asyncio
import itertools
import socket
import struct
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from aiops_lab.net.weather import Ends, Link, between

if TYPE_CHECKING:
    import random
    from collections.abc import Callable

RETRANSMIT_S = 0.2
_RESET = struct.pack("ii", 1, 0)


@dataclass(slots=True)
class Table:
    """Who calls from where, the weather, and the connections it may catch."""

    callers: dict[str, str] = field(default_factory=dict)
    links: tuple[Link, ...] = ()
    open: set[Passage] = field(default_factory=set)

    def change(self, links: tuple[Link, ...]) -> None:
        """New weather, which open connections feel at once."""
        self.links = links
        for passage in list(self.open):
            passage.feel(between(links, passage.ends))


class Balancer:
    """Spreads the connections to one service port over what is ready behind it, in turn."""

    def __init__(self, service: str, table: Table, rng: random.Random) -> None:
        self.service, self._table, self._rng = service, table, rng
        self.targets: list[tuple[str, int]] = []
        self._turn = itertools.count(rng.randrange(1000))

    def accept(self) -> asyncio.Protocol:
        """A protocol for one accepted connection."""
        ready = self.targets
        target = ready[next(self._turn) % len(ready)] if ready else None
        return Passage(self.service, target, self._table, self._rng).near


class Passage:
    """Two connections and what happens to the bytes between them."""

    def __init__(
        self, callee: str, target: tuple[str, int] | None, table: Table, rng: random.Random
    ) -> None:
        self.ends = Ends(None, callee, callee_ip=target[0] if target else "")
        self.link: Link | None = None
        self._target, self._table, self._rng = target, table, rng
        self._caught = False
        self.near = _Side(self._to_pod, self._near_open, self._closed)
        self.far = _Side(self._to_caller, self._far_open, self._closed)
        self._early: list[bytes] = []
        self._to, self._back = _Way(self.far), _Way(self.near)

    def feel(self, link: Link | None) -> None:
        """New weather."""
        before, self.link = self.link, link
        healed = before and before.partition and not (link and link.partition)
        caught = self._caught or self.near.gone or self.far.gone
        if (healed and caught) or (link and link.reset >= 1.0):
            self.reset()
        elif before and before.stall and not (link and link.stall):
            self._back.release()

    def reset(self) -> None:
        """Cut both ends off as a reset does."""
        for side in (self.near, self.far):
            side.reset()

    def _near_open(self) -> None:
        self._table.open.add(self)
        caller = self._table.callers.get(self.near.peer)
        self.ends = replace(self.ends, caller=caller, caller_ip=self.near.peer)
        self.feel(between(self._table.links, self.ends))
        unlucky = self.link and self.link.reset and self._rng.random() < self.link.reset
        if self._target is None or unlucky:
            self.reset()
            return
        self.near.other, self.far.other = self.far, self.near
        self.near.dialling = asyncio.get_running_loop().create_task(self._dial(*self._target))

    async def _dial(self, host: str, port: int) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: self.far, host, port)
        except OSError:
            self.reset()

    def _far_open(self) -> None:
        if self.near.gone:
            self.far.close()
            return
        early, self._early = self._early, []
        for data in early:
            self._to_pod(data)

    def _to_pod(self, data: bytes) -> None:
        if self.far.transport is None:
            self._early.append(data)
            return
        link = self.link
        if link is None:
            self._to.send(data)
        elif link.partition:
            self._caught = True
        elif self._rng.random() < link.reset:
            self.reset()
        else:
            self._to.send(data, self._delay(link, there=True), link.bandwidth)

    def _to_caller(self, data: bytes) -> None:
        link = self.link
        if link is None:
            self._back.send(data)
        elif link.partition:
            self._caught = True
        elif link.stall:
            self._back.hold(data)
        else:
            self._back.send(data, self._delay(link, there=False), link.bandwidth)

    def _delay(self, link: Link, *, there: bool) -> float:
        delay = link.delay_s + self._rng.uniform(0, link.jitter_s) if there else 0.0
        wait = RETRANSMIT_S
        while self._rng.random() < link.loss and wait < 10:
            delay, wait = delay + wait, wait * 2
        return delay

    def _closed(self, side: _Side) -> None:
        other = self.far if side is self.near else self.near
        if self.link is None or not self.link.partition:
            other.close()
        if self.near.gone and (self.far.gone or self.far.transport is None):
            self._table.open.discard(self)


class _Way:
    """One direction: bytes keep their order whatever their delays."""

    def __init__(self, to: _Side) -> None:
        self._to, self._held = to, list[bytes]()
        self._last, self._under_way = 0.0, 0

    def send(self, data: bytes, delay: float = 0.0, bandwidth: float | None = None) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        self._last = max(now + delay, self._last) + (len(data) / bandwidth if bandwidth else 0.0)
        if self._last <= now and not self._under_way:
            self._to.write(data)
        else:
            self._under_way += 1
            loop.call_at(self._last, self._arrive, data)

    def _arrive(self, data: bytes) -> None:
        self._under_way -= 1
        self._to.write(data)

    def hold(self, data: bytes) -> None:
        self._held.append(data)

    def release(self) -> None:
        held, self._held = self._held, []
        for data in held:
            self._to.write(data)


class _Side(asyncio.Protocol):
    """One of a passage's two connections."""

    def __init__(
        self,
        received: Callable[[bytes], None],
        opened: Callable[[], None],
        closed: Callable[[_Side], None],
    ) -> None:
        self._received, self._opened, self._closed = received, opened, closed
        self.transport: asyncio.Transport | None = None
        self.other: _Side | None = None
        self.dialling: asyncio.Task[None] | None = None
        self.gone, self.peer = False, ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # a stream's transport
        self.peer = transport.get_extra_info("peername")[0]
        self._opened()

    def data_received(self, data: bytes) -> None:
        self._received(data)

    def connection_lost(self, _exc: Exception | None) -> None:
        self.gone = True
        self._closed(self)

    def pause_writing(self) -> None:
        if self.other and self.other.transport:
            self.other.transport.pause_reading()

    def resume_writing(self) -> None:
        if self.other and self.other.transport and not self.other.gone:
            self.other.transport.resume_reading()

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self.gone:
            self.transport.write(data)

    def close(self) -> None:
        if self.transport is not None and not self.gone:
            self.transport.close()

    def reset(self) -> None:
        if self.transport is not None and not self.gone:
            sock: socket.socket | None = self.transport.get_extra_info("socket")
            if sock is not None:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            self.transport.abort()
