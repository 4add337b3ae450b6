"""A recording as the one source of telemetry that a service has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiops.bootstrap.recorded import RecordedSource
from aiops.errors import SourceUnavailable
from aiops.ingest.replay import Timeline
from aiops.ports.telemetry import bounds

if TYPE_CHECKING:
    from datetime import datetime

    from aiops.model import CaseData, RecordedOutput
    from aiops.ports.clock import Clock

NAME = "recording"


class Recording(RecordedSource):
    """A RecordedSource at the recording's own times, and so with the cluster's state, too.

    Args:
        clock: tells the recording's time; what is later has not happened yet.
    """

    def __init__(self, case: CaseData, clock: Clock) -> None:
        start = case.window.start
        super().__init__(NAME, case, Timeline(start, start), clock)
        self._state = case.window.cluster_state

    def state(self, start: datetime, end: datetime) -> tuple[RecordedOutput, ...]:
        """See StateSource: the one snapshot of the recording, whatever the window."""
        bounds(start, end)
        if not self._state:
            raise SourceUnavailable(NAME, "no state of the cluster was recorded")
        return self._state
