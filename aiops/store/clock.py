"""The machine's clock, and one that stands still until told."""

import time
from datetime import UTC, datetime, timedelta


class SystemClock:
    """The machine's own."""

    def now(self) -> datetime:
        """The time of day, UTC."""
        return datetime.now(UTC)

    def stopwatch(self) -> float:
        """Seconds, monotonic."""
        return time.perf_counter()


class ManualClock:
    """Starts at ``start`` and moves only by ``advance``: for tests and replays."""

    def __init__(self, start: datetime) -> None:
        self._start, self._passed = start, 0.0

    def now(self) -> datetime:
        """``start`` plus what has been advanced."""
        return self._start + timedelta(seconds=self._passed)

    def stopwatch(self) -> float:
        """Seconds advanced so far."""
        return self._passed

    def advance(self, seconds: float) -> None:
        """Move on; raises ValueError for going back."""
        if seconds < 0:
            raise ValueError("a clock does not go back")
        self._passed += seconds
