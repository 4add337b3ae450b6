"""The event bus for clients that stream: one thread watches, everybody reads when there is news."""

import asyncio
from collections.abc import AsyncIterator
from itertools import islice
from threading import Event as Flag
from threading import Thread
from typing import Final

import structlog

from aiops.errors import EventsForgotten, StoreUnavailable
from aiops.model.event import Event
from aiops.ports.events import EventBus

AT_ONCE: Final = 500
"""Events read and sent in one piece."""
PACE_S: Final = 0.05
"""Least time between two reads of a client: a storm costs few reads, not one an event."""
WATCH_S: Final = 1.0
"""How often the watching thread looks whether it is to end."""


class Feed:
    """Streams events to the clients of one event loop."""

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._clients: set[asyncio.Event] = set()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended = Flag()

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

    async def after(self, number: int | None, heartbeat_s: float) -> AsyncIterator[list[Event]]:
        """The events numbered above ``number``, as they come, until the feed ends.

        An empty list where nothing came for ``heartbeat_s`` seconds.

        Args:
            number: None for those to come.

        Raises:
            EventsForgotten: some of them are no longer kept.
            StoreUnavailable: they cannot be read now.
        """
        last = number if number is not None else await asyncio.to_thread(self._bus.newest)
        news = asyncio.Event()
        self._clients.add(news)
        try:
            while not self.ended:
                news.clear()
                if events := await asyncio.to_thread(self._read, last):
                    last = events[-1].number
                    yield events
                    await asyncio.sleep(PACE_S)
                    continue
                try:
                    await asyncio.wait_for(news.wait(), heartbeat_s)
                except TimeoutError:
                    yield []
        finally:
            self._clients.discard(news)

    def _read(self, last: int) -> list[Event]:
        return list(islice(self._bus.subscribe(last, idle_s=0), AT_ONCE))

    def _watch(self) -> None:
        log = structlog.get_logger("aiops.web")
        last: int | None = None
        while not self.ended:
            try:
                last = self._bus.newest() if last is None else last
                for event in self._bus.subscribe(last, idle_s=WATCH_S):
                    last = event.number
                    self._tell()
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
