"""Workers killed at any moment: others finish their jobs, and nothing takes effect twice."""

import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from multiprocessing.process import BaseProcess
from typing import Any

import killable_worker
import pytest
from forked import context
from queues import until
from sqlalchemy import select

from aiops.app.incidents.dispatch import due_jobs
from aiops.errors import StoreUnavailable
from aiops.jobs.procrastinate import ProcrastinateJobs
from aiops.model.incident import Incident
from aiops.model.job import Backlog
from aiops.store.clock import SystemClock
from aiops.store.sql.engine import open_engine, reading, writing
from aiops.store.sql.events import SqlEvents
from aiops.store.sql.incidents import SqlIncidents
from aiops.store.sql.investigations import SqlInvestigations
from aiops.store.sql.operations_tables import EVENTS
from aiops.store.sql.schema import upgrade

QUEUES = ("sqlite", "postgresql", "procrastinate")
ONE_OF_EACH = pytest.mark.parametrize("site", ["sqlite", "procrastinate"], indirect=True)
"""For what a queue does by itself: the leased ones differ in their tables only."""
NONE = Backlog(0, 0, 0, 0.0)


class Site:
    """Workers on one database, and what they have done there."""

    def __init__(self, kind: str, url: str) -> None:
        self.kind, self.url = kind, url
        self.engine = open_engine(url)
        clock = SystemClock()
        self.events = SqlEvents(self.engine, clock)
        self.incidents = SqlIncidents(self.engine, clock, self.events)
        self.investigations = SqlInvestigations(self.engine)
        self.queue = killable_worker.queue_of(kind, self.engine, url)
        self._start = context()
        self._workers: list[BaseProcess] = []

    def worker(
        self,
        seconds: float = 0.1,
        die_at: str | None = None,
        patience_s: float = 3.0,
        *,
        dispatches: bool = True,
    ) -> BaseProcess:
        given = (self.kind, self.url, seconds, die_at, patience_s, dispatches)
        process = self._start.Process(target=killable_worker.main, args=given, daemon=True)
        process.start()
        self._workers.append(process)
        return process

    def open(self, *ids: str) -> None:
        """Incidents that are due for an investigation."""
        now = datetime.now(UTC)
        with self.incidents.work() as work:
            for each in ids:
                work.put_incident(
                    Incident(
                        each, "Slow", each, "SEV2", "triggered", now, now, ("web",),
                        investigate_at=now,
                    )
                )  # fmt: skip

    def finished(self, *ids: str) -> bool:
        try:
            return all(self.incidents.get(each).report for each in ids) and self._idle()
        except StoreUnavailable:
            return False

    def _idle(self) -> bool:
        return self.queue.backlog() == NONE

    def assert_each_happened_once(self, *ids: str) -> None:
        with reading(self.engine) as connection:
            rows = connection.execute(select(EVENTS.c.kind, EVENTS.c.about)).all()
        told = Counter((row.kind, row.about) for row in rows)
        for each in ids:
            kinds = [entry.kind for entry in self.incidents.timeline(each)]
            assert sorted(kinds) == ["investigation_finished", "investigation_queued"], each
            assert len(self.investigations.newest(each)) == 1
            assert told["investigation.queued", each] == told["investigation.finished", each] == 1
            assert self.incidents.get(each).investigations == 1

    def close(self) -> None:
        for each in self._workers:
            if each.is_alive():
                each.kill()
            each.join(10)
            each.close()
        if isinstance(self.queue, ProcrastinateJobs):
            self.queue.close()
        self.events.close()
        self.engine.dispose()


@pytest.fixture(params=QUEUES)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    url = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    opened = Site(request.param, request.getfixturevalue(url))
    yield opened
    opened.close()


def names(count: int) -> list[str]:
    return [f"inc-{number:02}" for number in range(count)]


