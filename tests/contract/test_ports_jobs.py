"""What every queue promises; a new adapter joins by one more param."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event, Lock

import pytest
from queues import LEASE_S, LeasedPlace, Place, ProcrastinatePlace, job, until, working
from sqlalchemy import Engine

from aiops.errors import AiopsError
from aiops.model.job import ATTEMPTS, Backlog, Job
from aiops.store.jobs import MemoryJobs
from aiops.store.sql.jobs import SqlJobs


@pytest.fixture(params=["memory", "sqlite", "postgresql", "procrastinate"])
def place(request: pytest.FixtureRequest, engine_on: Callable[[str], Engine]) -> Iterator[Place]:
    """Nothing in it."""
    if request.param == "memory":
        yield LeasedPlace(MemoryJobs)
    elif request.param == "procrastinate":
        scaled = ProcrastinatePlace(request.getfixturevalue("postgres_url"))
        yield scaled
        scaled.close()
    else:
        engine = engine_on(request.param)
        yield LeasedPlace(lambda clock: SqlJobs(engine, clock))


class Log:
    """A handler that notes what it is given and does as told."""

    def __init__(self, does: Callable[[Job], object] = str) -> None:
        self.seen: list[Job] = []
        self._does = does

    def __call__(self, given: Job) -> None:
        self.seen.append(given)
        self._does(given)

    @property
    def keys(self) -> list[str]:
        return [each.key for each in self.seen]


class Failed(AiopsError):
    """On purpose."""


def fail(given: Job) -> None:
    raise Failed(given.key)


NONE = Backlog(0, 0, 0, 0.0)

# ---- keys


def test_a_key_is_taken_once_while_waiting_running_and_for_ever_after(place: Place) -> None:
    queue, begun, go_on = place.queue(), Event(), Event()

    def wait(given: Job) -> None:
        begun.set()
        go_on.wait(60)

    log, same = Log(wait), job(place.clock, "a")
    assert queue.put(same)
    assert not queue.put(same)
    with working(queue, {"try": log}):
        assert begun.wait(60)
        assert not queue.put(same)
        go_on.set()
        until(lambda: queue.backlog() == NONE)
        assert not queue.put(same)
        assert not place.queue().put(same)
        time.sleep(0.3)
    assert log.keys == ["a"]


def test_of_many_who_put_one_key_at_once_one_is_first(place: Place) -> None:
    queues = [place.queue() for _ in range(3)]
    same = job(place.clock, "a")
    with ThreadPoolExecutor(9) as pool:
        said = list(pool.map(lambda number: queues[number % 3].put(same), range(18)))
    assert said.count(True) == 1
    assert queues[0].backlog().due == 1


def test_a_job_reaches_its_handler_as_it_was_put(place: Place) -> None:
    queue, log, given = place.queue(), Log(), job(place.clock, "inv:inc-ü:1")
    queue.put(given)
    with working(queue, {"try": log}):
        until(lambda: log.seen)
    assert log.seen == [given]


# ---- order and due times


def test_the_one_that_has_been_due_longest_comes_first(place: Place) -> None:
    queue, log = place.queue(), Log()
    for name, seconds in (("b", -20), ("d", -5), ("a", -30), ("c", -10)):
        queue.put(job(place.clock, name, due_in=seconds))
    with working(queue, {"try": log}):
        until(lambda: len(log.seen) == 4)
    assert log.keys == ["a", "b", "c", "d"]


def test_a_job_is_not_begun_before_it_is_due(place: Place) -> None:
    queue, log = place.queue(), Log()
    queue.put(job(place.clock, "later", due_in=60))
    queue.put(job(place.clock, "now"))
    assert queue.backlog().due == 1
    with working(queue, {"try": log}):
        until(lambda: log.seen)
        time.sleep(0.3)
        assert log.keys == ["now"]
        place.jump(61)
        until(lambda: log.keys == ["now", "later"])


def test_a_job_put_while_the_worker_idles_is_begun(place: Place) -> None:
    log, other = Log(), place.queue()
    with working(place.queue(), {"try": log}):
        time.sleep(0.3)
        other.put(job(place.clock, "a"))
        until(lambda: log.keys == ["a"])


def test_a_job_of_a_kind_nobody_knows_waits_for_a_worker_that_does(place: Place) -> None:
    queue, known, new = place.queue(), Log(), Log()
    queue.put(job(place.clock, "new", kind="new", due_in=-60))
    queue.put(job(place.clock, "old"))
    with working(queue, {"try": known}):
        until(lambda: known.seen)
    assert known.keys == ["old"]
    assert queue.backlog().due == 1
    with working(queue, {"try": known, "new": new}):
        until(lambda: new.seen)
    assert new.seen[0].attempt == 1


# ---- failures


def test_a_job_that_fails_is_tried_again_after_a_doubling_delay_and_then_given_up(
    place: Place,
) -> None:
    queue, log = place.queue(), Log(fail)
    queue.put(job(place.clock, "a"))
    with working(queue, {"try": log}):
        for tried, delay in enumerate((10, 20, 40, 80), start=1):
            until(lambda tried=tried: len(log.seen) == tried and not queue.backlog().running)
            assert queue.backlog() == NONE
            place.jump(delay - 5)
            time.sleep(0.2)
            assert len(log.seen) == tried
            place.jump(6)
        until(lambda: queue.backlog().dead == 1)
        place.jump(100_000)
        time.sleep(0.2)
    assert [each.attempt for each in log.seen] == list(range(1, ATTEMPTS + 1))
    assert queue.backlog() == Backlog(0, 0, 1, 0.0)
    assert [(each.job.key, each.error) for each in queue.dead()] == [("a", "a")]
    assert queue.dead(limit=0) == ()
    assert not queue.put(job(place.clock, "a"))


def test_a_second_try_that_succeeds_ends_the_job(place: Place) -> None:
    queue, log = place.queue(), Log(lambda given: fail(given) if given.attempt == 1 else None)
    queue.put(job(place.clock, "a"))
    with working(queue, {"try": log}):
        until(lambda: log.seen and not queue.backlog().running)
        place.jump(11)
        until(lambda: len(log.seen) == 2)
    assert queue.backlog() == NONE


def test_a_defect_of_a_handler_costs_its_job_one_try_and_no_other_job_anything(
    place: Place,
) -> None:
    queue, good, bad = place.queue(), Log(), Log(lambda given: given.attempt // 0)
    queue.put(job(place.clock, "bad", kind="bad", due_in=-9))
    for number in range(3):
        queue.put(job(place.clock, f"good-{number}"))
    with working(queue, {"try": good, "bad": bad}):
        until(lambda: len(good.seen) == 3)
        until(lambda: not queue.backlog().running)
        place.jump(11)
        until(lambda: [each.attempt for each in bad.seen] == [1, 2])


# ---- stopping


def test_stopping_finishes_what_was_begun_and_begins_nothing_else(place: Place) -> None:
    queue, begun, done = place.queue(), Event(), Event()

    def slow(given: Job) -> None:
        begun.set()
        time.sleep(0.5)
        done.set()

    log = Log(slow)
    for name in ("a", "b"):
        queue.put(job(place.clock, name, due_in=-9 if name == "a" else -1))
    with working(queue, {"try": log}) as stop:
        assert begun.wait(60)
        stop.set()
    assert done.is_set()
    assert log.keys == ["a"]
    assert queue.backlog().due == 1
    assert queue.backlog().running == 0


def test_what_takes_too_long_to_finish_is_given_back_and_not_counted(place: Place) -> None:
    queue, begun, forever = place.queue(), Event(), Event()

    def hang(given: Job) -> None:
        begun.set()
        forever.wait(60)

    queue.put(job(place.clock, "a"))
    with working(queue, {"try": hang}, patience_s=0.3) as stop:
        assert begun.wait(60)
        stop.set()
    log = Log()
    assert queue.backlog().due == 1
    with working(place.queue(), {"try": log}):
        until(lambda: log.seen)
    forever.set()
    assert log.seen[0].attempt == 1
    assert queue.backlog() == NONE


# ---- death


def test_the_job_of_a_worker_that_died_is_taken_up_by_another(place: Place) -> None:
    queue, log = place.queue(), Log()
    queue.put(job(place.clock, "a"))
    place.die_holding("try")
    assert queue.backlog().running == 1
    with working(queue, {"try": log}):
        until(lambda: log.seen)
        until(lambda: queue.backlog() == NONE)
    assert [(each.key, each.attempt) for each in log.seen] == [("a", 2)]


def test_a_job_whose_workers_die_is_given_up_in_the_end(place: Place) -> None:
    queue, log = place.queue(), Log()
    queue.put(job(place.clock, "deadly", attempt=ATTEMPTS))
    place.die_holding("try")
    with working(queue, {"try": log}):
        until(lambda: queue.backlog() == Backlog(0, 0, 1, 0.0))
    assert log.seen == []
    (dead,) = queue.dead()
    assert (dead.job.key, dead.job.about, dead.job.attempt) == ("deadly", "about deadly", ATTEMPTS)
    assert "died" in dead.error


def test_a_worker_that_lives_keeps_a_job_for_longer_than_a_lease(place: Place) -> None:
    log = Log(lambda given: time.sleep(given.attempt * 2 * LEASE_S))
    queue = place.queue()
    queue.put(job(place.clock, "long"))
    with ExitStack() as workers:
        for _ in range(2):
            workers.enter_context(working(place.queue(), {"try": log}))
        until(lambda: queue.backlog() == NONE)
    assert [each.attempt for each in log.seen] == [1]


def test_a_clock_that_jumps_takes_no_job_from_the_worker_that_does_it(place: Place) -> None:
    begun = Event()

    def slow(given: Job) -> None:
        begun.set()
        time.sleep(3 * LEASE_S)

    log, queue = Log(slow), place.queue()
    queue.put(job(place.clock, "a"))
    queue.put(job(place.clock, "b", kind="other"))
    other = Log()
    with ExitStack() as workers:
        for _ in range(2):
            workers.enter_context(working(place.queue(), {"try": log}))
        assert begun.wait(60)
        place.jump(-86_400)
        workers.enter_context(working(place.queue(), {"other": other}))
        until(lambda: other.seen)  # it was due before the clock was set back
        time.sleep(LEASE_S)
        place.jump(2 * 86_400)
        until(lambda: queue.backlog() == NONE)
    assert [each.attempt for each in log.seen] == [1]


def test_a_clock_set_back_does_not_put_off_a_second_try(place: Place) -> None:
    queue, log = place.queue(), Log(lambda given: fail(given) if given.attempt == 1 else None)
    queue.put(job(place.clock, "a"))
    with working(queue, {"try": log}):
        until(lambda: log.seen and not queue.backlog().running)
        place.jump(-86_400)
        until(lambda: len(log.seen) == 2)


# ---- many


def test_many_workers_do_many_jobs_once_each_and_never_one_at_once(place: Place) -> None:
    doing: Counter[str] = Counter()
    most: Counter[str] = Counter()
    gate = Lock()

    def work(given: Job) -> None:
        with gate:
            doing[given.key] += 1
            most[given.key] = max(most[given.key], doing[given.key])
        time.sleep(0.005)
        with gate:
            doing[given.key] -= 1

    log, queue = Log(work), place.queue()
    names = [f"job-{number:02}" for number in range(60)]
    for name in names:
        queue.put(job(place.clock, name))
    with ExitStack() as workers:
        for _ in range(3):
            workers.enter_context(working(place.queue(), {"try": log}, concurrency=3))
        until(lambda: queue.backlog() == NONE)
    assert sorted(log.keys) == names
    assert set(most.values()) == {1}


def test_as_many_jobs_are_done_at_once_as_asked_for(place: Place) -> None:
    queue, together = place.queue(), Event()
    doing: list[str] = []

    def meet(given: Job) -> None:
        doing.append(given.key)
        if len(doing) == 3:
            together.set()
        assert together.wait(60)

    for number in range(3):
        queue.put(job(place.clock, f"{number}"))
    with working(queue, {"try": meet}, concurrency=3):
        until(lambda: queue.backlog() == NONE)
    assert sorted(doing) == ["0", "1", "2"]


# ---- figures, forgetting


def test_the_backlog_says_how_much_is_due_running_and_dead_and_for_how_long(
    place: Place,
) -> None:
    queue = place.queue()
    assert queue.backlog() == NONE
    for name, seconds in (("a", -90), ("b", -30), ("c", 60)):
        queue.put(job(place.clock, name, due_in=seconds))
    found = queue.backlog()
    assert (found.due, found.running, found.dead) == (2, 0, 0)
    assert found.oldest_s == pytest.approx(90, abs=5)
    place.die_holding("try")
    found = queue.backlog()
    assert (found.due, found.running) == (1, 1)
    assert found.oldest_s == pytest.approx(30, abs=5)


def test_what_has_ended_long_ago_is_forgotten_and_nothing_that_waits(place: Place) -> None:
    queue, log = place.queue(), Log()
    queue.put(job(place.clock, "done", due_in=-5))
    queue.put(job(place.clock, "unknown", kind="other", due_in=-9999))
    with working(queue, {"try": log}):
        until(lambda: log.seen and not queue.backlog().running)
    assert queue.forget(job(place.clock, "", due_in=-60).due) == 0
    assert not queue.put(job(place.clock, "done"))
    assert queue.forget(job(place.clock, "", due_in=60).due) == 1
    assert queue.put(job(place.clock, "done"))
    assert queue.backlog().due == 2
