"""The requests of an incident that failed, as calls to walk down."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import numpy as np

from aiops.agents.recursion.walk import Stop
from aiops.analyze.traces.contrasts import Phase, phases
from aiops.analyze.traces.errors import failed
from aiops.analyze.traces.forest import Forest, Mask, Rows, forest, joined
from aiops.analyze.traces.recursion import usual_durations
from aiops.analyze.traces.suspicion import failing_requests
from aiops.model import CaseData, ServiceGraph, SpanTable, Window
from aiops.model.telemetry import FloatArray

MOST_SPANS: Final = 100_000
"""On either side of the onset: thousands of requests, read in a second."""
_ROUNDING_S: Final = 1e-3
"""Datetimes hold microseconds; spans begin between them."""


@dataclass(frozen=True, slots=True, eq=False)
class FailingRequests:
    """Calls below the requests that failed: with an error, or by taking far too long.

    Attributes:
        spans: of these requests only.
        parent, root: (n,) rows of each span's parent, -1 for none, and of its request's first.
        roots: rows of the requests' first spans.
        usual: (services, operations) seconds of a span before the incident; NaN where none was.
        error: (n,) whether a span failed.
        callees: by service, whom the call graph knows it to call: databases that record no spans,
            and those that are gone.
    """

    spans: SpanTable
    parent: Rows
    root: Rows
    roots: Rows
    usual: FloatArray
    error: Mask
    callees: Mapping[str, tuple[str, ...]]

    @property
    def source(self) -> str:
        """Name of the table."""
        return self.spans.source

    def tops(self) -> Sequence[Stop]:
        """The requests, collapsed by service and operation."""
        return self._collapsed(self.roots)

    def below(self, stop: Stop) -> Sequence[Stop]:
        """See Calls. Where no span tells what was called, all that the call graph knows of."""
        above = np.zeros(len(self.parent), dtype=np.bool_)
        above[np.array(stop.spans, dtype=np.intp)] = True
        spans = self._collapsed(np.flatnonzero((self.parent >= 0) & above[self.parent]))
        return spans or [Stop(name, "") for name in self.callees.get(stop.service, ())]

    def through(self, services: Sequence[str]) -> int:
        """How many of the requests visit all of ``services`` that record spans."""
        known = [place for place, name in enumerate(self.spans.services) if name in set(services)]
        visited = np.ones(len(self.roots), dtype=np.bool_)
        for service in known:
            visited &= np.isin(self.roots, self.root[self.spans.service_of == service])
        return int(visited.sum())

    def window(self) -> Window:
        """From the first of them to the last."""
        starts = self.spans.starts[self.roots]
        return Window(_utc(starts.min() - _ROUNDING_S), _utc(starts.max() + _ROUNDING_S))

    def _collapsed(self, rows: Rows) -> list[Stop]:
        spans, names = self.spans, max(1, len(self.spans.operations))
        kind = spans.service_of[rows].astype(np.intp) * names + spans.operation_of[rows]
        stops = []
        for each in np.unique(kind).tolist():
            own = rows[kind == each]
            service, operation = divmod(int(each), names)
            usual = float(self.usual[service, operation]) * len(own)
            # Of what was never seen before nobody knows how long it should take.
            lost = 0.0 if np.isnan(usual) else float(spans.durations[own].sum()) - usual
            stops.append(
                Stop(
                    service=spans.services[service],
                    operation=spans.operations[operation],
                    spans=tuple(own.tolist()),
                    lost=max(0.0, lost),
                    failed=int(self.error[own].sum()),
                )
            )
        return stops


def failing(case: CaseData, onset: datetime) -> FailingRequests | None:
    """The requests that failed since ``onset``; None where no spans tell of any."""
    table = case.window.spans
    if table is None or not len(table.starts):
        return None
    reference = case.window.reference
    normal = reference.spans if reference is not None else None
    table = _nearest(table, onset.timestamp())
    trees = forest(table if normal is None else joined(table, normal))
    known_good = trees.rows >= len(table.starts)
    end = case.window.end.timestamp()
    phase = phases(trees.spans.starts, known_good, onset.timestamp(), end)
    past = (phase == Phase.BEFORE) | (phase == Phase.REFERENCE)
    error = failed(trees)
    roots = np.flatnonzero(failing_requests(trees, past, phase == Phase.DURING, error))
    if not len(roots):
        return None
    return _apart(trees, roots, usual_durations(trees, past), error, case.window.graph)


def _nearest(table: SpanTable, onset: float) -> SpanTable:
    """The spans nearest to the onset on either side of it, where there are too many."""
    if len(table.starts) <= 2 * MOST_SPANS:
        return table
    order = np.argsort(table.starts, kind="stable")
    split = int(np.searchsorted(table.starts[order], onset))
    return table.rows(np.sort(order[max(0, split - MOST_SPANS) : split + MOST_SPANS]))


def _apart(
    trees: Forest, roots: Rows, usual: FloatArray, error: Mask, graph: ServiceGraph | None
) -> FailingRequests:
    """The requests of ``roots`` without all others: what is looked at again and again is small."""
    kept = np.flatnonzero(np.isin(trees.root, roots))
    place = np.full(len(trees.parent), -1, dtype=np.intp)
    place[kept] = np.arange(len(kept))
    parent = np.where(trees.parent[kept] >= 0, place[trees.parent[kept]], -1)
    return FailingRequests(
        spans=trees.spans.rows(kept),
        parent=parent,
        root=place[trees.root[kept]],
        roots=place[roots],
        usual=usual,
        error=error[kept],
        callees=_callees(graph),
    )


def _callees(graph: ServiceGraph | None) -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for call in graph.calls if graph is not None else ():
        caller, callee = call.source.service_name, call.target.service_name
        if caller != callee:
            found[caller] = tuple(dict.fromkeys((*found.get(caller, ()), callee)))
    return found


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)
