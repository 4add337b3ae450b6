"""Jobs in the database, held by signs of life."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, delete, func, or_, select, update

from aiops.model.job import LONGEST_DELAY, Backlog, DeadJob, Held, Job
from aiops.ports.clock import Clock
from aiops.store.sql.columns import insert_new
from aiops.store.sql.engine import reading, writing
from aiops.store.sql.operations_tables import JOBS

_JOB = (JOBS.c.key, JOBS.c.kind, JOBS.c.about, JOBS.c.due, JOBS.c.attempt)


class SqlJobs:
    """A JobStore; see ``ports.jobs``.

    Every change is one statement on rows that are still as expected, so it does not matter which
    process comes first.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock

    def put(self, job: Job) -> bool:
        """Keep it, unless its key is known."""
        with writing(self._engine) as connection:
            row = {"key": job.key, "kind": job.kind, "about": job.about, **self._waiting(job)}
            inserted = insert_new(JOBS, connection.dialect, "key").values(row).returning(JOBS.c.key)
            return connection.scalar(inserted) is not None

    def take(self, kinds: Collection[str], holder: str, limit: int) -> tuple[Job, ...]:
        """Hold those that are due; on PostgreSQL nobody waits for others who do the same."""
        due = (
            select(*_JOB)
            .where(_due(self._clock.now()), JOBS.c.kind.in_(kinds))
            .order_by(JOBS.c.due, JOBS.c.key)
            .limit(limit)
        )
        with reading(self._engine) as connection:  # mostly nothing is: that locks nothing
            if connection.execute(due).first() is None:
                return ()
        with writing(self._engine) as connection:
            rows = connection.execute(due.with_for_update(skip_locked=True)).all()
            connection.execute(
                update(JOBS)
                .where(JOBS.c.key.in_([row.key for row in rows]))
                .values(holder=holder, beats=0)
            )
        return tuple(Job(*row) for row in rows)

    def beat(self, holder: str, keys: Collection[str]) -> None:
        """Give a sign of life."""
        if not keys:
            return
        mine = update(JOBS).where(JOBS.c.holder == holder, JOBS.c.key.in_(keys))
        with writing(self._engine) as connection:
            connection.execute(mine.values(beats=JOBS.c.beats + 1))

    def held(self) -> tuple[Held, ...]:
        """All that are held."""
        every = select(*_JOB, JOBS.c.holder, JOBS.c.beats).where(JOBS.c.holder.is_not(None))
        with reading(self._engine) as connection:
            rows = connection.execute(every).all()
        return tuple(Held(Job(*row[:-2]), row.holder, row.beats) for row in rows)

    def finish(self, key: str, holder: str) -> bool:
        """It is done."""
        return self._change(key, holder, None, self._ended(dead=False))

    def put_back(self, job: Job, holder: str, error: str = "", *, beats: int | None = None) -> bool:
        """It waits again."""
        said = {"error": error} if error else {}
        values = {**self._waiting(job), **said, "holder": None}
        return self._change(job.key, holder, beats, values)

    def give_up(self, key: str, holder: str, error: str, *, beats: int | None = None) -> bool:
        """It is dead; the row says of what."""
        return self._change(key, holder, beats, {**self._ended(dead=True), "error": error})

    def backlog(self) -> Backlog:
        """How much waits."""
        now = self._clock.now()
        due = select(func.count(), func.min(JOBS.c.due)).where(_due(now))
        running = select(func.count()).where(JOBS.c.holder.is_not(None))
        dead = select(func.count()).where(JOBS.c.dead)
        with reading(self._engine) as connection:
            waiting, oldest = connection.execute(due).one()
            age = (now - oldest).total_seconds() if oldest is not None else 0.0
            return Backlog(
                waiting,
                connection.scalar(running) or 0,
                connection.scalar(dead) or 0,
                max(age, 0.0),
            )

    def dead(self, limit: int) -> tuple[DeadJob, ...]:
        """Those given up, the latest first."""
        given_up = select(*_JOB, JOBS.c.error, JOBS.c.ended_at).where(JOBS.c.dead)
        latest = given_up.order_by(JOBS.c.ended_at.desc(), JOBS.c.key).limit(limit)
        with reading(self._engine) as connection:
            rows = connection.execute(latest).all()
        return tuple(DeadJob(Job(*row[:-2]), row.error or "", row.ended_at) for row in rows)

    def forget(self, before: datetime) -> int:
        """Let go of those that ended before then."""
        with writing(self._engine) as connection:
            return connection.execute(delete(JOBS).where(JOBS.c.ended_at < before)).rowcount

    def _waiting(self, job: Job) -> dict[str, Any]:
        """What is due already is due whatever the clock does later."""
        until = job.due if job.due > self._clock.now() else None
        return {"due": job.due, "attempt": job.attempt, "wait_until": until}

    def _ended(self, *, dead: bool) -> dict[str, Any]:
        return {"holder": None, "ended_at": self._clock.now(), "dead": dead}

    def _change(self, key: str, holder: str, beats: int | None, values: dict[str, Any]) -> bool:
        changed = update(JOBS).where(JOBS.c.key == key, JOBS.c.holder == holder).values(values)
        if beats is not None:
            changed = changed.where(JOBS.c.beats == beats)
        with writing(self._engine) as connection:
            return connection.execute(changed).rowcount == 1


def _due(now: datetime) -> ColumnElement[bool]:
    """``model.job.waits``, the other way round."""
    until = JOBS.c.wait_until
    clock_was_set_back = and_(JOBS.c.attempt > 1, until > now + LONGEST_DELAY)
    return and_(
        JOBS.c.ended_at.is_(None),
        JOBS.c.holder.is_(None),
        or_(until.is_(None), until <= now, clock_was_set_back),
    )
