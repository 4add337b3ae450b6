"""A recorded incident as if it happened now, at any speed: what was recorded first comes first.

Recorded times are moved, and drawn together where the replay is quicker than the recording; what
was measured (latencies, durations) is left as it is. At speed 1 an investigation finds what it
would have found then; at higher speeds rates of counters and lags between services are as much
larger and shorter.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal, Protocol

import numpy as np

from aiops.errors import InvalidInput, InvalidWindow, SourceUnavailable
from aiops.ingest.otlp.encode import log_requests, metric_requests, span_requests
from aiops.model import LogTable, MetricTable, ServiceGraph, SpanTable, Trigger
from aiops.model.change import Change
from aiops.model.telemetry import FloatArray
from aiops.ports.clock import Clock
from aiops.ports.telemetry import (
    ChangeSource,
    GraphSource,
    LogSource,
    MetricSource,
    TraceSource,
    bounds,
)

_FIRST, _LAST = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
Signal = Literal["traces", "metrics", "logs"]


class Recorded(MetricSource, LogSource, TraceSource, ChangeSource, GraphSource, Protocol):
    """A recorded case behind the reading ports."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Which moment of a recording is now.

    Attributes:
        recorded: first moment of the recording, UTC.
        start_at: when that is replayed, UTC.
        speed: recorded seconds in a second.
    """

    recorded: datetime
    start_at: datetime
    speed: float = 1.0

    def __post_init__(self) -> None:
        if not 0.001 <= self.speed <= 1e6:
            raise InvalidInput(f"speed {self.speed:g}: give 0.001 to 1000000, 1 is as it was")

    def live(self, recorded: datetime) -> datetime:
        """When a recorded moment is replayed."""
        return self.start_at + (recorded - self.recorded) / self.speed

    def moment(self, live: datetime) -> datetime:
        """The recorded moment that is replayed then; what lies out of the calendar is its end."""
        try:
            return self.recorded + (live - self.start_at) * self.speed
        except OverflowError:
            return _LAST if live > self.start_at else _FIRST

    def live_times(self, recorded: FloatArray) -> FloatArray:
        """Unix seconds of recorded moments, when they are replayed."""
        passed = (recorded - self.recorded.timestamp()) / self.speed
        return np.asarray(self.start_at.timestamp() + passed, dtype=np.float64)


class Replay:
    """Every reading port over a recording, of which nothing after now is known yet.

    Args:
        recorded: what to read, on its own times.
        timeline: which moment of it is now.
        clock: tells what is now.
    """

    def __init__(self, recorded: Recorded, timeline: Timeline, clock: Clock) -> None:
        self._recorded, self.timeline, self.clock = recorded, timeline, clock

    def metrics(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> MetricTable:
        """See MetricSource; raises InvalidWindow, SourceUnavailable."""
        low, high = self._window(start, end)
        table = self._recorded.metrics(services, low, high)
        until = self._past(table.times)
        times = self.timeline.live_times(table.times[until])
        return replace(table, times=times, values=table.values[until])

    def logs(self, services: Sequence[str] | None, start: datetime, end: datetime) -> LogTable:
        """See LogSource; raises InvalidWindow, SourceUnavailable."""
        low, high = self._window(start, end)
        table = self._recorded.logs(services, low, high)
        seen = table.rows(self._past(table.times))
        return replace(seen, times=self.timeline.live_times(seen.times))

    def spans(self, services: Sequence[str] | None, start: datetime, end: datetime) -> SpanTable:
        """See TraceSource; raises InvalidWindow, SourceUnavailable. A span is known at its end."""
        low, high = self._window(start, end)
        table = self._recorded.spans(services, low, high)
        seen = table.rows(self._past(table.starts + table.durations))
        return replace(seen, starts=self.timeline.live_times(seen.starts))

    def ended(self, start: datetime, end: datetime) -> SpanTable:
        """The spans that ended in the window, on live times; raises SourceUnavailable."""
        low, high = self._window(start, end)
        first = min(self.timeline.recorded, low)
        table = self._recorded.spans(None, first, max(high, first + timedelta(microseconds=1)))
        ends = table.starts + table.durations
        seen = table.rows((ends >= low.timestamp()) & (ends < high.timestamp()))
        return replace(seen, starts=self.timeline.live_times(seen.starts))

    def changes(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> tuple[Change, ...]:
        """See ChangeSource; raises InvalidWindow, SourceUnavailable."""
        now = self._now()
        found = self._recorded.changes(services, *self._window(start, end))
        return tuple(replace(one, at=self.timeline.live(one.at)) for one in found if one.at <= now)

    def graph(self, at: datetime) -> ServiceGraph:
        """See GraphSource; raises InvalidWindow, SourceUnavailable."""
        if at.tzinfo is None:
            raise InvalidWindow(at, at)
        return self._recorded.graph(min(self.timeline.moment(at), self._now()))

    def _now(self) -> datetime:
        return self.timeline.moment(self.clock.now())

    def _past(self, times: FloatArray) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Which of these recorded times have come; lines of unknown time have."""
        return ~(times > self._now().timestamp())

    def _window(self, start: datetime, end: datetime) -> tuple[datetime, datetime]:
        bounds(start, end)
        low, high = self.timeline.moment(start), self.timeline.moment(end)
        return low, max(high, low + timedelta(microseconds=1))


def requests(replay: Replay, since: datetime, until: datetime) -> Iterator[tuple[Signal, bytes]]:
    """What becomes known from ``since`` to ``until`` as OTLP requests, signal by signal.

    What was never recorded is left out.

    Args:
        since, until: live times; ``until`` is not in the future of the replay's clock.
    """
    with suppress(SourceUnavailable):
        for body in metric_requests(replay.metrics(None, since, until)):
            yield "metrics", body
    with suppress(SourceUnavailable):
        for body in log_requests(replay.logs(None, since, until)):
            yield "logs", body
    with suppress(SourceUnavailable):
        for body in span_requests(replay.ended(since, until)):
            yield "traces", body


def alert(trigger: Trigger, case_id: str, at: datetime) -> bytes:
    """The alert of a recording as the generic webhook takes it; says nothing but what fired."""
    entity = trigger.entity
    labels = (
        {}
        if entity is None
        else {
            "service": entity.service_name,
            "namespace": entity.namespace,
            "cluster": entity.cluster,
        }
    )
    named = trigger.metric or (f"{entity.name} is in trouble" if entity else "Something is wrong")
    one = {
        "fingerprint": f"replay-{case_id}",
        "status": "firing",
        "name": named,
        "summary": trigger.statement or named,
        "starts_at": at.isoformat(),
        "labels": {name: value for name, value in labels.items() if value},
    }
    return json.dumps({"alerts": [one]}).encode()
