"""What event streams cost the service: nothing where nobody listens, little in a storm."""

import asyncio
import time
from collections.abc import Callable, Iterator

from aiops.events.in_process import InProcessEvents
from aiops.model.event import Event
from aiops.store.clock import SystemClock
from aiops.web.feed import Feed


class CountingBus(InProcessEvents):
    """A bus that counts how often it is read."""

    def __init__(self) -> None:
        super().__init__(SystemClock())
        self.reads = 0

    def newest(self) -> int:
        self.reads += 1
        return super().newest()

    def subscribe(self, after: int = 0, *, idle_s: float | None = None) -> Iterator[Event]:
        self.reads += 1
        return super().subscribe(after, idle_s=idle_s)


async def until(holds: Callable[[], bool]) -> None:
    last = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < last
        await asyncio.sleep(0.01)


def test_a_storm_of_events_is_read_in_few_pieces() -> None:
    bus = CountingBus()

    async def listened() -> list[int]:
        feed, heard = Feed(bus), list[int]()
        feed.open()
        stream = feed.after(0, heartbeat_s=60)
        for number in range(1000):
            bus.publish("incident.opened", f"inc-{number}")
        async for events in stream:
            heard += [each.number for each in events]
            if len(heard) == 1000:
                break
        feed.end()
        await stream.aclose()
        return heard

    assert asyncio.run(listened()) == list(range(1, 1001))
    assert bus.reads < 100


def test_the_bus_is_left_alone_where_nobody_listens() -> None:
    bus = CountingBus()

    async def left_alone() -> int:
        feed = Feed(bus)
        feed.open()
        stream = feed.after(0, heartbeat_s=60)
        bus.publish("incident.opened", "inc-1")
        assert [each.number for each in await anext(stream)] == [1]
        await stream.aclose()
        await until(lambda: feed.clients == 0)
        before = bus.reads
        for number in range(100):
            bus.publish("incident.opened", f"inc-{number}")
            await asyncio.sleep(0.005)
        feed.end()
        return bus.reads - before

    assert asyncio.run(left_alone()) <= 2  # a look that had begun


def test_what_comes_before_the_watch_begins_is_still_heard() -> None:
    bus = CountingBus()

    async def heard() -> list[int]:
        feed = Feed(bus)
        feed.open()
        stream = feed.after(None, heartbeat_s=60)
        first = asyncio.ensure_future(anext(stream))
        await until(lambda: feed.clients == 1)
        bus.publish("incident.opened", "inc-1")
        events = await asyncio.wait_for(first, 60)
        feed.end()
        await stream.aclose()
        return [each.number for each in events]

    assert asyncio.run(heard()) == [1]
