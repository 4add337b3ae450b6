"""The processes beside the one that answers requests: one keeps watch, one does the jobs."""

from collections.abc import Callable, Mapping
from functools import partial

from aiops.bootstrap.apart import Apart
from aiops.bootstrap.background import Background
from aiops.bootstrap.service import Service
from aiops.bootstrap.working import Working
from aiops.jobs.loops import Heartbeats
from aiops.ports.clock import Clock
from aiops.settings import Settings


class Beside:
    """Both of them, as one.

    Args:
        at_once: how many investigations are done at once; 0: none, others do the jobs.
        prepare: called first in each, such as to set up its log; to be found by its name.
    """

    def __init__(
        self, settings: Settings, clock: Clock, *, at_once: int, prepare: Callable[[], None]
    ) -> None:
        self._clock = clock
        self._all = [Apart("background", settings, clock, duty=Background, prepare=prepare)]
        if at_once:
            duty = partial(_working, at_once)
            self._all.append(Apart("work", settings, clock, duty=duty, prepare=prepare))

    def start(self) -> None:
        """Returns once each does its duty; raises InvalidInput, CannotStart."""
        for each in self._all:
            each.start()
        for each in self._all:
            each.come_up()

    def overdue(self) -> Mapping[str, float]:
        """By how many seconds each loop and each process is late."""
        return {name: late for each in self._all for name, late in each.overdue().items()}

    def end(self) -> None:
        """Tell them to end, and do not wait for that."""
        for each in self._all:
            each.end()

    def stop(self, patience_s: float = 4.0) -> None:
        """Tell them to end; what does not is killed, and what it was at done after a start.

        Args:
            patience_s: for all of them together.
        """
        self.end()
        until = self._clock.stopwatch() + patience_s
        for each in self._all:
            each.stop(max(0.0, until - self._clock.stopwatch()))


def _working(at_once: int, service: Service, heartbeats: Heartbeats) -> Working:
    del heartbeats  # a job may take its time; that it stands still is seen by its lease
    return Working(service, at_once=at_once)
