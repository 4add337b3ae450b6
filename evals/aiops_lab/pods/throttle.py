"""A CPU limit with the meaning of cfs quotas, kept by the process itself.

The kernel's profiling timer fires after a quota's worth of CPU was burnt (user and system, all
threads). Where that came sooner than a period, the process stands still until the period is over,
as cfs bandwidth control would have it. An idle process is never woken.
"""

from __future__ import annotations

import ctypes
import signal
import time
from dataclasses import dataclass

PERIOD_S = 0.1


@dataclass(slots=True)
class Throttle:
    """The limit and what it has cost so far; one a process, from the main thread.

    Attributes:
        cores: the limit.
        share: of it, what there is to have now.
        periods, throttled_s: times the limit was met, and seconds stood still for it.
    """

    cores: float
    periods: int = 0
    throttled_s: float = 0.0
    share: float = 1.0
    _wall: float = 0.0
    _burnt: float = 0.0

    def start(self) -> None:
        """Enforce from now on."""
        self._wall, self._burnt = time.monotonic(), time.process_time()
        signal.signal(signal.SIGPROF, self._quota_burnt)
        self._arm()

    def squeeze(self, share: float) -> None:
        """Leave only a share of the limit from now on; 1.0: all of it."""
        if share != self.share:
            self.share = share
            self._arm()

    def _arm(self) -> None:
        quota = self.cores * self.share * PERIOD_S
        signal.setitimer(signal.ITIMER_PROF, quota, quota)

    def _quota_burnt(self, _signal: int, _frame: object) -> None:
        now, burnt = time.monotonic(), time.process_time()
        owed = (burnt - self._burnt) / (self.cores * self.share) - (now - self._wall)
        if owed > 0:
            self.periods += 1
            self._stand_still(now + owed)
            self.throttled_s += time.monotonic() - now
        # What other threads burnt until they stood still counts towards the next quota.
        self._wall, self._burnt = time.monotonic(), burnt

    @staticmethod
    def _stand_still(until: float) -> None:
        # Called through PyDLL the interpreter lock stays held, so no thread of ours runs on.
        usleep = ctypes.PyDLL(None).usleep
        while (left := until - time.monotonic()) > 0:
            usleep(min(int(left * 1e6) + 1, 500_000))
