"""Jobs in memory: the twin of those in the database, for tests and single runs."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

from aiops.model.job import Backlog, DeadJob, Held, Job, waits
from aiops.ports.clock import Clock


@dataclass(slots=True)
class _Kept:
    """A job and how it stands: held by somebody, ended, or else waiting."""

    job: Job
    until: datetime | None
    holder: str | None = None
    beats: int = 0
    ended_at: datetime | None = None
    dead: bool = False
    error: str = ""


class MemoryJobs:
    """A JobStore; see ``ports.jobs``."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._kept: dict[str, _Kept] = {}
        self._lock = Lock()

    def put(self, job: Job) -> bool:
        """Keep it, unless its key is known."""
        with self._lock:
            if job.key in self._kept:
                return False
            self._kept[job.key] = _Kept(job, _put_off(job, self._clock.now()))
        return True

    def take(self, kinds: Collection[str], holder: str, limit: int) -> tuple[Job, ...]:
        """Hold those that are due."""
        with self._lock:
            due = [each for each in self._due() if each.job.kind in kinds]
            taken = sorted(due, key=lambda each: (each.job.due, each.job.key))[:limit]
            for each in taken:
                each.holder, each.beats = holder, 0
            return tuple(each.job for each in taken)

    def beat(self, holder: str, keys: Collection[str]) -> None:
        """Give a sign of life."""
        with self._lock:
            for key in keys:
                if (kept := self._held_by(holder, key)) is not None:
                    kept.beats += 1

    def held(self) -> tuple[Held, ...]:
        """All that are held."""
        with self._lock:
            return tuple(
                Held(each.job, each.holder, each.beats)
                for each in self._kept.values()
                if each.holder is not None
            )

    def finish(self, key: str, holder: str) -> bool:
        """It is done."""
        return self._end(key, holder, None)

    def put_back(self, job: Job, holder: str, error: str = "", *, beats: int | None = None) -> bool:
        """It waits again."""
        del error
        with self._lock:
            kept = self._held_by(holder, job.key, beats)
            if kept is None:
                return False
            self._kept[job.key] = _Kept(job, _put_off(job, self._clock.now()))
        return True

    def give_up(self, key: str, holder: str, error: str, *, beats: int | None = None) -> bool:
        """It is dead."""
        return self._end(key, holder, beats, error)

    def backlog(self) -> Backlog:
        """How much waits."""
        now = self._clock.now()
        with self._lock:
            due = [each.job.due for each in self._due()]
            running = sum(each.holder is not None for each in self._kept.values())
            dead = sum(each.dead for each in self._kept.values())
        oldest = max(((now - each).total_seconds() for each in due), default=0.0)
        return Backlog(len(due), running, dead, max(oldest, 0.0))

    def dead(self, limit: int) -> tuple[DeadJob, ...]:
        """Those given up, the latest first."""
        with self._lock:
            found = [
                DeadJob(each.job, each.error, each.ended_at)
                for each in self._kept.values()
                if each.dead and each.ended_at is not None
            ]
        return tuple(sorted(found, key=lambda each: each.at, reverse=True)[:limit])

    def forget(self, before: datetime) -> int:
        """Let go of those that ended before then."""
        with self._lock:
            old = [
                key
                for key, each in self._kept.items()
                if each.ended_at is not None and each.ended_at < before
            ]
            for key in old:
                del self._kept[key]
        return len(old)

    def _due(self) -> list[_Kept]:
        now = self._clock.now()
        return [
            each
            for each in self._kept.values()
            if each.holder is None
            and each.ended_at is None
            and not waits(each.until, each.job.attempt, now)
        ]

    def _held_by(self, holder: str, key: str, beats: int | None = None) -> _Kept | None:
        kept = self._kept.get(key)
        if kept is None or kept.holder != holder or beats not in (None, kept.beats):
            return None
        return kept

    def _end(self, key: str, holder: str, beats: int | None, error: str | None = None) -> bool:
        with self._lock:
            kept = self._held_by(holder, key, beats)
            if kept is None:
                return False
            kept.holder, kept.ended_at = None, self._clock.now()
            kept.dead, kept.error = error is not None, error or ""
        return True


def _put_off(job: Job, now: datetime) -> datetime | None:
    """Until when it waits; what is due already is due whatever the clock does later."""
    return job.due if job.due > now else None
