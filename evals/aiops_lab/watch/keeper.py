"""Keeps programs running beside a lab, from ``open`` to ``close``."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from aiops.errors import AiopsError
from aiops_lab.status import ProgramStatus

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

LOOK_S = 0.2
READY_S = 60.0
END_S = 5.0
FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.5, 20.0
_ASK_S = 2.0
_TAIL = 400


class ProgramFailed(AiopsError):
    """A program did not come up; the text says which, its last words, and where its log is."""


@dataclass(frozen=True, slots=True)
class Program:
    """What to run.

    Attributes:
        command: with the absolute path of the program.
        url: where people find it; ready: the path below it that answers 200 when it is up.
        folder: it stands in; its output goes to ``<name>.log`` there.
    """

    name: str
    command: tuple[str, ...]
    url: str
    ready: str
    folder: Path
    environment: Mapping[str, str]

    @property
    def log(self) -> Path:
        """Its output."""
        return self.folder / f"{self.name}.log"


class Keeper:
    """Starts programs, starts again what ends, and ends them all.

    They are started by one thread that lives until ``close``: the kernel's death signal, by which
    they end with a lab that is killed, follows the thread that forked.
    """

    def __init__(self, programs: Sequence[Program]) -> None:
        self._kept = tuple(map(_Kept, programs))
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="lab-programs", daemon=True)

    def open(self) -> None:
        """Start them; not yet ready."""
        self._thread.start()

    def wait_ready(
        self, timeout_s: float = READY_S, stopped: Callable[[], bool] = lambda: False
    ) -> None:
        """Return when every program answers, or ``stopped`` says that nobody waits.

        Raises:
            ProgramFailed: one does not in time.
        """
        end = time.monotonic() + timeout_s
        while (late := [one for one in self._kept if not one.ready]) and not stopped():
            if time.monotonic() > end:
                program = late[0].program
                raise ProgramFailed(
                    f"{program.name} did not come up in {timeout_s:g} s"
                    f"{_last_words(program.log)}; its log is {program.log}"
                )
            time.sleep(LOOK_S)

    def status(self) -> tuple[ProgramStatus, ...]:
        """How each is now."""
        return tuple(
            ProgramStatus(one.program.name, one.program.url, one.ready, one.restarts)
            for one in self._kept
        )

    def pids(self) -> list[int]:
        """Those that run."""
        return [one.process.pid for one in self._kept if one.process is not None]

    def close(self) -> None:
        """End them, the last one first; what does not end in time is killed."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _keep(self) -> None:
        try:
            while not self._over.wait(LOOK_S):
                for one in self._kept:
                    one.look(time.monotonic())
        finally:
            for one in reversed(self._kept):
                one.tell_to_end()
            end = time.monotonic() + END_S
            for one in reversed(self._kept):
                one.end(end - time.monotonic())


class _Kept:
    """One program's process; used by the keeper's thread alone, but for what it says of itself."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.process: subprocess.Popen[bytes] | None = None
        self.ready = False
        self.restarts = -1
        self._backoff, self._again = FIRST_BACKOFF_S, 0.0

    def look(self, now: float) -> None:
        if self.process is not None and self.process.poll() is not None:
            self.process, self.ready = None, False
            self._again = now + self._backoff
            self._backoff = min(2 * self._backoff, LONGEST_BACKOFF_S)
        if self.process is None:
            if now >= self._again:
                self._start()
        elif not self.ready and _answers(self.program.url + self.program.ready):
            self.ready, self._backoff = True, FIRST_BACKOFF_S

    def _start(self) -> None:
        program = self.program
        # A full disk takes no log; the program must run all the same.
        output = subprocess.DEVNULL
        with suppress(OSError):
            output = os.open(program.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        try:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "aiops_lab.watch.tied", str(os.getpid()), *program.command],
                cwd=program.folder,
                env=dict(program.environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is the lab's to carry out, in order
            )
        except OSError:  # no memory or no processes left now
            self._again = time.monotonic() + self._backoff
            return
        finally:
            if output >= 0:
                os.close(output)
        self.restarts += 1

    def tell_to_end(self) -> None:
        if self.process is not None:
            self.process.terminate()

    def end(self, patience_s: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(patience_s, LOOK_S))
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        self.process, self.ready = None, False


def _answers(url: str) -> bool:
    where = urlsplit(url)
    connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=_ASK_S)
    try:
        connection.request("GET", where.path)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _last_words(log: Path) -> str:
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return ""
    return f" ({lines[-1][-_TAIL:]})" if lines else ""
