"""The ingestor "recorded": a recorded case replayed as a source of live telemetry.

[sources.replay]
kind = "recorded"
case = "DATASET:CASE"
speed = 10
start_at = 2026-05-20T14:00:00Z      # without it, now
data = "FOLDER"                      # of the data sets; without it, as set
"""

from collections.abc import Mapping
from datetime import UTC, timedelta
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict

from aiops import settings
from aiops.app import cases
from aiops.errors import SourceUnavailable
from aiops.ingest.options import read
from aiops.ingest.replay import Replay, Timeline
from aiops.model import CaseData
from aiops.ports.cases import CaseHints
from aiops.ports.clock import Clock
from aiops.store.clock import SystemClock
from aiops.store.recorded import RecordedTelemetry


class RecordedOptions(BaseModel):
    """What ``[sources.<name>]`` of kind "recorded" takes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    case: str
    speed: float = 1.0
    start_at: AwareDatetime | None = None
    data: Path | None = None


class RecordedSource(Replay):
    """An Ingestor, and every kind of source."""

    def __init__(self, name: str, case: CaseData, timeline: Timeline, clock: Clock) -> None:
        super().__init__(RecordedTelemetry(case, case.window.changes), timeline, clock)
        self.name, self._ends = name, timeline.live(case.window.end)

    @classmethod
    def connect(cls, name: str, options: Mapping[str, object]) -> "RecordedSource":
        """See Ingestor; reads the case. Raises InvalidInput."""
        given = read(RecordedOptions, name, options)
        clock = SystemClock()
        root = given.data or settings.load().datasets
        case = cases.load(given.case, root, CaseHints())
        start = given.start_at or clock.now()
        return cls(
            name, case, Timeline(case.window.start, start.astimezone(UTC), given.speed), clock
        )

    def check(self) -> str:
        """See Ingestor."""
        start, now = self.timeline.start_at, self.clock.now()
        try:
            table = self.metrics(None, start, max(now, start + timedelta(seconds=1)))
            seen = f"{len(table.series)} series, {len(table.times)} rows of them so far"
        except SourceUnavailable as none:
            seen = str(none)
        return f"replays {start:%Y-%m-%d %H:%M:%S} to {self._ends:%Y-%m-%d %H:%M:%S} UTC; {seen}"

    def close(self) -> None:
        """See Ingestor."""
