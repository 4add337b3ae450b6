"""What is remembered, in this process: the twin of the SQL one."""

from dataclasses import replace
from datetime import datetime
from threading import Lock

from aiops.errors import AlreadyKept, NotKept
from aiops.model.memory import Cue, PastIncident, Routine


class MemoryMemories:
    """A Memory; see ``ports.memory``. Safe for many threads."""

    def __init__(self) -> None:
        self._past: dict[str, PastIncident] = {}
        self._routines: dict[Cue, Routine] = {}
        self._lock = Lock()

    def remember(self, past: PastIncident) -> None:
        """Keep it; raises AlreadyKept."""
        with self._lock:
            if self._past.setdefault(past.id, past) != past:
                raise AlreadyKept("past incident", past.id)

    def get(self, past_id: str) -> PastIncident:
        """The one with this id; raises NotKept."""
        with self._lock:
            if past_id not in self._past:
                raise NotKept("past incident", past_id)
            return self._past[past_id]

    def newest(self, *, limit: int = 1000) -> tuple[PastIncident, ...]:
        """Those that ended last, newest first."""
        with self._lock:
            found = list(self._past.values())
        return tuple(sorted(found, key=lambda each: (each.at, each.id), reverse=True)[:limit])

    def revise(self, was: PastIncident, to: PastIncident) -> bool:
        """Compare and swap."""
        if was.id != to.id:
            raise ValueError(f"past incident {to.id} cannot stand for {was.id}")
        with self._lock:
            kept = self._past.get(was.id)
            if kept is None or kept.revision != was.revision:
                return False
            self._past[was.id] = replace(to, revision=was.revision + 1)
        return True

    def routine(self, cue: Cue) -> Routine | None:
        """What is known to help then."""
        with self._lock:
            return self._routines.get(cue)

    def learn(self, was: Routine | None, to: Routine) -> bool:
        """Compare and swap, or be the first."""
        if was is not None and was.cue != to.cue:
            raise ValueError(f"a routine for {to.cue.key} cannot stand for one for {was.cue.key}")
        with self._lock:
            kept = self._routines.get(to.cue)
            if (kept and kept.revision) != (was and was.revision):
                return False
            revision = 0 if was is None else was.revision + 1
            self._routines[to.cue] = replace(to, revision=revision)
        return True

    def forget(self, before: datetime) -> int:
        """Forget what is older."""
        with self._lock:
            past = [each.id for each in self._past.values() if each.at < before]
            routines = [each.cue for each in self._routines.values() if each.used_at < before]
            for past_id in past:
                del self._past[past_id]
            for cue in routines:
                del self._routines[cue]
        return len(past) + len(routines)
