"""What a time column counts, told from its own values."""

from dataclasses import dataclass
from datetime import UTC, datetime

# Powers of ten between which unix times of 1973 to 5138 lie in each unit.
_UNITS = ((1e8, 1e11, "s", 1.0), (1e11, 1e14, "ms", 1e-3), (1e14, 1e17, "us", 1e-6))
EARLIEST, LATEST = -6e10, 2.5e11
"""Unix seconds of the years 69 and 9889, between which every date can be shown."""
_NAMES = {"s": "seconds", "ms": "milliseconds", "us": "microseconds", "ns": "nanoseconds"}


@dataclass(frozen=True, slots=True)
class Clock:
    """How to read a time column.

    Attributes:
        unit: "s", "ms", "us", "ns" or "iso".
        scale: seconds per count.
        relative: True where the counts do not start in 1970: the window has no wall clock.
    """

    unit: str
    scale: float
    relative: bool = False

    def sentence(self, column: str) -> str:
        """What to say about it in a report."""
        if self.relative:
            return f"time is relative: column {column!r} counts seconds, not from 1970"
        if self.unit == "iso":
            return f"time column {column!r} holds ISO 8601 dates; one without a zone is read as UTC"
        return f"time column {column!r} counts {_NAMES[self.unit]} since 1970"


ISO = Clock("iso", 1.0)


def detect(first: float) -> Clock:
    """The clock of a column that begins with ``first``.

    Below 1e8 (March 1973 in seconds) a count cannot be a recorded wall clock and is taken for
    relative seconds.
    """
    for low, high, unit, scale in _UNITS:
        if low <= first < high:
            return Clock(unit, scale)
    return Clock("ns", 1e-9) if first >= 1e17 else Clock("s", 1.0, relative=True)


def seconds(value: float, clock: Clock) -> float:
    """An alert time on ``clock``; one on another wall-clock unit is converted from its own."""
    if clock.relative:
        return value * clock.scale
    own = detect(value)
    return value * (clock.scale if own.relative else own.scale)


def parse_iso(text: str) -> float:
    """Unix seconds of an ISO 8601 date; one without a zone is UTC. Raises ValueError."""
    when = datetime.fromisoformat(text.strip())
    return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()


def representable(unix: float) -> bool:
    """Whether ``unix`` seconds fall into the years that a date can have."""
    return EARLIEST <= unix <= LATEST


def moment(unix: float) -> datetime:
    """``unix`` seconds as a UTC datetime; ``representable`` ones only."""
    return datetime.fromtimestamp(unix, tz=UTC)
