"""An event bus for the threads of one process."""

from collections import deque
from collections.abc import Iterator
from threading import Condition

from aiops.errors import EventsForgotten
from aiops.model.event import Event
from aiops.ports.clock import Clock


class InProcessEvents:
    """An EventBus; see ``ports.events``. Publishers and subscribers may be any threads.

    Args:
        clock: stamps the events.
        keep: how many of the newest events can be read again.
    """

    def __init__(self, clock: Clock, *, keep: int = 10_000) -> None:
        self._clock = clock
        self._kept: deque[Event] = deque(maxlen=keep)
        self._published = 0
        self._news = Condition()

    def publish(self, kind: str, about: str) -> Event:
        """Number it and wake the subscribers."""
        with self._news:
            self._published += 1
            event = Event(self._published, self._clock.now(), kind, about)
            self._kept.append(event)
            self._news.notify_all()
        return event

    def newest(self) -> int:
        """The number of the last event."""
        with self._news:
            return self._published

    def subscribe(self, after: int = 0, *, idle_s: float | None = None) -> Iterator[Event]:
        """The events above ``after`` as they come; raises EventsForgotten."""
        while events := self._above(after, idle_s):
            yield from events
            after = events[-1].number

    def _above(self, after: int, idle_s: float | None) -> list[Event]:
        """What is kept above ``after``, waiting for it; [] once ``idle_s`` passed without any."""
        with self._news:
            if not self._news.wait_for(lambda: self._published > after, idle_s):
                return []
            oldest = self._published - len(self._kept) + 1
            if after + 1 < oldest:
                raise EventsForgotten(after, oldest)
            return [event for event in self._kept if event.number > after]
