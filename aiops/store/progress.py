"""What investigations do, kept in memory."""

from collections import deque
from collections.abc import Sequence
from itertools import islice
from threading import Lock

from aiops.model.progress import Progress, events_of
from aiops.model.run import Moment
from aiops.ports.events import EventBus


class MemoryProgress:
    """A ProgressRepo; see ``ports.progress``.

    Args:
        keep: how many of the newest moments can be read again.
    """

    def __init__(self, events: EventBus, *, keep: int = 20_000) -> None:
        self._events, self._lock = events, Lock()
        self._kept: deque[Progress] = deque(maxlen=keep)
        self._last = 0

    def add(self, about: str, moments: Sequence[Moment]) -> None:
        """Number them, keep them and tell of them."""
        if not moments:
            return
        with self._lock:
            for moment in moments:
                self._last += 1
                self._kept.append(Progress(self._last, about, moment))
        for kind in events_of(moments):
            self._events.publish(kind, about)

    def after(self, about: str, number: int, *, limit: int = 500) -> tuple[Progress, ...]:
        """Those above ``number``."""
        with self._lock:
            found = (each for each in self._kept if each.number > number and each.about == about)
            return tuple(islice(found, limit))

    def newest(self, about: str, *, limit: int = 200) -> tuple[Progress, ...]:
        """The last ones of the latest run."""
        return self._latest(about)[-limit:]

    def before_latest(self, about: str) -> int:
        """One below its first."""
        latest = self._latest(about)
        return latest[0].number - 1 if latest else 0

    def _latest(self, about: str) -> tuple[Progress, ...]:
        with self._lock:
            found = [each for each in self._kept if each.about == about]
        return tuple(each for each in found if each.moment.run == found[-1].moment.run)
