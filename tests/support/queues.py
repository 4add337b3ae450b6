"""Queues to test with: what differs between them, said once."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING, Protocol

from aiops.model.job import Job
from aiops.ports.jobs import Handler, JobQueue, JobStore

if TYPE_CHECKING:
    from aiops.jobs.procrastinate import ProcrastinateJobs

LEASE_S = 0.5


class JumpingClock:
    """The machine's, whose time of day somebody sets; the stopwatch runs on."""

    def __init__(self) -> None:
        self._off = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._off

    def stopwatch(self) -> float:
        return time.perf_counter()

    def jump(self, seconds: float) -> None:
        self._off += timedelta(seconds=seconds)


class Place(Protocol):
    """Where jobs are kept, and what a test may do to it."""

    clock: JumpingClock

    def queue(self) -> JobQueue:
        """As another process would open it."""
        ...

    def jump(self, seconds: float) -> None:
        """All clocks are set forward, or back."""
        ...

    def die_holding(self, kind: str) -> None:
        """A worker takes a job and is never heard of again."""
        ...


class LeasedPlace:
    """A JobStore behind LeasedJobs."""

    def __init__(self, store: Callable[[JumpingClock], JobStore]) -> None:
        self.clock = JumpingClock()
        self._store = store(self.clock)

    def queue(self) -> JobQueue:
        from aiops.jobs.leased import LeasedJobs
        from aiops.store.ids import TimedIds

        return LeasedJobs(self._store, self.clock, TimedIds(self.clock), lease_s=LEASE_S)

    def jump(self, seconds: float) -> None:
        self.clock.jump(seconds)

    def die_holding(self, kind: str) -> None:
        assert len(self._store.take([kind], "a worker that died", 1)) == 1


class ProcrastinatePlace:
    """PostgreSQL with procrastinate, whose own clock is made to jump by moving what it wrote."""

    def __init__(self, url: str) -> None:
        self.clock, self._url = JumpingClock(), url
        self._opened: list[ProcrastinateJobs] = []

    def queue(self) -> JobQueue:
        from aiops.jobs.procrastinate import ProcrastinateJobs

        self._opened.append(ProcrastinateJobs(self._url, self.clock, lease_s=LEASE_S))
        return self._opened[-1]

    def close(self) -> None:
        for each in self._opened:
            each.close()

    def jump(self, seconds: float) -> None:
        self.clock.jump(seconds)
        by = timedelta(seconds=seconds)
        self._do("UPDATE procrastinate_jobs SET scheduled_at = scheduled_at - %s", by)
        self._do("UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - %s", by)

    def die_holding(self, kind: str) -> None:
        fetched = "procrastinate_fetch_job_v2(ARRAY[%s], procrastinate_register_worker_v1())"
        self._do(f"SELECT {fetched}", kind)

    def _do(self, statement: str, given: object) -> None:
        import psycopg

        with psycopg.connect(self._url, autocommit=True) as connection:
            connection.execute(statement.encode(), (given,))


@contextmanager
def working(
    queue: JobQueue,
    handlers: Mapping[str, Handler],
    *,
    concurrency: int = 1,
    patience_s: float | None = None,
) -> Iterator[Event]:
    """A worker in the background; the event stops it, as does the end of the block."""
    stop = Event()
    options = {"concurrency": concurrency, "patience_s": patience_s}
    thread = Thread(target=queue.work, args=(handlers, stop), kwargs=options, daemon=True)
    thread.start()
    try:
        yield stop
    finally:
        stop.set()
        thread.join(60)
        assert not thread.is_alive()


def until(seen: Callable[[], object], patience_s: float = 60.0) -> None:
    """Wait for it; fails where it does not come."""
    end = time.monotonic() + patience_s
    while not seen():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.01)


def job(
    clock: JumpingClock, name: str, *, kind: str = "try", due_in: float = -1, attempt: int = 1
) -> Job:
    return Job(name, kind, f"about {name}", clock.now() + timedelta(seconds=due_in), attempt)
