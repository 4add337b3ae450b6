"""The queue over jobs that workers hold by signs of life."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from threading import Event
from typing import Final

import structlog

from aiops.errors import AiopsError, StoreUnavailable
from aiops.jobs.attempts import Attempt, described
from aiops.jobs.leases import BEAT_S, DIED, LEASE_S, LOOK_S, LeaseWatch
from aiops.model.job import Backlog, DeadJob, Job, after_death, after_failure
from aiops.ports.clock import Clock
from aiops.ports.ids import Ids
from aiops.ports.jobs import Handler, JobStore

IDLE_S: Final = 0.1
"""How often jobs put by other processes are looked for."""
BACKOFF_S: Final = 1.0
"""Until a store that did not answer is asked again."""


class LeasedJobs:
    """A JobQueue; see ``ports.jobs``. Processes that share the store share the jobs."""

    def __init__(
        self, store: JobStore, clock: Clock, ids: Ids, *, lease_s: float = LEASE_S
    ) -> None:
        self._store, self._clock, self._ids, self._lease_s = store, clock, ids, lease_s
        self._news = Event()

    def put(self, job: Job) -> bool:
        """Keep it, unless its key is known; wakes a worker of this process."""
        new = self._store.put(job)
        self._news.set()
        return new

    def work(
        self,
        handlers: Mapping[str, Handler],
        stop: Event,
        *,
        concurrency: int = 1,
        patience_s: float | None = None,
    ) -> None:
        """Do jobs until ``stop`` is set."""
        holder = self._ids.new("worker")
        crew = _Crew(
            self._store, self._clock, handlers, holder, concurrency, self._news, self._lease_s
        )
        while not stop.is_set():
            self._rest(crew.round(takes=True))
        end = None if patience_s is None else self._clock.stopwatch() + patience_s
        while crew.busy and (end is None or self._clock.stopwatch() < end):
            self._rest(crew.round(takes=False))
        crew.leave()

    def backlog(self) -> Backlog:
        """How much waits."""
        return self._store.backlog()

    def dead(self, *, limit: int = 1000) -> tuple[DeadJob, ...]:
        """Those given up, the latest first."""
        return self._store.dead(limit)

    def forget(self, before: datetime) -> int:
        """Let go of jobs that ended before then."""
        return self._store.forget(before)

    def _rest(self, pause_s: float) -> None:
        self._news.wait(pause_s)
        self._news.clear()


class _Crew:
    """What one call of ``work`` has in hand. One thread steers it; each attempt has its own."""

    def __init__(
        self,
        store: JobStore,
        clock: Clock,
        handlers: Mapping[str, Handler],
        holder: str,
        size: int,
        news: Event,
        lease_s: float,
    ) -> None:
        self._store, self._clock, self._handlers, self._news = store, clock, handlers, news
        self._holder, self._size = holder, size
        self._attempts: dict[str, tuple[Job, Attempt]] = {}
        self._watch = LeaseWatch(lease_s)
        self._haste = lease_s / LEASE_S
        self._beaten_at = self._looked_at = clock.stopwatch()
        self._log = structlog.get_logger("aiops.jobs").bind(worker=holder)
        self._cut_off = False

    @property
    def busy(self) -> bool:
        """Whether any attempt goes on."""
        return any(not attempt.over for _, attempt in self._attempts.values())

    def round(self, *, takes: bool) -> float:
        """Do what is to be done now; how long to rest afterwards, seconds."""
        try:
            self._settle()
            self._beat()
            self._look()
            if takes:
                self._take()
        except StoreUnavailable as error:
            if not self._cut_off:
                self._log.error("jobs wait for the store", error=str(error))
            self._cut_off = True
            return BACKOFF_S
        if self._cut_off:
            self._log.info("the store is back")
        self._cut_off = False
        return IDLE_S

    def leave(self) -> None:
        """Settle what is over and give back the rest; where that fails, the leases run out."""
        try:
            self._settle()
            for job, _ in self._attempts.values():
                self._store.put_back(job, self._holder)
                self._log.warning("job given back unfinished", job=job.key)
        except StoreUnavailable as error:
            self._log.error(
                "jobs left to their leases", jobs=sorted(self._attempts), error=str(error)
            )

    def _settle(self) -> None:
        for key, (job, attempt) in list(self._attempts.items()):
            if not attempt.over:
                continue
            if attempt.failure is None:
                kept = self._store.finish(key, self._holder)
            else:
                kept = self._failed(job, attempt.failure)
            if not kept:
                self._log.warning("job had been taken over", job=key)
            del self._attempts[key]

    def _failed(self, job: Job, failure: BaseException) -> bool:
        error, again = described(failure), after_failure(job, self._clock.now())
        defect = None if isinstance(failure, AiopsError) else failure
        if again is None:
            self._log.error("job given up", job=job.key, error=error, exc_info=defect)
            return self._store.give_up(job.key, self._holder, error)
        self._log.warning(
            "job failed", job=job.key, attempt=job.attempt, error=error, exc_info=defect
        )
        return self._store.put_back(again, self._holder, error)

    def _beat(self) -> None:
        now = self._clock.stopwatch()
        if now - self._beaten_at < BEAT_S * self._haste:
            return
        self._store.beat(self._holder, self._attempts.keys())
        self._beaten_at = now

    def _look(self) -> None:
        """Free the jobs of workers that died."""
        now = self._clock.stopwatch()
        if now - self._looked_at < LOOK_S * self._haste:
            return
        for each in self._watch.silent(self._store.held(), now):
            job = each.job
            if each.holder == self._holder and job.key in self._attempts:
                continue
            again = after_death(job)
            if again is None:
                freed = self._store.give_up(job.key, each.holder, DIED, beats=each.beats)
            else:
                freed = self._store.put_back(again, each.holder, DIED, beats=each.beats)
            if freed:
                self._log.warning(
                    "job of a dead worker taken up" if again else "job given up",
                    job=job.key,
                    attempt=job.attempt,
                    of=each.holder,
                )
        self._looked_at = now

    def _take(self) -> None:
        free = self._size - len(self._attempts)
        if not free:
            return
        for job in self._store.take(self._handlers.keys(), self._holder, free):
            if job.key in self._attempts:  # we had lost it, and are at it still
                self._attempts[job.key] = (job, self._attempts[job.key][1])
                continue
            work = partial(self._handlers[job.kind], job)
            attempt = Attempt(work, f"job {job.key}", self._news.set)
            self._attempts[job.key] = (job, attempt)
            attempt.start()
