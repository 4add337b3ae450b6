"""Rounds done again and again in the background, and whether they come round."""

from collections.abc import Callable, Mapping
from threading import Event
from typing import Final

import structlog

from aiops.errors import AiopsError, StoreUnavailable
from aiops.jobs.attempts import described, tried
from aiops.ports.clock import Clock

FIRST_BACKOFF_S: Final = 1.0
LONGEST_BACKOFF_S: Final = 30.0
Tick = Callable[[], float | None]
"""Does one round; says how long to wait for the next, in seconds, where that differs."""


class Heartbeats:
    """Whether each loop comes round when it should; read by /readyz from other threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._due: dict[str, float] = {}

    def beat(self, loop: str, pause_s: float) -> None:
        """The loop came round, and will again after ``pause_s`` seconds."""
        self._due[loop] = self._clock.stopwatch() + pause_s

    def overdue(self) -> Mapping[str, float]:
        """By how many seconds each loop is late; 0 where it is not."""
        now = self._clock.stopwatch()
        return {loop: max(0.0, now - due) for loop, due in self._due.copy().items()}


def every(interval_s: float, tick: Tick, stop: Event, *, name: str, heartbeats: Heartbeats) -> None:
    """Do ``tick`` again and again until ``stop`` is set.

    A round that fails, of whatever it fails, is repeated after a pause that doubles, and gives no
    heartbeat. A store that does not answer is said once, when it goes and when it is back.
    """
    log = structlog.get_logger("aiops.loops").bind(loop=name)
    backoff = FIRST_BACKOFF_S
    said: str | None = None
    while not stop.is_set():
        pause, failure = tried(tick)
        if failure is None:
            if said is not None:
                log.info("loop comes round again")
            said, backoff = None, FIRST_BACKOFF_S
            wait = interval_s if pause is None else pause
            heartbeats.beat(name, wait)
        elif not isinstance(failure, Exception):
            raise failure
        else:
            wait, backoff = backoff, min(2 * backoff, LONGEST_BACKOFF_S)
            error = described(failure)
            if error != said or not isinstance(failure, StoreUnavailable):
                defect = None if isinstance(failure, AiopsError) else failure
                log.error("loop failed", error=error, again_in_s=wait, exc_info=defect)
            said = error
        stop.wait(wait)
