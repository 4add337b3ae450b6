"""What the service does beside answering requests, each in a process of its own.

Taking alerts in and investigating keep a core busy in a storm. In one process, requests would wait
for the interpreter's lock; so would each row that is written while the database is locked.
"""

import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import Event, Thread
from typing import Final, Protocol

import structlog

from aiops.bootstrap.durable import durable
from aiops.bootstrap.loading import settle
from aiops.bootstrap.service import Service
from aiops.errors import AiopsError, InvalidInput
from aiops.jobs.loops import FIRST_BACKOFF_S, LONGEST_BACKOFF_S, Heartbeats
from aiops.ports.clock import Clock
from aiops.settings import Settings

BEAT_S: Final = 1.0
"""How often it says how its loops are."""
_SPAWN: Final = get_context("spawn")


class Duty(Protocol):
    """Threads that do something."""

    def start(self) -> None:
        """Begin; returns at once."""

    def stands(self) -> bool:
        """Whether all of them go on."""

    def stop(self) -> None:
        """End, soon."""


class CannotStart(AiopsError):
    """A process does not come up; the message says why."""


@dataclass(frozen=True, slots=True)
class _Failed:
    """It cannot come up.

    Attributes:
        invalid: because of what was set.
    """

    reason: str
    invalid: bool


_Loops = dict[str, float]
"""By how many seconds each loop is late; the first word of it is that all began."""


class Apart:
    """A process that does its duty on the database of ``settings``, started again if it dies.

    It ends when told to, and by itself when this process is gone. Signals to stop, which a terminal
    and a supervisor send to both, it leaves to this process.

    Args:
        name: what people know it by.
        duty: makes what it does, from the service and the heartbeats; to be found by its name.
        prepare: called first in it, such as to set up its log; to be found by its name.
    """

    def __init__(
        self,
        name: str,
        settings: Settings,
        clock: Clock,
        *,
        duty: Callable[[Service, Heartbeats], Duty],
        prepare: Callable[[], None],
    ) -> None:
        self._name, self._clock, self._arguments = name, clock, (name, settings, duty, prepare)
        self._ending = Event()
        self._loops: _Loops = {}
        self._heard_at = clock.stopwatch()
        self._watcher = Thread(target=self._watch, name=name, daemon=True)

    def start(self) -> None:
        """Begin; returns at once."""
        self._spawn()

    def come_up(self) -> None:
        """Returns once it does its duty; raises InvalidInput, CannotStart."""
        self._come_up()
        self._watcher.start()

    def overdue(self) -> Mapping[str, float]:
        """By how many seconds each loop and the process is late; what is silent is late, too."""
        silent = max(0.0, self._clock.stopwatch() - self._heard_at - 2 * BEAT_S)
        return {self._name: silent} | {each: late + silent for each, late in self._loops.items()}

    def end(self) -> None:
        """Tell it to end, and do not wait for that."""
        self._ending.set()
        with suppress(OSError):  # it has ended already
            self._pipe.send(None)

    def stop(self, patience_s: float) -> None:
        """Tell it to end; what does not is killed. What it was at is done after the next start."""
        self.end()
        self._process.join(patience_s)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def _spawn(self) -> None:
        self._pipe, theirs = _SPAWN.Pipe()
        self._process = _SPAWN.Process(
            target=_process, args=(theirs, *self._arguments), name=self._name, daemon=True
        )
        self._process.start()
        theirs.close()

    def _come_up(self) -> None:
        try:
            self._hear()
        except (EOFError, OSError) as error:
            reason = f"the process of {self._name!r} ended while it came up; see the log"
            raise CannotStart(reason) from error

    def _hear(self) -> None:
        """Wait for its next word; raises EOFError, InvalidInput, CannotStart."""
        said: _Loops | _Failed = self._pipe.recv()
        if isinstance(said, _Failed):
            raise (InvalidInput if said.invalid else CannotStart)(said.reason)
        self._loops, self._heard_at = said, self._clock.stopwatch()

    def _watch(self) -> None:
        log, backoff = structlog.get_logger("aiops.background"), FIRST_BACKOFF_S
        while not self._ending.is_set():
            try:
                self._hear()
                backoff = FIRST_BACKOFF_S
            except (EOFError, OSError, AiopsError):
                if self._ending.wait(backoff):
                    break
                log.error(f"{self._name} ended, started again", exitcode=self._process.exitcode)
                backoff = min(2 * backoff, LONGEST_BACKOFF_S)
                self._again(log)

    def _again(self, log: structlog.stdlib.BoundLogger) -> None:
        self._process.kill()
        self._process.join()
        try:
            self._spawn()
            self._come_up()
        except AiopsError as error:
            log.error(f"{self._name} does not come up", error=str(error))


def _process(
    pipe: Connection,
    name: str,
    settings: Settings,
    duty: Callable[[Service, Heartbeats], Duty],
    prepare: Callable[[], None],
) -> None:
    """Runs until it is told to end or nobody is left to tell it."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    prepare()
    try:
        with durable(settings, application=f"aiops {name}") as service:
            heartbeats = Heartbeats(service.clock)
            does = duty(service, heartbeats)
            does.start()
            settle()
            pipe.send(dict(heartbeats.overdue()))
            while does.stands() and not pipe.poll(BEAT_S):
                pipe.send(dict(heartbeats.overdue()))
            does.stop()
    except AiopsError as error:
        pipe.send(_Failed(str(error), isinstance(error, InvalidInput)))
    except OSError:
        pass  # whoever started it is gone
    os._exit(0)  # a read that hangs in some thread would otherwise be waited for
