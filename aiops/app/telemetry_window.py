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
from aiops.analyze.wording import listed
from aiops.app.beside import Beside, beside, only_there
from aiops.app.surroundings import around, services_named, silent, touches, within
from aiops.errors import SourceUnavailable
from aiops.model import (
    CaseData,
    Entity,
    FailedStep,
    RecordedOutput,
    ServiceGraph,
    TelemetryWindow,
    Trigger,
)
from aiops.model.alert import Alert
from aiops.model.change import Change
from aiops.model.incident import Incident
from aiops.ports.telemetry import (
    ChangeSource,
    GraphSource,
    LogSource,
    MetricSource,
    StateSource,
    TelemetryStore,
    TraceSource,
)

Source = MetricSource | LogSource | TraceSource | ChangeSource | GraphSource | StateSource
PARALLEL = 8
"""Reads under way at once: sources are few and each splits its own work further."""
PUSHED_LOOK = timedelta(minutes=1)
"""Before the opening: all spans pushed then say who calls whom now. Of the rest of the window only
those of services within reach are read."""
PUSHED_METRICS_LOOK = timedelta(minutes=2)
"""The same for metrics: exporters push them once a minute (OpenTelemetry, its default)."""


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
    alerts: Sequence[Alert] = (),
) -> Collected:
    """The incident as a case: its own services and those that calls connect with them.

    Where nothing tells who calls whom, those that run beside them; where its alerts name no
    service, everything; a note says so. A service that nothing was recorded of is a failed step.

    Args:
        sources: by name; each is asked for every kind of telemetry that it has.
        now: the window never reaches beyond it, whatever the alert's own clock says.
        changes_recorded: whether anybody tells the store of changes, so that none means none.
        alerts: of the incident; they tell its services from its nodes and namespaces.

    Raises:
        StoreUnavailable: nothing can be kept, so nothing was collected.
    """
    opened = min(incident.opened_at, now)
    start, end = opened - reach.before, min(now, opened + reach.after)
    end = max(end, start + timedelta(seconds=1))
    failed: list[FailedStep] = []
    pushed = seen_in_spans(store.spans(None, opened - PUSHED_LOOK, opened))
    graph = joined([_graph(sources, store, end, failed), graph_of(pushed)])
    own = services_named(incident, alerts)
    traces_first = bool(own) and not touches(graph, own)
    if traces_first:
        # Nobody says who calls them. Whole traces do, and cost less than all of everything.
        reads = _trace_reads(sources, _Asked(None, start, end))
        for window, _ in _answers(reads, failed):
            store.append(window)
            if window.spans is not None:
                graph = joined([graph, graph_of(seen_in_spans(window.spans))])
    services = around(graph, incident.services, reach.hops) if own else None
    near: Beside | None = None
    if own and not touches(graph, own):
        pushed_metrics = store.metrics(None, opened - PUSHED_METRICS_LOOK, opened)
        near = beside(incident, own, sources, pushed_metrics, start, end, failed)
        services = near.services
    asked = _Asked(services, start, end)
    reads = _other_reads(sources, asked)
    if not traces_first:
        reads += _trace_reads(sources, asked)
    state: list[RecordedOutput] = []
    for window, changes in _answers(reads, failed):
        store.append(window, changes)
        state += window.cluster_state  # not kept: it tells of one moment, and this is it
    window, graph = _kept(store, asked, graph)
    window = replace(window, cluster_state=tuple(state))
    if near is not None and (touches(graph, own) or silent(window, own) == own):
        # What was read tells who calls them; or they say nothing, and others may not be blamed.
        near, asked = None, _Asked(around(graph, own, reach.hops), start, end)
        window, graph = _kept(store, asked, graph)
    elif near is not None:
        window = only_there(window, incident)
    if graph.calls:
        # From now on: what was kept meanwhile is part of it.
        store.append(TelemetryWindow(now, now + timedelta(seconds=1), graph=graph))
    if not window.changes and not changes_recorded:
        window = replace(window, changes=None)
    failed += [_no_telemetry(name) for name in silent(window, own)]
    notes = _limits(own, graph, near)
    case = CaseData(incident.id, window, _trigger(incident, own, alerts, end), notes)
    return Collected(case, tuple(failed))


