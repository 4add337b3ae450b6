"""Loops come round whatever happens in a round, and say so when they do not."""

from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event

import pytest
from structlog.testing import capture_logs

from aiops.errors import StoreUnavailable
from aiops.jobs import loops
from aiops.jobs.loops import FIRST_BACKOFF_S, LONGEST_BACKOFF_S, Heartbeats, every
from aiops.store.clock import ManualClock


class Waits(Event):
    """Notes how long it was waited, waits not at all, and is set after so many times."""

    def __init__(self, clock: ManualClock, most: int) -> None:
        super().__init__()
        self.waited: list[float] = []
        self._clock, self._most = clock, most

    def wait(self, timeout: float | None = None) -> bool:
        self.waited.append(timeout or 0.0)
        self._clock.advance(timeout or 0.0)
        if len(self.waited) == self._most:
            self.set()
        return self.is_set()


def run(
    tick: Callable[[], float | None], rounds: int
) -> tuple[list[float], Heartbeats, ManualClock]:
    clock = ManualClock(datetime(2026, 11, 20, tzinfo=UTC))
    stop, heartbeats = Waits(clock, rounds), Heartbeats(clock)
    heartbeats.beat("it", 0.0)
    every(5.0, tick, stop, name="it", heartbeats=heartbeats)
    return stop.waited, heartbeats, clock


def failing(*outcomes: Exception | float | None) -> Callable[[], float | None]:
    left = list(outcomes)

    def tick() -> float | None:
        now = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(now, Exception):
            raise now
        return now

    return tick


DOWN = StoreUnavailable("it is down")


def test_a_round_is_done_every_interval_unless_it_says_otherwise() -> None:
    waited, heartbeats, _ = run(failing(None, 0.0, 0.5, None), 4)
    assert waited == [5.0, 0.0, 0.5, 5.0]
    assert heartbeats.overdue() == {"it": 0.0}


def test_a_round_that_fails_is_repeated_after_pauses_that_double_up_to_a_limit() -> None:
    waited, _, _ = run(failing(DOWN), 8)
    assert waited[:3] == [FIRST_BACKOFF_S, 2 * FIRST_BACKOFF_S, 4 * FIRST_BACKOFF_S]
    assert waited[-1] == LONGEST_BACKOFF_S


def test_after_a_round_that_succeeds_the_pauses_begin_anew() -> None:
    waited, _, _ = run(failing(DOWN, DOWN, None, DOWN, None), 5)
    assert waited == [1.0, 2.0, 5.0, 1.0, 5.0]


def test_a_loop_that_fails_is_overdue() -> None:
    _, heartbeats, clock = run(failing(DOWN), 6)
    assert heartbeats.overdue() == {"it": clock.stopwatch()}


def test_a_store_that_is_down_is_said_once_and_once_more_when_it_is_back() -> None:
    with capture_logs() as logs:
        run(failing(DOWN, DOWN, DOWN, None), 5)
    assert [each["event"] for each in logs] == ["loop failed", "loop comes round again"]
    assert "it is down" in logs[0]["error"]


def test_a_defect_costs_one_round_and_is_logged_with_where_it_is() -> None:
    with capture_logs() as logs:
        waited, _, _ = run(failing(ZeroDivisionError("oh"), None), 2)
    assert waited == [FIRST_BACKOFF_S, 5.0]
    assert logs[0]["error"] == "a defect of aiops: ZeroDivisionError: oh"
    assert isinstance(logs[0]["exc_info"], ZeroDivisionError)


def test_a_loop_told_to_stop_before_it_began_does_nothing() -> None:
    stop = Event()
    stop.set()
    heartbeats = Heartbeats(ManualClock(datetime(2026, 11, 20, tzinfo=UTC)))
    every(1.0, failing(DOWN), stop, name="it", heartbeats=heartbeats)
    assert heartbeats.overdue() == {}


def test_the_end_of_the_process_is_not_a_failed_round() -> None:
    def leave() -> None:
        raise KeyboardInterrupt

    heartbeats = Heartbeats(ManualClock(datetime(2026, 11, 20, tzinfo=UTC)))
    with pytest.raises(KeyboardInterrupt):
        loops.every(1.0, leave, Event(), name="it", heartbeats=heartbeats)
