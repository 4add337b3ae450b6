"""A process with its children and theirs: what they take, and their end. Linux: it reads /proc."""

import contextlib
import os
import signal
from collections.abc import Iterable, Iterator
from pathlib import Path


def family(pid: int) -> Iterator[int]:
    """A process, its children and theirs, whichever of its threads started them."""
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        yield one
        for listed in Path(f"/proc/{one}/task").glob("*/children"):
            with contextlib.suppress(OSError):  # it ended meanwhile
                waiting += [int(child) for child in listed.read_text().split()]


def resident_bytes(pids: Iterable[int]) -> int:
    """Memory of processes; what they share is counted for each."""
    pages = 0
    for one in pids:
        with contextlib.suppress(OSError, IndexError):
            pages += int(Path(f"/proc/{one}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def processor_s(pids: Iterable[int]) -> float:
    """Processor time that processes took so far, their ended children's included."""
    ticks = 0
    for one in pids:
        with contextlib.suppress(OSError, IndexError):
            # The command's name may hold spaces and brackets; the fields start after the last.
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def kill(leader: int) -> None:
    """End a process, its session, and those of its children that left the session."""
    for one in list(family(leader)):
        if one != leader:
            with contextlib.suppress(ProcessLookupError):
                os.kill(one, signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)
