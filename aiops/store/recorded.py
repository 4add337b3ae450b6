"""A recorded case behind the reading ports: what a replay and a test ask instead of the world."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from aiops.errors import InvalidWindow, SourceUnavailable
from aiops.model import CaseData, LogTable, MetricTable, ServiceGraph, SpanTable
from aiops.model.change import Change
from aiops.model.telemetry import FloatArray, IntArray
from aiops.ports.telemetry import bounds

_Mask = npt.NDArray[np.bool_]
_Content = TypeVar("_Content")


class RecordedTelemetry:
    """Reads one case; every reading port of ``ports.telemetry``.

    Args:
        case: its window answers; what it lacks was never recorded and is unavailable.
        changes: those recorded with it; None where nobody recorded any.
    """

    def __init__(self, case: CaseData, changes: Sequence[Change] | None = None) -> None:
        self._case, self._changes = case, changes

    def metrics(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> MetricTable:
        """See MetricSource; raises InvalidWindow, SourceUnavailable."""
        low, high = bounds(start, end)
        table = self._recorded(self._case.window.metrics, "metrics").between(low, high)
        if services is None:
            return table
        named = set(services)
        own = [i for i, one in enumerate(table.series) if one.entity.service_name in named]
        return table.take(np.array(own, dtype=np.intp))

    def logs(self, services: Sequence[str] | None, start: datetime, end: datetime) -> LogTable:
        """See LogSource; raises InvalidWindow, SourceUnavailable."""
        low, high = bounds(start, end)
        table = self._recorded(self._case.window.logs, "logs")
        inside = _within(table.times, low, high) | np.isnan(table.times)
        rows = _chosen(table.times, inside, table.services, table.service_of, services)
        names, service_of = _renumbered(table.services, table.service_of[rows])
        return replace(table.rows(rows), services=names, service_of=service_of)

    def spans(self, services: Sequence[str] | None, start: datetime, end: datetime) -> SpanTable:
        """See TraceSource; raises InvalidWindow, SourceUnavailable."""
        low, high = bounds(start, end)
        table = self._recorded(self._case.window.spans, "traces")
        inside = _within(table.starts, low, high)
        rows = _chosen(table.starts, inside, table.services, table.service_of, services)
        names, service_of = _renumbered(table.services, table.service_of[rows])
        return replace(table.rows(rows), services=names, service_of=service_of)

    def changes(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> tuple[Change, ...]:
        """See ChangeSource; raises InvalidWindow, SourceUnavailable."""
        bounds(start, end)
        return changes_in(self._recorded(self._changes, "changes"), services, start, end)

    def graph(self, at: datetime) -> ServiceGraph:
        """See GraphSource; a recorded graph holds from the window's start on."""
        if at.tzinfo is None:
            raise InvalidWindow(at, at)
        found = self._recorded(self._case.window.graph, "calls between services")
        return found if at >= self._case.window.start else ServiceGraph((), ())

    def _recorded(self, content: _Content | None, what: str) -> _Content:
        if content is None:
            raise SourceUnavailable(f"case {self._case.id}", f"no {what} were recorded")
        return content


def changes_in(
    changes: Iterable[Change], services: Sequence[str] | None, start: datetime, end: datetime
) -> tuple[Change, ...]:
    """The changes of ``services`` in the window, ascending in time."""
    inside = (
        change
        for change in changes
        if start <= change.at < end and (services is None or change.entity.service_name in services)
    )
    return tuple(sorted(inside, key=lambda change: change.at))


def _within(times: FloatArray, low: float, high: float) -> _Mask:
    return np.asarray((times >= low) & (times < high))


def _chosen(
    times: FloatArray,
    inside: _Mask,
    names: tuple[str, ...],
    service_of: IntArray,
    services: Sequence[str] | None,
) -> npt.NDArray[np.intp]:
    """The rows inside and of ``services``, ascending in time, those of unknown time last."""
    if services is not None:
        wanted = [code for code, name in enumerate(names) if name in set(services)]
        inside = inside & np.isin(service_of, wanted)
    rows = np.flatnonzero(inside)
    return rows[np.argsort(times[rows], kind="stable")]


def _renumbered(names: tuple[str, ...], codes: IntArray) -> tuple[tuple[str, ...], IntArray]:
    """Only the names that a row has, and the rows' indices into them."""
    used, renumbered = np.unique(codes, return_inverse=True)
    return tuple(names[code] for code in used), renumbered.astype(np.int32)
