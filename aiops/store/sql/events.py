"""Events in the database: committed together with what they tell of, read by every process."""

import time
from collections.abc import Iterator, Sequence
from threading import Condition, Thread
from threading import Event as Flag

from sqlalchemy import Connection, Engine, insert, select, text

from aiops.errors import EventsForgotten, StoreUnavailable
from aiops.model.event import Event
from aiops.ports.clock import Clock
from aiops.store.sql.counters import draw, drawn
from aiops.store.sql.engine import reading, writing
from aiops.store.sql.operations_tables import EVENTS

CHANNEL = "aiops_events"
COUNTER = "events"
_AT_ONCE = 1000
_LOOK_S = 0.2
"""How often events of other processes are looked for on SQLite."""
_LISTEN_S = 1.0
"""PostgreSQL says when to look; so often it is done unasked, in case a word of it was lost."""


class SqlEvents:
    """An EventBus; see ``ports.events``. Publishers and subscribers may be any processes.

    A subscriber in this process is woken at once. One thread looks for what other processes
    publish, from the first subscriber that waits until ``close``.

    Args:
        clock: stamps the events.
        keep: how many of the newest events can be read again.
    """

    def __init__(self, engine: Engine, clock: Clock, *, keep: int = 100_000) -> None:
        self._engine, self._clock, self._keep = engine, clock, keep
        self._news = Condition()
        self._newest = 0
        self._closed = Flag()
        self._watcher: Thread | None = None

    def publish(self, kind: str, about: str) -> Event:
        """Number it and wake the subscribers; raises StoreUnavailable."""
        with writing(self._engine) as connection:
            (event,) = self.add(connection, [(kind, about)])
        self.wake(event.number)
        return event

    def newest(self) -> int:
        """The number of the last event; raises StoreUnavailable."""
        with reading(self._engine) as connection:
            return drawn(connection, COUNTER)

    def add(self, connection: Connection, told: Sequence[tuple[str, str]]) -> tuple[Event, ...]:
        """Publish kinds and what they are about with somebody else's transaction.

        They are seen once it commits; call ``wake`` then. Numbering makes other publishers wait,
        so this comes last in the transaction.
        """
        if not told:
            return ()
        now, last = self._clock.now(), draw(connection, COUNTER, len(told))
        events = tuple(
            Event(number, now, kind, about)
            for number, (kind, about) in enumerate(told, start=last - len(told) + 1)
        )
        connection.execute(
            insert(EVENTS),
            [{"number": e.number, "at": e.at, "kind": e.kind, "about": e.about} for e in events],
        )
        if connection.dialect.name == "postgresql":
            connection.execute(
                text("SELECT pg_notify(:channel, :number)"),
                {"channel": CHANNEL, "number": str(last)},
            )
        return events

    def wake(self, number: int) -> None:
        """Tell the subscribers in this process that events up to ``number`` are committed."""
        with self._news:
            if number > self._newest:
                self._newest = number
                self._news.notify_all()

    def subscribe(self, after: int = 0, *, idle_s: float | None = None) -> Iterator[Event]:
        """The events above ``after`` as they come; raises EventsForgotten, StoreUnavailable."""
        while events := self._above(after, idle_s):
            yield from events
            after = events[-1].number

    def close(self) -> None:
        """End the thread that looks for events of others; subscribers here hear no more of them."""
        self._closed.set()
        if self._watcher is not None:
            self._watcher.join()

    def _above(self, after: int, idle_s: float | None) -> list[Event]:
        """What is kept above ``after``, waiting for it; [] once ``idle_s`` passed without any."""
        until = None if idle_s is None else time.monotonic() + idle_s
        while True:
            if events := self._kept(after):
                return events
            if idle_s != 0:
                self._watch()
            with self._news:
                left = None if until is None else until - time.monotonic()
                if not self._news.wait_for(lambda: self._newest > after, left):
                    return []

    def _kept(self, after: int) -> list[Event]:
        with reading(self._engine) as connection:
            last = drawn(connection, COUNTER)
            if after >= last:
                return []
            rows = connection.execute(
                select(EVENTS.c.number, EVENTS.c.at, EVENTS.c.kind, EVENTS.c.about)
                .where(EVENTS.c.number > max(after, last - self._keep))
                .order_by(EVENTS.c.number)
                .limit(_AT_ONCE)
            ).all()
        oldest = rows[0].number if rows else last + 1
        if oldest > after + 1:
            raise EventsForgotten(after, oldest)
        return [Event(*row) for row in rows]

    def _watch(self) -> None:
        with self._news:
            if self._watcher is None and not self._closed.is_set():
                look = self._poll if self._engine.dialect.name == "sqlite" else self._listen
                self._watcher = Thread(target=look, name="events", daemon=True)
                self._watcher.start()

    def _look(self) -> None:
        with reading(self._engine) as connection:
            last = drawn(connection, COUNTER)
        self.wake(last)

    def _poll(self) -> None:
        while not self._closed.wait(_LOOK_S):
            try:
                self._look()
            except StoreUnavailable:
                continue  # whoever reads is told; this thread is there for the time after

    def _listen(self) -> None:
        from psycopg import Error

        while not self._closed.is_set():
            try:
                self._listen_once()
            except (Error, StoreUnavailable):
                self._closed.wait(_LOOK_S)

    def _listen_once(self) -> None:
        """Listen until the connection breaks."""
        from psycopg import Connection as Listening

        pooled = self._engine.raw_connection()
        listening = pooled.driver_connection
        pooled.detach()  # it listens for good, so the pool must not hand it out again
        assert isinstance(listening, Listening)  # noqa: S101  the only driver we open
        with listening:
            listening.autocommit = True
            listening.execute(f"LISTEN {CHANNEL}")
            while not self._closed.is_set():
                self._look()
                for heard in listening.notifies(timeout=_LISTEN_S, stop_after=1):
                    self.wake(int(heard.payload))
