"""The queue on PostgreSQL that procrastinate keeps: any number of workers, told at once.

Each job has two rows. procrastinate's is the job on its way: who does it, when it is tried again;
it goes when the job ends. Ours, in the table ``jobs``, is there from the first put until it is
forgotten: it makes the key unique and says what came of it. Both are put in one transaction. Work
whose own row has ended is passed over, so a crash between the two endings repeats nothing.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from math import inf
from threading import Event, Lock
from typing import TYPE_CHECKING, Any, Final, cast

import structlog

from aiops.errors import AiopsError, StoreUnavailable
from aiops.jobs.attempts import Attempt, described, tried
from aiops.jobs.leases import BEAT_S, DIED, LEASE_S, LOOK_S, LeaseWatch
from aiops.model.job import (
    LONGEST_DELAY,
    Backlog,
    DeadJob,
    Held,
    Job,
    after_death,
    after_failure,
)
from aiops.ports.clock import Clock
from aiops.ports.jobs import Handler

if TYPE_CHECKING:
    from collections.abc import Iterator

    from procrastinate import App
    from procrastinate.connector import BaseConnector
    from psycopg import Connection, Cursor
    from psycopg_pool import ConnectionPool

TASK: Final = "aiops.job"
LOOK_ANEW_S: Final = 1.0
"""How often jobs that were put off are looked for; new ones are told of."""
STOP_S: Final = 0.05
BACKOFF_S: Final = 1.0
PATIENCE_S: Final = 5.0
"""How long a connection is waited for."""
IDLE_MS: Final = 30_000
"""After so long in a transaction without a word the server takes back its locks: we stand still."""
_IDLE_S: Final = 60.0
"""How long a connection is kept that nobody uses."""
_FORGOTTEN_WORKER_S: Final = 86_400.0
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)
_LOCK: Final = 0x61696F7074  # any number, the same in every process
_OPEN: Final = "SELECT key, kind, about, due, attempt FROM jobs j WHERE ended_at IS NULL"
_DEAD: Final = (
    "SELECT key, kind, about, due, attempt, coalesce(error, ''), ended_at FROM jobs WHERE dead "
    "ORDER BY ended_at DESC, key LIMIT %s"
)
_LEFT: Final = (
    f"{_OPEN} AND NOT EXISTS (SELECT FROM procrastinate_jobs p "
    "WHERE p.queueing_lock = j.key AND p.status IN ('todo', 'doing'))"
)
_WAITING: Final = (
    "SELECT count(*) FILTER (WHERE waits), min(due) FILTER (WHERE waits), "
    "count(*) FILTER (WHERE status = 'doing') FROM ("
    "SELECT j.due, p.status, "
    "p.status = 'todo' AND coalesce(p.scheduled_at <= now(), true) AS waits "
    "FROM procrastinate_jobs p JOIN jobs j ON j.key = p.queueing_lock "
    "WHERE p.status IN ('todo', 'doing') AND j.ended_at IS NULL) AS open"
)
_BEATS: Final = "coalesce((extract(epoch FROM w.last_heartbeat) * 1000000)::bigint, 0)"
_FROM_HELD: Final = (
    "FROM procrastinate_jobs p JOIN jobs j ON j.key = p.queueing_lock "
    "LEFT JOIN procrastinate_workers w ON w.id = p.worker_id WHERE p.status = 'doing'"
)
_HOLDER: Final = "coalesce(p.worker_id, 0)::text"  # none where procrastinate has forgotten it
_HELD: Final = (
    f"SELECT j.key, p.id, j.kind, j.about, j.due, j.attempt, {_HOLDER}, {_BEATS} {_FROM_HELD}"
)
_STILL_HELD: Final = (
    f"SELECT 1 {_FROM_HELD} AND p.id = %s AND {_HOLDER} = %s AND {_BEATS} = %s FOR UPDATE OF p"
)
_SET_BACK: Final = (  # see model.job.waits
    "UPDATE procrastinate_jobs SET scheduled_at = NULL "
    "WHERE status = 'todo' AND attempts > 0 AND scheduled_at > now() + %s"
)


class ProcrastinateJobs:
    """A JobQueue; see ``ports.jobs``.

    Args:
        url: postgresql://..., with the schema of this version.
        application: what the server shows as application_name.
        lease_s: how long a worker may give no sign of life; how often is looked goes with it.
    """

    def __init__(
        self, url: str, clock: Clock, *, application: str = "aiops", lease_s: float = LEASE_S
    ) -> None:
        self._url, self._clock, self._lease_s = url, clock, lease_s
        self._options = {
            "application_name": application,
            "connect_timeout": int(PATIENCE_S),
            "options": f"-c idle_in_transaction_session_timeout={IDLE_MS}",
        }
        self._pool: ConnectionPool | None = None
        self._opening = Lock()
        self._log = structlog.get_logger("aiops.jobs")

    def put(self, job: Job) -> bool:
        """Keep it, unless its key is known."""
        with self._connected() as connection:
            inserted = connection.execute(
                "INSERT INTO jobs (key, kind, about, due, attempt) VALUES (%s, %s, %s, %s, %s) "
                "ON CONFLICT (key) DO NOTHING",
                (job.key, job.kind, job.about, job.due, job.attempt),
            )
            if inserted.rowcount:
                self._defer(connection, job)
        return bool(inserted.rowcount)

    def work(
        self,
        handlers: Mapping[str, Handler],
        stop: Event,
        *,
        concurrency: int = 1,
        patience_s: float | None = None,
    ) -> None:
        """Do jobs until ``stop`` is set."""
        from procrastinate.exceptions import ConnectorException
        from psycopg import Error

        logging.getLogger("procrastinate").setLevel(logging.CRITICAL)  # what it says, we say
        cut_off = False
        while not stop.is_set():
            try:
                self._adopt()
                if cut_off:
                    self._log.info("the store is back")
                cut_off = False
                asyncio.run(self._work(handlers, stop, concurrency, patience_s))
            except (ConnectorException, Error, StoreUnavailable) as error:
                if not cut_off:
                    self._log.error("jobs wait for the store", error=_line(error))
                cut_off = True
            stop.wait(BACKOFF_S)

    def backlog(self) -> Backlog:
        """How much waits."""
        with self._connected() as connection:
            due, oldest, running = _row(connection.execute(_WAITING))
            (dead,) = _row(connection.execute("SELECT count(*) FROM jobs WHERE dead"))
        age = (self._clock.now() - oldest).total_seconds() if oldest is not None else 0.0
        return Backlog(due, running, dead, max(age, 0.0))

    def dead(self, *, limit: int = 1000) -> tuple[DeadJob, ...]:
        """Those given up, the latest first."""
        with self._connected() as connection:
            rows = connection.execute(_DEAD, (limit,)).fetchall()
        return tuple(DeadJob(Job(*row[:-2]), row[-2], row[-1]) for row in rows)

    def forget(self, before: datetime) -> int:
        """Let go of jobs that ended before then."""
        with self._connected() as connection:
            gone = connection.execute("DELETE FROM jobs WHERE ended_at < %s", (before,))
        return gone.rowcount

    def close(self) -> None:
        """Let go of the connections; the queue opens them anew where it is used again."""
        with self._opening:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close()

    # ---- doing jobs

    async def _work(
        self,
        handlers: Mapping[str, Handler],
        stop: Event,
        concurrency: int,
        patience_s: float | None,
    ) -> None:
        """Do jobs until ``stop`` is set or the connection is lost."""
        from procrastinate import PsycopgConnector

        connector = PsycopgConnector(
            conninfo=self._url,
            kwargs=self._options,
            min_size=1,  # of each kind of job: PostgreSQL has a hundred for everybody
            max_size=concurrency + 4,
            max_idle=_IDLE_S,
            timeout=PATIENCE_S,
        )
        app = _app(connector, partial(self._attempted, handlers))
        async with app.open_async():
            worker = asyncio.create_task(
                app.run_worker_async(
                    queues=list(handlers),
                    concurrency=concurrency,
                    fetch_job_polling_interval=LOOK_ANEW_S * self._lease_s / LEASE_S,
                    shutdown_graceful_timeout=inf if patience_s is None else patience_s,
                    delete_jobs="always",  # our own row stays
                    install_signal_handlers=False,
                    update_heartbeat_interval=BEAT_S * self._lease_s / LEASE_S,
                    stalled_worker_timeout=_FORGOTTEN_WORKER_S,
                )
            )
            rescue = asyncio.create_task(self._rescue())
            while not (stop.is_set() or worker.done() or rescue.done()):
                await asyncio.wait({worker, rescue}, timeout=STOP_S)
            rescue.cancel()
            worker.cancel()
            ends = await asyncio.gather(worker, rescue, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    async def _attempted(self, handlers: Mapping[str, Handler], key: str) -> None:
        """One try, in a thread that is left to itself where this is cancelled."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            with suppress(RuntimeError):  # the loop is closed: nobody waits any longer
                loop.call_soon_threadsafe(over.set)

        attempt = Attempt(partial(self._do, handlers, key), f"job {key}", tell)
        attempt.start()
        await over.wait()
        if attempt.failure is not None:
            raise attempt.failure

    def _do(self, handlers: Mapping[str, Handler], key: str) -> None:
        """Do a job unless it has ended; raises _Again where it is to be tried again."""
        with self._connected() as connection:
            row = connection.execute(f"{_OPEN} AND key = %s", (key,)).fetchone()
        if row is None:
            return
        job = Job(*row)
        _, failure = tried(partial(handlers[job.kind], job))
        if failure is None:
            self._end(key)
            return
        error, again = described(failure), after_failure(job, self._clock.now())
        defect = None if isinstance(failure, AiopsError) else failure
        if again is None:
            self._log.error("job given up", job=key, error=error, exc_info=defect)
            self._end(key, dead=True, error=error)
            return
        self._log.warning("job failed", job=key, attempt=job.attempt, error=error, exc_info=defect)
        with self._connected() as connection:
            _count(connection, again, error)
            due = self._there(connection, again.due)
        raise _Again(due)

    def _end(self, key: str, *, dead: bool = False, error: str | None = None) -> None:
        with self._connected() as connection:
            connection.execute(
                "UPDATE jobs SET ended_at = %s, dead = %s, error = coalesce(%s, error) "
                "WHERE key = %s AND ended_at IS NULL",
                (self._clock.now(), dead, error, key),
            )

    # ---- what others left

    async def _rescue(self) -> None:
        """Free the jobs of workers that died, for as long as this is not cancelled."""
        watch = LeaseWatch(self._lease_s)
        while True:
            await asyncio.to_thread(self._free, watch)
            await asyncio.sleep(LOOK_S * self._lease_s / LEASE_S)

    def _free(self, watch: LeaseWatch) -> None:
        with self._connected() as connection:
            connection.execute(_SET_BACK, (LONGEST_DELAY,))
            rows = connection.execute(_HELD).fetchall()
        jobs = {row[0]: row[1] for row in rows}  # procrastinate's number by key
        held = [Held(Job(*row[:1], *row[2:6]), str(row[6]), row[7]) for row in rows]
        for each in watch.silent(held, self._clock.stopwatch()):
            self._free_one(jobs[each.job.key], each)

    def _free_one(self, number: int, held: Held) -> None:
        """Put it back for another worker, if nothing happened to it since."""
        job = held.job
        again = after_death(job)
        with self._connected() as connection:
            same = connection.execute(_STILL_HELD, (number, held.holder, held.beats)).fetchone()
            if same is None:
                return
            if again is not None:
                _count(connection, again, DIED)
                connection.execute(
                    "SELECT procrastinate_retry_job_v2(%s, now(), NULL, NULL, NULL)", (number,)
                )
            else:
                connection.execute(
                    "UPDATE jobs SET ended_at = %s, dead = true, error = %s WHERE key = %s",
                    (self._clock.now(), DIED, job.key),
                )
                connection.execute(
                    "SELECT procrastinate_finish_job_v1(%s, 'failed', true)", (number,)
                )
        self._log.warning(
            "job of a dead worker taken up" if again else "job given up",
            job=job.key,
            attempt=job.attempt,
            of=held.holder,
        )

    def _adopt(self) -> None:
        """Send on its way what is kept but is not: from another queue, or from a backup."""
        with self._connected() as connection:
            connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
            for row in connection.execute(_LEFT).fetchall():
                connection.execute("UPDATE jobs SET holder = NULL WHERE key = %s", (row[0],))
                self._defer(connection, Job(*row))

    def _defer(self, connection: "Connection", job: Job) -> None:
        """With the caller's transaction. What is due already waits for no clock."""
        from procrastinate import SyncPsycopgConnector

        ahead = job.due > self._clock.now()
        app = _app(SyncPsycopgConnector(), _elsewhere)  # never opened: the connection is given
        app.configure_task(
            TASK,
            queue=job.kind,
            queueing_lock=job.key,
            priority=_priority(job.due),
            schedule_at=self._there(connection, job.due) if ahead else None,
            connection=connection,
        ).defer(key=job.key)

    def _there(self, connection: "Connection", due: datetime) -> datetime:
        """The same moment on the server's clock, by which procrastinate goes."""
        ahead = due - self._clock.now()
        (there,) = _row(connection.execute("SELECT clock_timestamp() + %s", (ahead,)))
        return cast("datetime", there)

    @contextmanager
    def _connected(self) -> "Iterator[Connection]":
        """One transaction; raises StoreUnavailable."""
        from psycopg import OperationalError
        from psycopg.errors import UndefinedTable

        try:
            with self._opened().connection() as connection:
                yield connection
        except OperationalError as error:
            raise StoreUnavailable(f"PostgreSQL: {_line(error)}; repeat when it is back") from error
        except UndefinedTable as error:
            raise StoreUnavailable("its tables are missing; run 'aiops db upgrade'") from error

    def _opened(self) -> "ConnectionPool":
        from psycopg_pool import ConnectionPool

        with self._opening:
            if self._pool is None:
                pool = ConnectionPool(
                    self._url,
                    kwargs=self._options,
                    min_size=1,
                    max_size=10,
                    timeout=PATIENCE_S,
                    reconnect_timeout=PATIENCE_S,
                    check=ConnectionPool.check_connection,
                    open=True,
                )
                with ExitStack() as failing:
                    failing.callback(pool.close)
                    with pool.connection() as connection:
                        _prepare(connection)
                    failing.pop_all()
                self._pool = pool
            return self._pool


