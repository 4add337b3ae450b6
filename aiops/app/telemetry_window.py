"""The telemetry around one incident: pulled, kept in the store, and read back in one piece.

What is pulled is kept first and then read back together with what was pushed to the store
meanwhile: appending the same again changes nothing, so a second investigation, or a job that died
half-way, sees every sample, line and span once.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from aiops.analyze.clocks import on_one_clock
from aiops.analyze.service_graph import (
    graph_of,
    joined,
    seen_at,
    seen_in_metrics,
    seen_in_spans,
    unfaded,
)
from aiops.errors import SourceUnavailable
from aiops.model import CaseData, Entity, FailedStep, ServiceGraph, TelemetryWindow, Trigger
from aiops.model.change import Change
from aiops.model.incident import Incident
from aiops.ports.telemetry import (
    ChangeSource,
    GraphSource,
    LogSource,
    MetricSource,
    TelemetryStore,
    TraceSource,
)

Source = MetricSource | LogSource | TraceSource | ChangeSource | GraphSource
PARALLEL = 8
"""Reads under way at once: sources are few and each splits its own work further."""
PUSHED_LOOK = timedelta(minutes=1)
"""Before the opening: all spans pushed then say who calls whom now. Of the rest of the window only
those of services within reach are read."""


@dataclass(frozen=True, slots=True)
class Reach:
    """What to pull around an incident.

    Attributes:
        before, after: of the incident's opening.
        hops: calls from the incident's services, in either direction.
    """

    before: timedelta = timedelta(minutes=30)
    after: timedelta = timedelta(minutes=5)
    hops: int = 2


@dataclass(frozen=True, slots=True)
class Collected:
    """The case to investigate, and what could not be read for it."""

    case: CaseData
    failed: tuple[FailedStep, ...]


def collect(
    incident: Incident,
    sources: Sequence[tuple[str, Source]],
    store: TelemetryStore,
    *,
    now: datetime,
    reach: Reach,
    changes_recorded: bool,
) -> Collected:
    """The incident as a case.

    Args:
        sources: by name; each is asked for every kind of telemetry that it has.
        now: the window never reaches beyond it, whatever the alert's own clock says.
        changes_recorded: whether anybody tells the store of changes, so that none means none.

    Raises:
        StoreUnavailable: nothing can be kept, so nothing was collected.
    """
    opened = min(incident.opened_at, now)
    start, end = opened - reach.before, min(now, opened + reach.after)
    end = max(end, start + timedelta(seconds=1))
    failed: list[FailedStep] = []
    pushed = seen_in_spans(store.spans(None, opened - PUSHED_LOOK, opened))
    graph = joined([_graph(sources, store, end, failed), graph_of(pushed)])
    services = around(graph, incident.services, reach.hops)
    for window, changes in _pulled(sources, services, start, end, failed):
        store.append(window, changes)
    case = _case(incident, store, services, start, end, graph)
    if case.window.graph is not None:
        # From now on: what was kept meanwhile is part of it.
        store.append(TelemetryWindow(now, now + timedelta(seconds=1), graph=case.window.graph))
    if not case.window.changes and not changes_recorded:
        case = replace(case, window=replace(case.window, changes=None))
    return Collected(case, tuple(failed))


def around(graph: ServiceGraph, services: Sequence[str], hops: int) -> tuple[str, ...] | None:
    """The services within ``hops`` calls, sorted; None (all) where the graph knows none of them."""
    neighbours: dict[str, set[str]] = {}
    for call in graph.calls:
        source, target = call.source.service_name, call.target.service_name
        neighbours.setdefault(source, set()).add(target)
        neighbours.setdefault(target, set()).add(source)
    found = {name for name in services if name in neighbours}
    if not found:
        return None
    for _ in range(hops):
        found |= {near for name in found for near in neighbours[name]}
    return tuple(sorted(found | set(services)))


def _graph(
    sources: Sequence[tuple[str, Source]],
    store: TelemetryStore,
    at: datetime,
    failed: list[FailedStep],
) -> ServiceGraph:
    """What every source and the store know of the calls, together."""
    graphs = [unfaded(store.graph(at), at.timestamp())]
    for name, source in sources:
        if isinstance(source, GraphSource):
            try:
                graphs.append(seen_at(source.graph(at), at.timestamp()))
            except SourceUnavailable as failure:
                failed.append(FailedStep(f"read calls from {name}", str(failure)))
    return joined(graphs)


_Answer = tuple[TelemetryWindow, Sequence[Change]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """The same question to every source; each answer is a window that holds one modality."""

    services: Sequence[str] | None
    start: datetime
    end: datetime

    def metrics(self, source: MetricSource) -> _Answer:
        return self._window(metrics=source.metrics(self.services, self.start, self.end)), ()

    def logs(self, source: LogSource) -> _Answer:
        return self._window(logs=source.logs(self.services, self.start, self.end)), ()

    def spans(self, source: TraceSource) -> _Answer:
        return self._window(spans=source.spans(self.services, self.start, self.end)), ()

    def changes(self, source: ChangeSource) -> _Answer:
        return self._window(), source.changes(self.services, self.start, self.end)

    def _window(self, **modality: Any) -> TelemetryWindow:
        return TelemetryWindow(self.start, self.end, **modality)


def _pulled(
    sources: Sequence[tuple[str, Source]],
    services: Sequence[str] | None,
    start: datetime,
    end: datetime,
    failed: list[FailedStep],
) -> Iterator[_Answer]:
    """What each source answers, as it comes in the order of the sources."""
    reads: list[tuple[str, Callable[[], _Answer]]] = []
    asked = _Asked(services, start, end)
    for name, source in sources:
        if isinstance(source, MetricSource):
            reads.append((f"read metrics from {name}", partial(asked.metrics, source)))
        if isinstance(source, LogSource):
            reads.append((f"read logs from {name}", partial(asked.logs, source)))
        if isinstance(source, TraceSource):
            reads.append((f"read traces from {name}", partial(asked.spans, source)))
        if isinstance(source, ChangeSource):
            reads.append((f"read changes from {name}", partial(asked.changes, source)))
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="pull") as pool:
        for step, answer in [(step, pool.submit(read)) for step, read in reads]:
            try:
                window, changes = answer.result()
            except SourceUnavailable as failure:
                failed.append(FailedStep(step, str(failure)))
                continue
            for table in (window.metrics, window.logs, window.spans):
                if table is not None:
                    failed += [FailedStep(step, note) for note in table.notes]
            yield window, changes


def _case(
    incident: Incident,
    store: TelemetryStore,
    services: Sequence[str] | None,
    start: datetime,
    end: datetime,
    graph: ServiceGraph,
) -> CaseData:
    metrics = on_one_clock(store.metrics(services, start, end))
    logs, spans = store.logs(services, start, end), store.spans(services, start, end)
    graph = joined([graph, graph_of([*seen_in_spans(spans), *seen_in_metrics(metrics)])])
    window = TelemetryWindow(
        start,
        end,
        metrics=metrics if len(metrics.series) else None,
        logs=logs if len(logs.times) else None,
        spans=spans if len(spans.starts) else None,
        graph=graph if graph.calls else None,
        changes=store.changes(services, start, end),
    )
    alerting = next(iter(incident.services), None)
    trigger = Trigger(
        at=min(incident.opened_at, end),
        entity=None
        if alerting is None
        else Entity("service", alerting, incident.namespace, incident.cluster),
        statement=incident.title,
    )
    return CaseData(incident.id, window, trigger)
