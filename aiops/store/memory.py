"""Telemetry kept in this process: the twin of the store, for tests, replays and single runs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from aiops.errors import AlreadyKept, InvalidWindow
from aiops.model import LogTable, MetricTable, Series, ServiceGraph, SpanTable, TelemetryWindow
from aiops.model.change import Change
from aiops.model.rows import LogLine, Span, log_lines, log_table, span_table, spans
from aiops.model.telemetry import FloatArray
from aiops.ports.telemetry import bounds
from aiops.store.recorded import changes_in

_SOURCE = "telemetry store"


@dataclass(frozen=True, slots=True, eq=False)
class _Kept:
    """The samples of one series: (n,) ascending times and their values, no NaN among them."""

    series: Series
    times: FloatArray
    values: FloatArray

    def joined(self, times: FloatArray, values: FloatArray) -> "_Kept":
        """With the samples at times that have none yet."""
        known = ~np.isnan(values)
        # np.unique names the first of equal times, and what was kept stands first.
        every, first = np.unique(np.concatenate([self.times, times[known]]), return_index=True)
        return _Kept(self.series, every, np.concatenate([self.values, values[known]])[first])


class MemoryTelemetry:
    """A TelemetryStore; see ``ports.telemetry`` for what each method promises and raises.

    Not for several threads at once.
    """

    def __init__(self) -> None:
        self._series: dict[str, _Kept] = {}
        self._lines: Counter[LogLine] = Counter()
        self._spans: dict[tuple[str, str, str], Span] = {}
        self._changes: dict[Change, None] = {}
        self._graphs: dict[datetime, ServiceGraph] = {}

    def append(self, window: TelemetryWindow, changes: Sequence[Change] = ()) -> None:
        """Keep what is not kept yet; raises AlreadyKept."""
        if window.metrics is not None:
            self._add_metrics(window.metrics)
        if window.logs is not None:
            self._lines |= Counter(log_lines(window.logs))
        if window.spans is not None:
            for span in spans(window.spans):
                self._spans.setdefault((span.trace_id, span.span_id, span.service), span)
        if window.graph is not None:
            self._graphs.setdefault(window.start, window.graph)
        self._changes.update(dict.fromkeys(changes))

    def metrics(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> MetricTable:
        """The samples of all series that have one in the window, on the union of their clocks."""
        low, high = bounds(start, end)
        found: list[tuple[_Kept, slice]] = []
        for kept in self._series.values():
            first, last = np.searchsorted(kept.times, [low, high])
            if first < last and _wanted(kept.series.entity.service_name, services):
                found.append((kept, slice(first, last)))
        times = np.unique(np.concatenate([np.empty(0), *(k.times[rows] for k, rows in found)]))
        values = np.full((len(times), len(found)), np.nan)
        for column, (kept, rows) in enumerate(found):
            values[np.searchsorted(times, kept.times[rows]), column] = kept.values[rows]
        return MetricTable(times, values, tuple(kept.series for kept, _ in found), _SOURCE)

    def logs(self, services: Sequence[str] | None, start: datetime, end: datetime) -> LogTable:
        """The lines in the window."""
        low, high = bounds(start, end)
        inside = (
            line
            for line in self._lines.elements()
            if (line.time is None or low <= line.time < high) and _wanted(line.service, services)
        )
        return log_table(sorted(inside, key=_time), _SOURCE)

    def spans(self, services: Sequence[str] | None, start: datetime, end: datetime) -> SpanTable:
        """The spans that began in the window."""
        low, high = bounds(start, end)
        inside = (
            span
            for span in self._spans.values()
            if low <= span.start < high and _wanted(span.service, services)
        )
        return span_table(sorted(inside, key=lambda span: span.start), _SOURCE)

    def changes(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> tuple[Change, ...]:
        """The changes in the window."""
        bounds(start, end)
        return changes_in(self._changes, services, start, end)

    def graph(self, at: datetime) -> ServiceGraph:
        """The graph of the latest window that had begun."""
        if at.tzinfo is None:
            raise InvalidWindow(at, at)
        begun = [start for start in self._graphs if start <= at]
        return self._graphs[max(begun)] if begun else ServiceGraph((), ())

    def _add_metrics(self, table: MetricTable) -> None:
        for series in table.series:  # all are looked at before any is written
            kept = self._series.get(series.column)
            if kept is not None and _identity(kept.series) != _identity(series):
                raise AlreadyKept("column", series.column)
        nothing = np.empty(0)
        for column, series in enumerate(table.series):
            kept = self._series.get(series.column, _Kept(series, nothing, nothing))
            self._series[series.column] = kept.joined(table.times, table.values[:, column])


def _identity(series: Series) -> tuple[object, str]:
    return series.entity, series.metric


def _wanted(service: str, services: Iterable[str] | None) -> bool:
    return services is None or service in services


def _time(line: LogLine) -> float:
    return np.inf if line.time is None else line.time
