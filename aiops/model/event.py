"""Something that happened, told to whoever watches."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a bus.

    Attributes:
        number: 1, 2, ... in the order of publishing; a watcher goes on from the last it saw.
        at: when it was published, UTC.
        kind: what happened, such as "investigation.finished".
        about: id of what it happened to.
    """

    number: int
    at: datetime
    kind: str
    about: str
