"""The time in a recording that is played again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from aiops.ports.clock import Clock


class RecordedClock:
    """Tells the time of the recording, so that nothing recorded has to be moved.

    It stands still until ``begin``: what is looked at must not depend on how long a start takes.

    Args:
        start: what it shows at first.
        real: what passes afterwards; its stopwatch stays as it is.
    """

    def __init__(self, start: datetime, real: Clock) -> None:
        self._start, self._real = start, real
        self._began: float | None = None

    def begin(self) -> None:
        """From now on time passes."""
        self._began = self.stopwatch()

    def now(self) -> datetime:
        """See Clock."""
        passed = 0.0 if self._began is None else self.stopwatch() - self._began
        return self._start + timedelta(seconds=passed)

    def stopwatch(self) -> float:
        """See Clock."""
        return self._real.stopwatch()
