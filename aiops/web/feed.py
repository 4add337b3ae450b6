"""The event bus for clients that stream: one thread watches, everybody reads when there is news."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from itertools import islice
from threading import Event as Flag
from threading import Thread
from typing import Final, Protocol, TypeVar

import structlog

from aiops.errors import EventsForgotten, StoreUnavailable
from aiops.model.event import Event
from aiops.ports.events import EventBus

AT_ONCE: Final = 500
"""Events read and sent in one piece."""
PACE_S: Final = 0.05
"""Least time between two reads: a storm costs few of them, not one an event."""
WATCH_S: Final = 1.0
"""How often the watching thread looks whether it is to end, or whether anybody listens."""


class Numbered(Protocol):
    """What is read in its order; a client goes on after the last number it saw."""

    @property
    def number(self) -> int:
        """1, 2, ..."""
        ...


N = TypeVar("N", bound=Numbered)


class Feed:
    """Streams events, and what they tell of, to the clients of one event loop."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._clients: set[asyncio.Event] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listened_to, self._ended = Flag(), Flag()

    @property
    def ended(self) -> bool:
        """Whether streams are to end."""
        return self._ended.is_set()

    @property
    def clients(self) -> int:
        """How many streams are open."""
        return len(self._clients)

    def open(self) -> None:
        """Begin to watch the bus; on the loop that serves the clients."""
        self._loop = asyncio.get_running_loop()
        Thread(target=self._watch, name="feed", daemon=True).start()

    def end(self) -> None:
        """End all streams. From any thread, also in a signal handler; does not wait."""
        self._ended.set()
        self._tell()

    async def after(self, number: int | None, heartbeat_s: float) -> AsyncIterator[Sequence[Event]]:
        """The events numbered above ``number``, as they come, until the feed ends.

        Nothing where nothing came for ``heartbeat_s`` seconds.

        Args:
            number: None for those to come.

        Raises:
            EventsForgotten: some of them are no longer kept.
            StoreUnavailable: they cannot be read now.
        """
        last = number if number is not None else await asyncio.to_thread(self._bus.newest)
        async for events in self.follow(self._read, last, heartbeat_s):
            yield events

    async def follow(
        self, read: Callable[[int], Sequence[N]], number: int, heartbeat_s: float
    ) -> AsyncIterator[Sequence[N]]:
        """What ``read`` gives above ``number``, as it comes, until the feed ends.

        Nothing where nothing came for ``heartbeat_s`` seconds.

        Args:
            read: what comes after a number, in order; new things have to be told of by an event.
                Raises what it raises.
        """
        last = number
        news = asyncio.Event()
        self._clients.add(news)
        self._listened_to.set()
        try:
            while not self.ended:
                news.clear()
                if found := await asyncio.to_thread(read, last):
                    last = found[-1].number
                    yield found
                    await asyncio.sleep(PACE_S)
                    continue
                try:
                    await asyncio.wait_for(news.wait(), heartbeat_s)
                except TimeoutError:
                    yield ()
        finally:
            self._clients.discard(news)
            if not self._clients:
                self._listened_to.clear()

    def _read(self, last: int) -> list[Event]:
        return list(islice(self._bus.subscribe(last, idle_s=0), AT_ONCE))

    def _watch(self) -> None:
        log = structlog.get_logger("aiops.web")
        last: int | None = None
        while not self.ended:
            if not self._listened_to.wait(WATCH_S):
                last = None
                continue
            try:
                if last is None or next(self._bus.subscribe(last, idle_s=WATCH_S), None):
                    last = self._bus.newest()  # also what came before anybody watched is told of
                    self._tell()
                    self._ended.wait(PACE_S)
            except EventsForgotten:
                last = None
            except StoreUnavailable as error:
                log.warning("events cannot be read", error=str(error))
                self._ended.wait(WATCH_S)

    def _tell(self) -> None:
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        for news in self._clients:
            news.set()
