"""What every event bus and notifier promises; a new adapter joins by one more param."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from itertools import islice

import pytest
from sqlalchemy import Engine

from aiops import plugins
from aiops.app.investigate import investigate
from aiops.errors import EventsForgotten, NotDelivered
from aiops.events.in_process import InProcessEvents
from aiops.model.report import Report
from aiops.notify.in_memory import Outbox
from aiops.ports.events import EventBus, Notifier
from aiops.store.clock import ManualClock
from aiops.store.sql.events import SqlEvents
from aiops_datasets.synthetic import plant, specified

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
KEPT = 100


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture(params=["in_process", "sqlite", "postgresql"])
def bus(
    request: pytest.FixtureRequest, clock: ManualClock, engine_on: Callable[[str], Engine]
) -> Iterator[EventBus]:
    """A bus that nothing was published on, and that keeps the newest 100."""
    if request.param == "in_process":
        yield InProcessEvents(clock, keep=KEPT)
        return
    with closing(SqlEvents(engine_on(request.param), clock, keep=KEPT)) as made:
        yield made


def there(bus: EventBus, after: int = 0) -> list[tuple[int, str]]:
    return [(event.number, event.about) for event in bus.subscribe(after, idle_s=0)]


def test_events_are_numbered_from_one_stamped_and_read_in_order(
    bus: EventBus, clock: ManualClock
) -> None:
    first = bus.publish("incident.opened", "inc-1")
    clock.advance(5)
    second = bus.publish("investigation.finished", "inv-1")
    assert (first.number, second.number) == (1, 2)
    assert (second.at - first.at).total_seconds() == 5
    assert list(bus.subscribe(idle_s=0)) == [first, second]


def test_the_newest_number_is_that_of_the_last_event(bus: EventBus) -> None:
    assert bus.newest() == 0
    bus.publish("incident.opened", "inc-1")
    assert bus.publish("incident.opened", "inc-2").number == bus.newest() == 2


def test_a_subscriber_goes_on_after_the_last_number_it_saw(bus: EventBus) -> None:
    for name in "abcd":
        bus.publish("step", name)
    assert there(bus, after=2) == [(3, "c"), (4, "d")]
    assert there(bus, after=4) == there(bus, after=99) == []


def test_subscribers_do_not_take_events_from_each_other(bus: EventBus) -> None:
    bus.publish("step", "a")
    assert there(bus) == there(bus) == [(1, "a")]


def test_a_subscription_ends_when_nothing_comes_for_as_long_as_said(bus: EventBus) -> None:
    bus.publish("step", "a")
    began = time.monotonic()
    assert len(list(bus.subscribe(idle_s=0.05))) == 1
    assert 0.05 <= time.monotonic() - began < 60


def test_a_waiting_subscriber_is_given_what_is_published_later(bus: EventBus) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(lambda: [e.about for e in islice(bus.subscribe(idle_s=60), 3)])
        for name in "abc":
            time.sleep(0.01)
            bus.publish("step", name)
        assert waiting.result(timeout=60) == ["a", "b", "c"]


def test_every_subscriber_sees_all_that_many_threads_publish_in_one_order(bus: EventBus) -> None:
    def everything() -> list[int]:
        return [event.number for event in islice(bus.subscribe(idle_s=60), KEPT)]

    with ThreadPoolExecutor(6) as pool:
        watching = [pool.submit(everything) for _ in range(2)]
        list(pool.map(lambda i: bus.publish("step", str(i)), range(KEPT)))
        assert [each.result(timeout=60) for each in watching] == [list(range(1, KEPT + 1))] * 2


def test_who_comes_too_late_is_told_which_events_are_gone(bus: EventBus) -> None:
    for i in range(KEPT + 5):
        bus.publish("step", str(i))
    with pytest.raises(EventsForgotten, match="events 3 to 5 are no longer kept"):
        there(bus, after=2)
    assert len(there(bus, after=5)) == KEPT


@pytest.fixture(scope="module")
def report() -> Report:
    return investigate(plant(specified("synthetic:7")).data, plugins.analyzer("baro"))


def outbox() -> tuple[Notifier, Callable[[], list[Report]]]:
    made = Outbox()
    return made, lambda: made.reports


@pytest.fixture(params=[outbox], ids=lambda make: make.__name__)
def channel(request: pytest.FixtureRequest) -> tuple[Notifier, Callable[[], list[Report]]]:
    """A notifier, and a look at what reached the people behind it."""
    made: tuple[Notifier, Callable[[], list[Report]]] = request.param()
    return made


def test_a_report_reaches_the_people_behind_the_channel(
    channel: tuple[Notifier, Callable[[], list[Report]]], report: Report
) -> None:
    notifier, delivered = channel
    notifier.notify(report)
    assert delivered() == [report]
    assert notifier.name


def test_what_is_not_delivered_is_said_in_one_line_with_the_channels_name() -> None:
    error = NotDelivered("outbox", "it is full; empty it")
    assert str(error) == "outbox: not delivered: it is full; empty it"