def test_whenever_workers_are_killed_each_investigation_happens_once(site: Site) -> None:
    chance = random.Random(4)  # noqa: S311  nothing secret
    ids = names(8)
    workers = [site.worker(), site.worker()]
    site.open(*ids)
    for turn in range(4):  # one fewer than a job has tries
        time.sleep(chance.uniform(0.05, 0.5))
        workers[turn % 2].kill()
        workers[turn % 2] = site.worker()
    until(lambda: site.finished(*ids), 60)
    site.assert_each_happened_once(*ids)


def test_at_whichever_step_a_worker_dies_the_next_one_goes_on_from_there(site: Site) -> None:
    first, *others = killable_worker.STEPS
    ids = names(len(killable_worker.STEPS))
    site.open(*ids)
    doomed = [site.worker(die_at=first)]
    doomed[0].join(60)  # before another has put the job that it dies of
    doomed += [site.worker(die_at=step) for step in others]
    for each in doomed:
        each.join(60)
        assert each.exitcode == -signal.SIGKILL
    assert not all(site.incidents.get(each).report for each in ids)
    site.worker()
    until(lambda: site.finished(*ids), 60)
    site.assert_each_happened_once(*ids)


@ONE_OF_EACH
def test_a_worker_told_to_stop_finishes_its_job_and_leaves_the_rest(site: Site) -> None:
    ids = names(4)
    site.open(*ids)
    worker = site.worker(seconds=0.5)
    until(lambda: site.queue.backlog().running)
    asked = time.monotonic()
    os.kill(worker.pid or 0, signal.SIGTERM)
    worker.join(60)
    assert worker.exitcode == 0
    assert time.monotonic() - asked < 5
    done = [each for each in ids if site.incidents.get(each).report]
    assert len(done) == 1
    found = site.queue.backlog()
    assert (found.due, found.running, found.dead) == (3, 0, 0)
    site.worker()
    until(lambda: site.finished(*ids), 60)
    site.assert_each_happened_once(*ids)


@ONE_OF_EACH
def test_a_worker_told_to_stop_amid_a_long_job_gives_it_back_within_five_seconds(
    site: Site,
) -> None:
    site.open("inc-1")
    worker = site.worker(seconds=60, patience_s=1.0)
    until(lambda: site.queue.backlog().running)
    asked = time.monotonic()
    os.kill(worker.pid or 0, signal.SIGTERM)
    worker.join(60)
    assert worker.exitcode == 0
    assert time.monotonic() - asked < 5
    assert site.queue.backlog().due == 1
    site.worker()
    until(lambda: site.finished("inc-1"), 60)
    site.assert_each_happened_once("inc-1")


@ONE_OF_EACH
def test_a_worker_that_stood_still_for_long_does_no_harm_when_it_goes_on(site: Site) -> None:
    site.open("inc-1")
    due_jobs(site.incidents, site.queue, SystemClock())
    frozen = site.worker(seconds=0.5, dispatches=False)
    until(lambda: site.queue.backlog().running)
    with writing(site.engine):  # so it does not: the lock of a process that stands still stays
        os.kill(frozen.pid or 0, signal.SIGSTOP)
    site.worker()
    until(lambda: site.finished("inc-1"), 60)
    os.kill(frozen.pid or 0, signal.SIGCONT)
    time.sleep(1.0)
    assert frozen.is_alive()
    assert site.finished("inc-1")
    site.assert_each_happened_once("inc-1")


@pytest.mark.parametrize(("kind", "mode"), [("postgresql", "immediate"), ("procrastinate", "fast")])
def test_workers_come_back_when_postgresql_was_restarted_and_lose_nothing(
    own_postgres: Callable[..., Any], kind: str, mode: str
) -> None:
    server = own_postgres()
    engine = open_engine(server.url())
    upgrade(engine)
    engine.dispose()
    site = Site(kind, server.url())
    try:
        ids = names(8)
        site.open(*ids)
        workers = [site.worker(seconds=0.2), site.worker(seconds=0.2)]
        until(lambda: site.incidents.get(ids[1]).report)
        server.restart(mode)
        until(lambda: site.finished(*ids), 90)
        site.assert_each_happened_once(*ids)
        assert all(each.is_alive() for each in workers)
    finally:
        site.close()
