"""The door to durable work."""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from threading import Event
from typing import Protocol

from aiops.model.job import Backlog, DeadJob, Held, Job

Handler = Callable[[Job], None]
"""Does a job. May be called again for the same job after a crash, so its effects carry its key.
Whatever it raises fails the attempt; the job is tried again later, a few times."""


class JobQueue(Protocol):
    """Hands every job to one worker at a time until it is done, across processes and crashes."""

    def put(self, job: Job) -> bool:
        """Keep it until it is done; False where a job with its key is or was there already.

        Raises:
            StoreUnavailable: it is not known whether it is kept; putting it again is safe.
        """
        ...

    def work(
        self,
        handlers: Mapping[str, Handler],
        stop: Event,
        *,
        concurrency: int = 1,
        patience_s: float | None = None,
    ) -> None:
        """Do jobs of the kinds in ``handlers`` until ``stop`` is set; then finish those begun.

        A job whose worker died is taken up again by another within a lease's time. A store that
        does not answer is waited for.

        Args:
            concurrency: jobs done at once, each in a thread.
            patience_s: how long those begun may take after ``stop``; what takes longer is given
                back for another worker and not counted as an attempt. None for as long as it takes.
        """
        ...

    def backlog(self) -> Backlog:
        """How much waits; raises StoreUnavailable."""
        ...

    def dead(self, *, limit: int = 1000) -> tuple[DeadJob, ...]:
        """Those given up, the latest first; raises StoreUnavailable."""
        ...

    def forget(self, before: datetime) -> int:
        """Let go of the keys of jobs that ended before then, dead ones too; how many there were."""
        ...


class JobStore(Protocol):
    """Where jobs are kept that workers hold by signs of life; all of it raises StoreUnavailable.

    A job waits, is held, or has ended. Whoever holds it says so by ``beat``; whoever sees no sign
    of that for a lease's time, by their own stopwatch, may end the holding. What a holder says
    about a job that they hold no longer changes nothing.
    """

    def put(self, job: Job) -> bool:
        """Keep it as waiting; False where its key is known."""
        ...

    def take(self, kinds: Collection[str], holder: str, limit: int) -> tuple[Job, ...]:
        """Hold at most ``limit`` of those that are due, by due time and key."""
        ...

    def beat(self, holder: str, keys: Collection[str]) -> None:
        """Give a sign of life for those of these that ``holder`` holds still."""
        ...

    def held(self) -> tuple[Held, ...]:
        """All that are held, by anybody."""
        ...

    def finish(self, key: str, holder: str) -> bool:
        """It is done; False where ``holder`` does not hold it."""
        ...

    def put_back(self, job: Job, holder: str, error: str = "", *, beats: int | None = None) -> bool:
        """It waits again, with the attempt and due time given; False where not held so.

        Args:
            error: what went wrong; "" for nothing.
            beats: only if there was no sign of life since these.
        """
        ...

    def give_up(self, key: str, holder: str, error: str, *, beats: int | None = None) -> bool:
        """It is dead: kept, never tried again; False where not held so."""
        ...

    def backlog(self) -> Backlog:
        """How much waits."""
        ...

    def dead(self, limit: int) -> tuple[DeadJob, ...]:
        """Those given up, the latest first."""
        ...

    def forget(self, before: datetime) -> int:
        """Let go of those that ended before then."""
        ...
