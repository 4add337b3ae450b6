"""Begins a command within limits; run as a program, by path, before anything else is imported.

    python -I -S apart_start.py PARENT MEMORY CPU_S FILE_BYTES PROCESSES COMMAND...

The limits are set here, in the new process, and not between fork and exec of the caller, which has
threads. Root keeps its name and nothing else: of its capabilities only that to read files is left.
"""

import ctypes
import os
import resource
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_CAPBSET_DROP, _PR_SET_NO_NEW_PRIVS = 1, 24, 38
_CAPABILITIES, _CAP_DAC_READ_SEARCH = 64, 2


def main(arguments: list[str]) -> None:
    """Set the limits, then become the command."""
    parent, memory, cpu_s, file_bytes, processes = (int(one) for one in arguments[:5])
    libc = ctypes.CDLL(None)
    for capability in set(range(_CAPABILITIES)) - {_CAP_DAC_READ_SEARCH}:
        libc.prctl(_PR_CAPBSET_DROP, capability, 0, 0, 0)  # refused to all but root, who needs it
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    if os.getppid() != parent:  # it died before it was heard
        return
    _limit(resource.RLIMIT_DATA, memory)
    _limit(resource.RLIMIT_AS, memory * 4)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))
    _limit(resource.RLIMIT_FSIZE, file_bytes)
    _limit(resource.RLIMIT_NOFILE, 256)
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_NPROC, _tasks(os.getuid()) + processes)
    os.execvp(arguments[5], arguments[5:])  # noqa: S606 - this is what it is for; no shell


def _limit(which: int, most: int) -> None:
    _, hard = resource.getrlimit(which)
    bound = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(which, (bound, bound))


def _tasks(user: int) -> int:
    """Threads that this user has already: the kernel counts them all."""
    count = 0
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if folder.stat().st_uid == user:
                count += sum(1 for _ in (folder / "task").iterdir())
        except OSError:
            continue  # it ended meanwhile
    return count


if __name__ == "__main__":
    main(sys.argv[1:])