class _Again(AiopsError):
    """The try failed; the next one is at ``due``."""

    def __init__(self, due: datetime) -> None:
        self.due = due
        super().__init__(f"to be tried again at {due}")


def _app(connector: "BaseConnector", do: Callable[[str], Awaitable[None]]) -> "App":
    """procrastinate with its one task; a try that could not even fail is repeated at once."""
    from procrastinate import App, BaseRetryStrategy, RetryDecision

    class Retries(BaseRetryStrategy):
        def get_retry_decision(self, *, exception: BaseException, job: object) -> RetryDecision:
            del job
            if isinstance(exception, _Again):
                return RetryDecision(retry_at=exception.due, priority=_priority(exception.due))
            return RetryDecision()

    app = App(connector=connector)

    @app.task(name=TASK, retry=Retries())
    async def run(key: str) -> None:
        await do(key)

    return app


async def _elsewhere(key: str) -> None:
    raise NotImplementedError(f"{key} is done by a worker")


def _prepare(connection: "Connection") -> None:
    """Make procrastinate's tables where there are none; processes that do so wait in turn."""
    from procrastinate.schema import SchemaManager

    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
    (there,) = _row(connection.execute("SELECT to_regclass('procrastinate_jobs')"))
    if there is None:
        connection.execute(SchemaManager.get_schema())


def _count(connection: "Connection", again: Job, error: str) -> None:
    connection.execute(
        "UPDATE jobs SET attempt = %s, due = %s, error = %s WHERE key = %s AND ended_at IS NULL",
        (again.attempt, again.due, error, again.key),
    )


def _priority(due: datetime) -> int:
    """The higher the sooner it is due; fits their 32 bits until 2088."""
    return -int((due - _EPOCH).total_seconds())


def _row(cursor: "Cursor[tuple[Any, ...]]") -> tuple[Any, ...]:
    row = cursor.fetchone()
    assert row is not None  # noqa: S101  an aggregate always has one
    return row


def _line(error: Exception) -> str:
    return " ".join(str(error.__cause__ or error).split()) or type(error).__name__
