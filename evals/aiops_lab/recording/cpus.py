"""How busy the CPUs are that this process may run on."""

from __future__ import annotations

import os
from collections import deque
from pathlib import Path

OVER = 5
_STAT = Path("/proc/stat")


class Cpus:
    """Looked at once a second; ``busiest`` is the highest average of OVER looks."""

    def __init__(self) -> None:
        self._mine = {f"cpu{number}" for number in os.sched_getaffinity(0)}
        self._last: deque[tuple[float, float]] = deque(maxlen=OVER + 1)
        self.busiest = 0.0

    def look(self) -> None:
        """Look now."""
        self._last.append(busy_and_all(_STAT.read_text(encoding="ascii"), self._mine))
        (busy, total), (now_busy, now_total) = self._last[0], self._last[-1]
        if len(self._last) > OVER and now_total > total:
            self.busiest = max(self.busiest, (now_busy - busy) / (now_total - total))


def busy_and_all(stat: str, cpus: set[str]) -> tuple[float, float]:
    """Ticks that some CPUs worked, and all of their ticks, in a /proc/stat."""
    busy = total = 0.0
    for line in stat.splitlines():
        name, *fields = line.split()
        if name in cpus:
            # user nice system idle iowait irq softirq steal; guests are in user already.
            ticks = [float(field) for field in fields[:8]]
            total += sum(ticks)
            busy += sum(ticks) - ticks[3] - ticks[4]
    return busy, total
