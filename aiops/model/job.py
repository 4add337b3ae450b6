"""Work to be done once, by whichever process gets to it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

ATTEMPTS: Final = 5
"""Tries before a job is given up."""
FIRST_DELAY: Final = timedelta(seconds=10)
"""Until the second try; doubles from then on: a job outlives two and a half minutes of trouble."""
LONGEST_DELAY: Final = FIRST_DELAY * 2 ** (ATTEMPTS - 2)


@dataclass(frozen=True, slots=True)
class Job:
    """One piece of durable work.

    Attributes:
        key: identity of the work; while a job with this key is waiting or running, or once it was
            finished, another with the same key is not taken. "investigate:inc-1:2".
        kind: which handler does it: "investigate".
        about: id of what it is done for.
        due: not before, UTC.
        attempt: 1 on the first try, counted up when a worker died or failed.
    """

    key: str
    kind: str
    about: str
    due: datetime
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class Held:
    """A job that somebody does, with their last sign of life.

    Attributes:
        holder: who does it.
        beats: changes while the holder lives.
    """

    job: Job
    holder: str
    beats: int


@dataclass(frozen=True, slots=True)
class DeadJob:
    """A job given up after all its attempts: what went wrong in the last one, and when."""

    job: Job
    error: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much work waits: jobs due, running, given up after all attempts; age of the oldest."""

    due: int
    running: int
    dead: int
    oldest_s: float


def after_failure(job: Job, now: datetime) -> Job | None:
    """The next try of a job that failed, later each time; None where it was the last."""
    if job.attempt >= ATTEMPTS:
        return None
    delay = FIRST_DELAY * 2 ** (job.attempt - 1)
    return replace(job, attempt=job.attempt + 1, due=now + delay)


def after_death(job: Job) -> Job | None:
    """The next try of a job whose worker died, at once; None where it was the last."""
    return None if job.attempt >= ATTEMPTS else replace(job, attempt=job.attempt + 1)


def waits(until: datetime | None, attempt: int, now: datetime) -> bool:
    """Whether a job that was put off ``until`` then still waits.

    A second try is never put off for longer than LONGEST_DELAY: where more seems left, the clock
    was set back, and the job does not wait for it to come round again.
    """
    if until is None or until <= now:
        return False
    return attempt == 1 or until <= now + LONGEST_DELAY
