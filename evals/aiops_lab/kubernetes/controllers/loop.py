"""Runs the controllers: a change queues what it touches, one thread looks at each in turn."""

import heapq
import threading
from collections import deque
from collections.abc import Iterable
from typing import Protocol

from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.store import Change

Name = tuple[str, str]
"""(namespace, name) of the object a controller looks at."""


class Controller(Protocol):
    """Makes one kind of thing be as wanted.

    Attributes:
        locks: whether it looks while nothing else writes; False for slow work.
    """

    locks: bool

    def touched(self, change: Change) -> Iterable[Name]:
        """What to look at after a change."""
        ...

    def reconcile(self, name: Name) -> float | None:
        """Look at one thing now; returns after how many seconds to look again, if at all."""
        ...


class Loop:
    """A work queue over controllers; a thing queued twice is looked at once."""

    def __init__(self, cluster: Cluster, controllers: Iterable[Controller]) -> None:
        self._cluster = cluster
        self._controllers = tuple(controllers)
        self._queue: deque[tuple[int, Name]] = deque()
        self._queued: set[tuple[int, Name]] = set()
        self._later: list[tuple[float, int, Name]] = []
        self._due: dict[tuple[int, Name], float] = {}
        self._ready = threading.Condition()
        self._stopped = False
        self._thread: threading.Thread | None = None
        cluster.store.listen(self._changed, since=0)

    def _changed(self, change: Change) -> None:
        for number, controller in enumerate(self._controllers):
            for name in controller.touched(change):
                self._push(number, name)

    def _push(self, number: int, name: Name) -> None:
        with self._ready:
            if (number, name) not in self._queued:
                self._queued.add((number, name))
                self._queue.append((number, name))
                self._ready.notify()

    def look(self, controller: Controller, name: Name) -> None:
        """Let a controller look at something though nothing in the store changed."""
        self._push(self._controllers.index(controller), name)

    def _look_later(self, number: int, name: Name, after_s: float) -> None:
        at = self._cluster.clock.stopwatch() + after_s
        with self._ready:
            if self._due.get((number, name), float("inf")) > at:
                self._due[number, name] = at
                heapq.heappush(self._later, (at, number, name))
                self._ready.notify()

    def _wake(self) -> float | None:
        """Queue what has become due; returns the seconds until the next, if any."""
        with self._ready:
            now = self._cluster.clock.stopwatch()
            while self._later and self._later[0][0] <= now:
                at, number, name = heapq.heappop(self._later)
                if self._due.get((number, name)) == at:
                    del self._due[number, name]
                    self._push(number, name)
            return self._later[0][0] - now if self._later else None

    def _take(self) -> tuple[int, Name] | None:
        with self._ready:
            if not self._queue:
                return None
            taken = self._queue.popleft()
            self._queued.discard(taken)
            return taken

    def _step(self) -> bool:
        taken = self._take()
        if taken is None:
            return False
        number, name = taken
        controller = self._controllers[number]
        if controller.locks:
            with self._cluster.store.lock:
                again = controller.reconcile(name)
        else:
            again = controller.reconcile(name)
        if again is not None:
            self._look_later(number, name, again)
        return True

    def settle(self, most: int = 100_000) -> None:
        """Work until nothing is queued or due; for callers without the thread.

        Raises:
            RuntimeError: it does not come to rest within `most` steps.
        """
        for _ in range(most):
            self._wake()
            if not self._step():
                return
        raise RuntimeError(f"the controllers did not come to rest in {most} steps")

    def start(self) -> None:
        """Work in a thread until `stop`."""
        self._thread = threading.Thread(target=self._run, name="controllers", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while True:
            wait_s = self._wake()
            if self._step():
                continue
            with self._ready:
                if self._stopped:
                    return
                if not self._queue:
                    self._ready.wait(wait_s)

    def stop(self) -> None:
        """End the thread; what is queued stays undone."""
        with self._ready:
            self._stopped = True
            self._queue.clear()
            self._ready.notify_all()
        if self._thread is not None:
            self._thread.join()
