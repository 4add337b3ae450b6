"""The door to durable work."""

from collections.abc import Callable, Mapping
from threading import Event
from typing import Protocol

from aiops.model.job import Backlog, Job

Handler = Callable[[Job], None]
"""Does a job. May be called again for the same job after a crash, so its effects carry its key.
An AiopsError it raises fails the attempt; the job is tried again later, a few times."""


class JobQueue(Protocol):
    """Hands every job to one worker at a time until it is done, across processes and crashes."""

    def put(self, job: Job) -> bool:
        """Keep it until it is done; False where a job with its key is or was there already."""
        ...

    def work(self, handlers: Mapping[str, Handler], stop: Event, *, concurrency: int = 1) -> None:
        """Do jobs until ``stop`` is set; then finish those begun and return.

        A job whose worker died is taken up again by another within a lease's time.
        """
        ...

    def backlog(self) -> Backlog:
        """How much waits."""
        ...
