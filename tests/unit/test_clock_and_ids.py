"""Time and identifiers: the machine's, and those a replay controls. Both pass one suite."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.ports.clock import Clock
from aiops.ports.ids import Ids
from aiops.store.clock import ManualClock, SystemClock
from aiops.store.ids import CountedIds, TimedIds

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(params=[SystemClock, lambda: ManualClock(NOON)], ids=["system", "manual"])
def clock(request: pytest.FixtureRequest) -> Clock:
    made: Clock = request.param()
    return made


@pytest.fixture(params=[lambda: TimedIds(SystemClock()), CountedIds], ids=["timed", "counted"])
def ids(request: pytest.FixtureRequest) -> Ids:
    made: Ids = request.param()
    return made


def test_the_time_of_day_is_utc(clock: Clock) -> None:
    assert clock.now().utcoffset() == timedelta(0)


def test_neither_the_time_nor_the_stopwatch_goes_back(clock: Clock) -> None:
    moments = [clock.now() for _ in range(50)]
    seconds = [clock.stopwatch() for _ in range(50)]
    assert moments == sorted(moments)
    assert seconds == sorted(seconds)


def test_the_machines_stopwatch_runs() -> None:
    clock = SystemClock()
    began = clock.stopwatch()
    while clock.stopwatch() == began:
        pass
    assert clock.stopwatch() > began


def test_a_manual_clock_stands_still_until_told() -> None:
    clock = ManualClock(NOON)
    assert clock.now() == clock.now() == NOON
    assert clock.stopwatch() == 0


@given(st.lists(st.floats(0, 1e6), max_size=10))
def test_a_manual_clock_moves_by_what_it_is_told(steps: list[float]) -> None:
    clock = ManualClock(NOON)
    for step in steps:
        clock.advance(step)
    assert clock.stopwatch() == sum(steps)
    assert clock.now() == NOON + timedelta(seconds=sum(steps))


def test_a_manual_clock_refuses_to_go_back() -> None:
    clock = ManualClock(NOON)
    with pytest.raises(ValueError, match="does not go back"):
        clock.advance(-1)
    assert clock.now() == NOON


def test_ids_begin_with_their_kind(ids: Ids) -> None:
    assert ids.new("inv").startswith("inv-")
    assert ids.new("inc").startswith("inc-")


def test_ids_are_unique(ids: Ids) -> None:
    given = [ids.new(kind) for kind in ("inv", "inc") for _ in range(1000)]
    assert len(set(given)) == len(given)


def test_ids_are_safe_in_a_path_a_url_and_a_label(ids: Ids) -> None:
    name = ids.new("inv")
    assert name.replace("-", "").isalnum()
    assert name.isascii()
    assert len(name) <= 63


def test_timed_ids_sort_by_time() -> None:
    clock = ManualClock(NOON)
    ids = TimedIds(clock)
    given = []
    for seconds in (0.001, 1, 3600, 86_400, 86_400 * 365 * 20):
        clock.advance(seconds)
        given.append(ids.new("inv"))
    assert given == sorted(given)


def test_two_processes_at_the_same_millisecond_give_different_ids() -> None:
    here, there = TimedIds(ManualClock(NOON)), TimedIds(ManualClock(NOON))
    assert here.new("inv") != there.new("inv")


def test_counted_ids_are_the_same_in_every_replay() -> None:
    replays = [[ids.new(kind) for kind in "aab"] for ids in (CountedIds(), CountedIds())]
    assert replays == [["a-1", "a-2", "b-1"]] * 2
