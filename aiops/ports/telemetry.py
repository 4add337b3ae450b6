"""The doors for telemetry: six to read it by, and a store that is read by the first five.

A source may also be a ServiceSource, which names services by where they run, or ServiceNames, which
names all.

What holds for every reader:

- A window is half-open, ``start <= t < end``, and its bounds carry a time zone; all times in the
  answer are unix seconds (UTC).
- ``services`` picks by the service an entity belongs to; None takes all, and a name that the
  source does not know adds nothing.
- Gaps are data. Where the source has no sample the answer has NaN or no row, and where it has
  nothing at all the answer is an empty table.
- Half an answer is no answer. A source that breaks off, is not reachable, or never recorded that
  kind of telemetry raises SourceUnavailable, so that a report can say what nobody looked at. Where
  single metrics or stretches of time are out of reach or over a stated cap, the rest is answered
  and ``notes`` of the table name what is missing.
- Reading changes nothing, and the arrays of an answer may be shared: never write to them.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from aiops.errors import InvalidWindow
from aiops.model import (
    LogTable,
    MetricTable,
    RecordedOutput,
    ServiceGraph,
    SpanTable,
    TelemetryWindow,
)
from aiops.model.change import Change


@runtime_checkable
class MetricSource(Protocol):
    """Reads metrics."""

    def metrics(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> MetricTable:
        """The samples in the window, rows ascending in time, in the units of the source.

        Rows and columns without a sample may be there; no column name stands twice.

        Raises:
            InvalidWindow: a bound has no time zone, or the end is not after the start.
            SourceUnavailable: the source cannot answer.
        """
        ...


@runtime_checkable
class LogSource(Protocol):
    """Reads log lines."""

    def logs(self, services: Sequence[str] | None, start: datetime, end: datetime) -> LogTable:
        """The lines in the window, ascending in time; equal lines stand as often as written.

        Lines of unknown time (NaN) come last: nothing says that they are outside. ``services`` of
        the answer names those that have a line in it.

        Raises:
            InvalidWindow: a bound has no time zone, or the end is not after the start.
            SourceUnavailable: the source cannot answer.
        """
        ...


@runtime_checkable
class TraceSource(Protocol):
    """Reads spans."""

    def spans(self, services: Sequence[str] | None, start: datetime, end: datetime) -> SpanTable:
        """The spans of these services that began in the window, ascending; durations in seconds.

        A trace may be cut at the window's edges, so a parent may be missing. ``services`` of the
        answer names those that have a span in it.

        Raises:
            InvalidWindow: a bound has no time zone, or the end is not after the start.
            SourceUnavailable: the source cannot answer.
        """
        ...


@runtime_checkable
class ChangeSource(Protocol):
    """Reads deployments, configuration and scaling events."""

    def changes(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> tuple[Change, ...]:
        """The changes in the window, ascending in time.

        Raises:
            InvalidWindow: a bound has no time zone, or the end is not after the start.
            SourceUnavailable: the source cannot answer.
        """
        ...


@runtime_checkable
class GraphSource(Protocol):
    """Reads who calls whom."""

    def graph(self, at: datetime) -> ServiceGraph:
        """The calls as last seen at or before ``at``; empty where none had been seen by then.

        Raises:
            InvalidWindow: ``at`` has no time zone.
            SourceUnavailable: the source cannot answer.
        """
        ...


@runtime_checkable
class ServiceSource(Protocol):
    """Names the services that run in one place."""

    def beside(
        self,
        services: Collection[str],
        namespace: str | None,
        cluster: str | None,
        start: datetime,
        end: datetime,
    ) -> tuple[str, ...]:
        """The services of the namespace that any of ``services`` runs in, these too; sorted.

        Empty where the source knows none of them there. Names alone: no sample is read.

        Args:
            namespace: None for all of the cluster; where ``cluster`` is None too, everything.
            cluster: one that a service does not state is no contradiction.

        Raises:
            InvalidWindow: a bound has no time zone, or the end is not after the start.
            SourceUnavailable: the source cannot answer.
        """
        ...


@runtime_checkable
class StateSource(Protocol):
    """Reads how a cluster is: its objects and what its components say of them."""

    def state(self, start: datetime, end: datetime) -> tuple[RecordedOutput, ...]:
        """Read-outs of the cluster, each by the call that answered it, without secrets.

        A live cluster tells how it is now: the closer to ``end``, the truer.

        Raises:
            InvalidWindow: a bound has no time zone, or the end is not after the start.
            SourceUnavailable: the source cannot answer, or no longer for this window.
        """
        ...


@runtime_checkable
class ServiceNames(Protocol):
    """Names all services it knows."""

    def services(self, start: datetime, end: datetime) -> tuple[str, ...]:
        """Those that had telemetry in the window, sorted; no sample is read.

        Raises:
            InvalidWindow: a bound has no time zone, or the end is not after the start.
            SourceUnavailable: the source cannot answer.
        """
        ...


class TelemetryStore(MetricSource, LogSource, TraceSource, ChangeSource, GraphSource, Protocol):
    """Keeps the windows around incidents, and reads them back.

    It only ever grows, and appending the same again changes nothing, so a job that died half-way
    is simply run again.
    """

    def append(self, window: TelemetryWindow, changes: Sequence[Change] = ()) -> None:
        """Keep what is not kept yet of the window's metrics, logs, spans and graph, and changes.

        Windows may overlap. One sample is kept for a series and time, the first; NaN is none. A
        series is known by its column, a span by its trace, span id and service; equal log lines
        are kept as often as they stand in the window that has most of them. A graph holds from
        the window's start on.

        Raises:
            AlreadyKept: a column is kept for another entity or metric. Nothing is then written.
        """
        ...


def bounds(start: datetime, end: datetime) -> tuple[float, float]:
    """Unix seconds of both bounds; every reader begins with this.

    Raises:
        InvalidWindow: a bound has no time zone, or the end is not after the start.
    """
    if start.tzinfo is None or end.tzinfo is None or end <= start:
        raise InvalidWindow(start, end)
    return start.timestamp(), end.timestamp()
