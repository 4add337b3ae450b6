"""What a process uses of CPU and memory, from /proc."""

from __future__ import annotations

import os
import resource
from pathlib import Path

_PAGE = resource.getpagesize()
_TICKS = os.sysconf("SC_CLK_TCK")
CPU_EVERY_S = 1.0


class Usage:
    """One process: ``cores`` over the last second, ``resident`` bytes at the last look."""

    def __init__(self, pid: int) -> None:
        self._statm, self._stat = Path(f"/proc/{pid}/statm"), Path(f"/proc/{pid}/stat")
        self._at, self._ticks = 0.0, 0
        self.cores, self.resident = 0.0, 0

    def look(self, now: float) -> None:
        """Read it; a process that is gone keeps its last numbers."""
        try:
            self.resident = int(self._statm.read_bytes().split()[1]) * _PAGE
            if now - self._at < CPU_EVERY_S:
                return
            # The command's name may hold spaces and brackets; the fields start after the last.
            fields = self._stat.read_bytes().rpartition(b")")[2].split()
        except (OSError, IndexError):
            return
        ticks = int(fields[11]) + int(fields[12])
        if self._at:
            self.cores = (ticks - self._ticks) / _TICKS / (now - self._at)
        self._at, self._ticks = now, ticks
