"""What every keeper of what investigations do promises; a new adapter joins by one more param."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from aiops.events.in_process import InProcessEvents
from aiops.model.run import Moment, MomentKind
from aiops.ports.events import EventBus
from aiops.ports.progress import ProgressRepo
from aiops.store.clock import ManualClock
from aiops.store.progress import MemoryProgress
from aiops.store.sql.events import SqlEvents
from aiops.store.sql.progress import SqlProgress

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ODD = "“why?” \0 \ud800 \u202e 🙂"


@dataclass(frozen=True)
class Desk:
    """A repository that nothing is kept in, and its bus."""

    repo: ProgressRepo
    bus: EventBus

    def told(self) -> list[tuple[str, str]]:
        return [(event.kind, event.about) for event in self.bus.subscribe(idle_s=0)]

    def texts(self, about: str, number: int = 0) -> list[tuple[int, str]]:
        return [(each.number, each.moment.text) for each in self.repo.after(about, number)]


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def desk(request: pytest.FixtureRequest, engine_on: Callable[[str], Engine]) -> Iterator[Desk]:
    clock = ManualClock(NOON)
    if request.param == "memory":
        bus = InProcessEvents(clock)
        yield Desk(MemoryProgress(bus), bus)
        return
    engine = engine_on(request.param)
    with closing(SqlEvents(engine, clock)) as events:
        yield Desk(SqlProgress(engine, events), events)


def moment(text: str, kind: MomentKind = "finding", run: str = "inv-1") -> Moment:
    return Moment(run, NOON + timedelta(seconds=1.5), "plan", kind, text, "sha256-of-it")


def test_what_happened_is_got_back_whole_in_its_order(desk: Desk) -> None:
    desk.repo.add("inc-1", [moment("a"), moment(ODD, "words")])
    desk.repo.add("inc-1", [moment("c", "ended")])
    kept = desk.repo.after("inc-1", 0)
    assert [each.number for each in kept] == [1, 2, 3]
    assert [each.moment for each in kept] == [
        moment("a"),
        moment(ODD, "words"),
        moment("c", "ended"),
    ]
    assert {each.about for each in kept} == {"inc-1"}


def test_whoever_watches_goes_on_after_the_last_that_was_seen(desk: Desk) -> None:
    desk.repo.add("inc-1", [moment("a"), moment("b")])
    desk.repo.add("inc-2", [moment("of another")])
    desk.repo.add("inc-1", [moment("c")])
    assert desk.texts("inc-1", 1) == [(2, "b"), (4, "c")]
    assert [each.number for each in desk.repo.after("inc-1", 0, limit=2)] == [1, 2]
    assert desk.texts("inc-1", 4) == desk.texts("inc-1", 99) == desk.texts("inc-3") == []


def test_the_latest_run_is_found_and_where_it_begins(desk: Desk) -> None:
    assert desk.repo.newest("inc-1") == ()
    assert desk.repo.before_latest("inc-1") == 0
    desk.repo.add("inc-1", [moment("a"), moment("b")])
    desk.repo.add("inc-2", [moment("of another", run="inv-9")])
    desk.repo.add("inc-1", [moment("c", run="inv-2"), moment("d", run="inv-2")])
    assert [each.moment.text for each in desk.repo.newest("inc-1")] == ["c", "d"]
    assert [each.moment.text for each in desk.repo.newest("inc-1", limit=1)] == ["d"]
    assert desk.repo.before_latest("inc-1") == 3
    assert desk.repo.before_latest("inc-2") == 2


def test_steps_are_told_on_the_bus_and_then_that_there_is_more_to_read(desk: Desk) -> None:
    desk.repo.add("inc-1", [moment("a", "begun"), moment("b", "plan"), moment("c", "words")])
    desk.repo.add("inc-2", [moment("d", "words")])
    assert desk.told() == [
        ("investigation.plan", "inc-1"),
        ("investigation.progress", "inc-1"),
        ("investigation.progress", "inc-2"),
    ]


def test_where_nothing_happened_nobody_is_told(desk: Desk) -> None:
    desk.repo.add("inc-1", [])
    assert desk.told() == []


def test_of_many_who_write_at_once_each_has_numbers_of_its_own_in_its_order(desk: Desk) -> None:
    def write(about: str) -> None:
        for number in range(5):
            desk.repo.add(about, [moment(f"{number}a"), moment(f"{number}b")])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, ("inc-1", "inc-2", "inc-3", "inc-4")))
    kept = [desk.texts(f"inc-{number}") for number in range(1, 5)]
    assert sorted(number for one in kept for number, _ in one) == list(range(1, 41))
    for one in kept:
        assert [text for _, text in one] == [f"{n}{half}" for n in range(5) for half in "ab"]
