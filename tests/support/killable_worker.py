"""A worker process made to be killed: the real parts, a slow source, a short lease."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import wraps
from threading import Event, Thread
from typing import Any

import numpy as np
from sqlalchemy import Engine

from aiops import plugins
from aiops.app.incident_reports import KIND, IncidentReports
from aiops.app.incidents.dispatch import due_jobs
from aiops.app.telemetry_window import Reach
from aiops.jobs.leased import LeasedJobs
from aiops.jobs.loops import Heartbeats, every
from aiops.jobs.procrastinate import ProcrastinateJobs
from aiops.model import Entity, MetricTable, Series, job
from aiops.ports.jobs import JobQueue
from aiops.store.clock import SystemClock
from aiops.store.ids import TimedIds
from aiops.store.sql.engine import open_engine
from aiops.store.sql.events import SqlEvents
from aiops.store.sql.incidents import SqlIncidents
from aiops.store.sql.investigations import SqlInvestigations
from aiops.store.sql.jobs import SqlJobs
from aiops.store.sql.telemetry import SqlTelemetry

LEASE_S = 0.5
"""Of a worker that is to live. The doomed wait for nobody's lease: each dies of its own job."""
DELAY = timedelta(seconds=1)
"""Until the second try of a job that failed."""
STEPS: dict[str, tuple[type, str, bool]] = {
    "after the job was put, before the incident says so": (LeasedJobs, "put", True),
    "while collecting": (SqlTelemetry, "append", False),
    "before the investigation is saved": (SqlInvestigations, "save", False),
    "after it is saved, before the incident tells of it": (SqlInvestigations, "save", True),
    "after the incident tells of it, before the job is done": (IncidentReports, "_note", True),
}
"""Where a worker can be made to die: before (False) or after a call."""


class SlowSource:
    """Some metrics after a while, with a step up at the end."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def metrics(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> MetricTable:
        time.sleep(self._seconds)
        first = start.timestamp()
        times = np.arange(first, end.timestamp(), 15.0)
        values = np.where(times > first + 0.8 * (times[-1] - first), 9.0, 1.0)[:, None]
        return MetricTable(times, values, (Series(Entity("service", "web"), "latency", "web_l"),))


def queue_of(kind: str, engine: Engine, url: str, lease_s: float = LEASE_S) -> JobQueue:
    clock = SystemClock()
    if kind == "procrastinate":
        return ProcrastinateJobs(url, clock, lease_s=lease_s)
    return LeasedJobs(SqlJobs(engine, clock), clock, TimedIds(clock), lease_s=lease_s)


def main(
    kind: str, url: str, seconds: float, die_at: str | None, patience_s: float, dispatches: bool
) -> None:
    """Put due investigations, where asked to, and do them, until SIGTERM."""
    stop, clock = Event(), SystemClock()
    job.FIRST_DELAY = DELAY  # type: ignore[misc]
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    if die_at is not None:
        owner, method, after = STEPS[die_at]
        if kind == "procrastinate" and owner is LeasedJobs:
            owner = ProcrastinateJobs
        setattr(owner, method, _deadly(getattr(owner, method), after))
    with ExitStack() as stack:
        engine = open_engine(url)
        stack.callback(engine.dispose)
        events = SqlEvents(engine, clock)
        stack.callback(events.close)
        incidents = SqlIncidents(engine, clock, events)
        queue = queue_of(kind, engine, url, LEASE_S if die_at is None else 60)
        if isinstance(queue, ProcrastinateJobs):
            stack.callback(queue.close)
        reports = IncidentReports(
            incidents=incidents,
            investigations=SqlInvestigations(engine),
            telemetry=SqlTelemetry(engine),
            sources=[("slow", SlowSource(seconds))],
            analyzer=plugins.analyzer("baro"),
            explain=None,
            clock=clock,
            reach=Reach(timedelta(minutes=10), timedelta(minutes=1)),
        )

        def dispatch() -> None:
            due_jobs(incidents, queue, clock)

        options = {"name": "dispatch", "heartbeats": Heartbeats(clock)}
        loop = Thread(target=every, args=(0.1, dispatch, stop), kwargs=options, daemon=True)
        if dispatches:
            loop.start()
        queue.work({KIND: reports}, stop, patience_s=patience_s)
    os._exit(0)  # as `aiops worker` ends: a source that hangs keeps nobody waiting


def _deadly(call: Callable[..., Any], after: bool) -> Callable[..., Any]:
    @wraps(call)
    def die(*given: Any, **named: Any) -> Any:
        if after:
            call(*given, **named)
        os.kill(os.getpid(), signal.SIGKILL)

    return die
