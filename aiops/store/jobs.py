"""Jobs in this process: the twin of the durable queues, for tests and single runs."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from threading import Condition, Event

from aiops.errors import AiopsError
from aiops.model.job import Backlog, Job
from aiops.ports.clock import Clock
from aiops.ports.jobs import Handler

ATTEMPTS = 5
"""Tries before a job is given up: with the delay doubling, about five minutes of trouble."""
FIRST_DELAY_S = 10.0
"""Until the second try."""
_LOOK_S = 0.05


class MemoryJobs:
    """A JobQueue; see ``ports.jobs``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._known: set[str] = set()
        self._waiting: dict[str, Job] = {}
        self._running: dict[str, Job] = {}
        self._dead: dict[str, Job] = {}
        self._news = Condition()

    def put(self, job: Job) -> bool:
        """Keep it, unless its key is known."""
        with self._news:
            if job.key in self._known:
                return False
            self._known.add(job.key)
            self._waiting[job.key] = job
            self._news.notify_all()
        return True

    def work(self, handlers: Mapping[str, Handler], stop: Event, *, concurrency: int = 1) -> None:
        """Do jobs until ``stop`` is set."""
        with ThreadPoolExecutor(concurrency, thread_name_prefix="job") as pool:
            for _ in range(concurrency):
                pool.submit(self._worker, handlers, stop)

    def backlog(self) -> Backlog:
        """How much waits."""
        now = self._clock.now()
        with self._news:
            due = [job.due for job in self._waiting.values() if job.due <= now]
            oldest = (now - min(due)).total_seconds() if due else 0.0
            return Backlog(len(due), len(self._running), len(self._dead), oldest)

    def _worker(self, handlers: Mapping[str, Handler], stop: Event) -> None:
        while not stop.is_set():
            job = self._taken(handlers)
            if job is None:
                with self._news:
                    self._news.wait(_LOOK_S)
                continue
            try:
                handlers[job.kind](job)
            except AiopsError:
                self._failed(job)
            else:
                with self._news:
                    del self._running[job.key]

    def _taken(self, handlers: Mapping[str, Handler]) -> Job | None:
        now = self._clock.now()
        with self._news:
            due = [j for j in self._waiting.values() if j.due <= now and j.kind in handlers]
            if not due:
                return None
            job = min(due, key=lambda one: (one.due, one.key))
            self._running[job.key] = self._waiting.pop(job.key)
            return job

    def _failed(self, job: Job) -> None:
        with self._news:
            del self._running[job.key]
            if job.attempt >= ATTEMPTS:
                self._dead[job.key] = job
                return
            delay = timedelta(seconds=FIRST_DELAY_S * 2 ** (job.attempt - 1))
            again = replace(job, attempt=job.attempt + 1, due=self._clock.now() + delay)
            self._waiting[job.key] = again
