"""The time of day as a process sees it; the lab can put it forward or back."""

from __future__ import annotations

import time
from datetime import UTC, datetime


class Wall:
    """One process's clock."""

    def __init__(self) -> None:
        self.offset_s = 0.0

    def time_ns(self) -> int:
        """Nanoseconds since the epoch."""
        return time.time_ns() + int(self.offset_s * 1e9)

    def now(self) -> datetime:
        """The time of day, in UTC."""
        return datetime.fromtimestamp(self.time_ns() / 1e9, UTC)
