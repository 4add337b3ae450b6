"""Retention: one round of forgetting what is older than it has to be kept."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import structlog

from aiops.model.incident import IncidentQuery
from aiops.ports.clock import Clock
from aiops.ports.incidents import IncidentRepo
from aiops.ports.jobs import JobQueue
from aiops.settings import Settings
from aiops.store.ids import since

if TYPE_CHECKING:
    from aiops.store.sql.engine import Engine

EVERY_S: Final = 3600.0
SET_FORWARD: Final = timedelta(hours=1)
"""By less a clock that was asleep is corrected."""
_PAGE: Final = 500


class Forgetting:
    """What is older than the settings say; telemetry around open incidents stays."""

    def __init__(
        self,
        engine: "Engine",
        incidents: IncidentRepo,
        queue: JobQueue,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._engine, self._incidents, self._queue, self._clock = engine, incidents, queue, clock
        self._kept, self._window = settings.retention, settings.window
        self._last: tuple[datetime, float] | None = None

    def __call__(self) -> float:
        """Forget; returns when to do it again, seconds. Raises StoreUnavailable."""
        from aiops.store.sql.memories import SqlMemories
        from aiops.store.sql.pruning import (
            prune_actions,
            prune_events,
            prune_incidents,
            prune_progress,
        )
        from aiops.store.sql.retention import prune
        from aiops.store.sql.threads import SqlThreads

        now = self._clock.now()
        if self._was_set_forward(now):
            structlog.get_logger("aiops.retention").warning(
                "the clock was set forward: nothing is forgotten for an hour", now=now.isoformat()
            )
            return EVERY_S
        if self._kept.telemetry_days:
            before = now - timedelta(days=self._kept.telemetry_days)
            prune(self._engine, before, tuple(self._looked_at(before)))
        if self._kept.incidents_days:
            before = now - timedelta(days=self._kept.incidents_days)
            prune_incidents(self._engine, before)
            prune_actions(self._engine, before, since("apr", before))
            self._queue.forget(before)
            SqlMemories(self._engine).forget(before)
            SqlThreads(self._engine).forget(before)
        if self._kept.events_days:
            before = now - timedelta(days=self._kept.events_days)
            prune_events(self._engine, before)
            prune_progress(self._engine, before)
        return EVERY_S

    def _was_set_forward(self, now: datetime) -> bool:
        """Whether the clock went far ahead of the time that passed since the last round.

        By a clock that is wrong for a moment, everything would be old. One that is still there
        after another round is believed.
        """
        last, watch = self._last, self._clock.stopwatch()
        self._last = now, watch
        return last is not None and now - last[0] > timedelta(seconds=watch - last[1]) + SET_FORWARD

    def _looked_at(self, before: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The windows of open incidents that began before then."""
        last = None
        while True:
            query = IncidentQuery(("triggered", "acknowledged"), before=last, limit=_PAGE)
            page = self._incidents.find(query)
            for each in page:
                if each.opened_at < before:
                    start = each.opened_at - timedelta(seconds=self._window.before_s)
                    yield start, each.opened_at + timedelta(seconds=self._window.after_s + 1)
            if len(page) < _PAGE:
                return
            last = page[-1].id
