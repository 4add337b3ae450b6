"""Work to be done once, by whichever process gets to it."""

from dataclasses import dataclass
from datetime import datetime


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
class Backlog:
    """How much work waits: jobs due, running, given up after all attempts; age of the oldest."""

    due: int
    running: int
    dead: int
    oldest_s: float
