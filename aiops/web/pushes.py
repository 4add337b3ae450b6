"""How much telemetry one client may push, and whose pushes were refused of late."""

from collections import deque
from threading import Lock
from typing import Final

from aiops.ports.clock import Clock
from aiops.web.limits import RateLimit

LEAST_BYTES: Final = 4096
"""What a push counts as at least: many small ones are work, too."""
LATELY_S: Final = 600.0
_MOST_REMEMBERED: Final = 10_000


class PushLimit:
    """A minute's bytes for each client, refilled steadily. For many threads.

    Args:
        bytes_per_minute: as sent, so compressed ones where the client compresses.
    """

    def __init__(self, clock: Clock, bytes_per_minute: int) -> None:
        self._clock, self._most = clock, bytes_per_minute
        self._limit = RateLimit(clock, bytes_per_minute)
        self._refused: deque[tuple[float, str]] = deque(maxlen=_MOST_REMEMBERED)
        self._gate = Lock()

    def take(self, client: str, size: int) -> float:
        """Take a push of ``size`` bytes: 0, or seconds to wait where the allowance is used up."""
        wait_s = self._limit.take(client, max(size, LEAST_BYTES))
        if wait_s:
            with self._gate:
                self._refused.append((self._clock.stopwatch(), client))
        return wait_s

    @property
    def warning(self) -> str | None:
        """Who was refused within LATELY_S, how often, and what to do; None where nobody was."""
        since = self._clock.stopwatch() - LATELY_S
        with self._gate:
            while self._refused and self._refused[0][0] < since:
                self._refused.popleft()
            count, last = len(self._refused), next(reversed(self._refused), None)
        if last is None:
            return None
        return (
            f"{count:,} pushes of telemetry were refused in the last {LATELY_S / 60:.0f} min, the "
            f"last by {last[1]}: more than {self._most:,} bytes a minute of one client; reports "
            "may miss what its sender drops; send less, or raise web.telemetry_bytes_per_minute"
        )
