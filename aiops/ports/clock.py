"""Time, passed in: nothing below the edges reads the machine's clock."""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """The time of day, UTC."""
        ...

    def stopwatch(self) -> float:
        """Seconds from an arbitrary start; never goes back."""
        ...
