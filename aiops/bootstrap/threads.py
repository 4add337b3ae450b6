"""Threads that begin and end together."""

from collections.abc import Iterable
from threading import Event, Thread

from aiops.ports.clock import Clock


class Threads:
    """Some threads that go on until they are told to stop.

    Args:
        stop: tells them.
    """

    def __init__(self, threads: Iterable[Thread], stop: Event, clock: Clock) -> None:
        self._threads, self._stop, self._clock = tuple(threads), stop, clock

    def start(self) -> None:
        """Begin; returns at once."""
        for thread in self._threads:
            thread.start()

    def stands(self) -> bool:
        """Whether every thread goes on; one that fell over did so by a defect, and told of it."""
        return all(thread.is_alive() for thread in self._threads)

    def stop(self, patience_s: float = 3.0) -> None:
        """Let each end what it is at. A job that takes longer is done again after the next start.

        Args:
            patience_s: for all of them together.
        """
        self._stop.set()
        until = self._clock.stopwatch() + patience_s
        for thread in self._threads:
            thread.join(max(0.0, until - self._clock.stopwatch()))