def _no_telemetry(service: str) -> FailedStep:
    return FailedStep(
        f"read telemetry of {service}",
        f"no metric, log line or span of {service} in this window, in any source or pushed; check "
        "that telemetry uses the name in the alert's labels, and the sources with `aiops doctor`",
    )


def _limits(own: Sequence[str], graph: ServiceGraph, near: Beside | None) -> tuple[str, ...]:
    """What the reader must know about where a cause was looked for."""
    if own and touches(graph, own):
        return ()
    if not own:
        told = (
            "The alerts name no service, so everything that has telemetry was looked at: a cause "
            "found may be another incident's. Label the alerts with the service they are about."
        )
        return (told,)
    looked = "causes in other services were not looked for."
    if near is not None and set(near.services) - set(own):
        looked = near.note
    told = (
        f"Nothing tells who calls {listed(own, most=6)}, or whom they call: {looked} "
        "Spans or a source of traces would tell."
    )
    return (told,)


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

    def state(self, source: StateSource) -> _Answer:
        return self._window(cluster_state=source.state(self.start, self.end)), ()

    def _window(self, **modality: Any) -> TelemetryWindow:
        return TelemetryWindow(self.start, self.end, **modality)


_Read = tuple[str, Callable[[], _Answer]]
"""What is read from where, in words, and the read."""


def _trace_reads(sources: Sequence[tuple[str, Source]], asked: _Asked) -> list[_Read]:
    return [
        (f"read traces from {name}", partial(asked.spans, source))
        for name, source in sources
        if isinstance(source, TraceSource)
    ]


def _other_reads(sources: Sequence[tuple[str, Source]], asked: _Asked) -> list[_Read]:
    reads: list[_Read] = []
    for name, source in sources:
        if isinstance(source, MetricSource):
            reads.append((f"read metrics from {name}", partial(asked.metrics, source)))
        if isinstance(source, LogSource):
            reads.append((f"read logs from {name}", partial(asked.logs, source)))
        if isinstance(source, ChangeSource):
            reads.append((f"read changes from {name}", partial(asked.changes, source)))
        if isinstance(source, StateSource):
            reads.append((f"read state from {name}", partial(asked.state, source)))
    return reads


def _answers(reads: Sequence[_Read], failed: list[FailedStep]) -> Iterator[_Answer]:
    """What each read gives, in their order; those that give nothing or not all are ``failed``."""
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


def _kept(
    store: TelemetryStore, asked: _Asked, graph: ServiceGraph
) -> tuple[TelemetryWindow, ServiceGraph]:
    """What the store has of the services, and all that is known of the calls now."""
    services, start, end = asked.services, asked.start, asked.end
    metrics = on_one_clock(store.metrics(services, start, end))
    logs, spans = store.logs(services, start, end), store.spans(services, start, end)
    known = joined([graph, graph_of([*seen_in_spans(spans), *seen_in_metrics(metrics)])])
    near = known if services is None else within(known, set(services))
    window = TelemetryWindow(
        start,
        end,
        metrics=metrics if len(metrics.series) else None,
        logs=logs if len(logs.times) else None,
        spans=spans if len(spans.starts) else None,
        graph=near if near.calls else None,
        changes=store.changes(services, start, end),
    )
    return window, known


def _trigger(
    incident: Incident, own: Sequence[str], alerts: Sequence[Alert], end: datetime
) -> Trigger:
    entity = next((alert.entity for alert in alerts if alert.entity is not None), None)
    if own:
        entity = Entity("service", own[0], incident.namespace, incident.cluster)
    return Trigger(min(incident.opened_at, end), entity, statement=incident.title)
