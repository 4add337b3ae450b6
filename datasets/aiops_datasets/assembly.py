"""From the tables of a case to its window and trigger: rules that all layouts share."""

from collections.abc import Collection
from pathlib import Path

import numpy as np

from aiops.errors import InvalidData, UnknownName
from aiops.model import (
    CaseData,
    Entity,
    LogTable,
    MetricTable,
    Reference,
    ServiceGraph,
    SpanTable,
    TelemetryWindow,
    Trigger,
)
from aiops.model.telemetry import FloatArray
from aiops.ports.cases import CaseHints, CaseLocation
from aiops_datasets import clock, columns, graphs
from aiops_datasets.clock import Clock
from aiops_datasets.reading import Table


def metric_table(
    path: Path,
    table: Table,
    *,
    known: Collection[str] = (),
    nodes: Collection[str] = (),
    namespace: str | None = None,
) -> tuple[MetricTable, tuple[str, ...]]:
    """``table`` with its columns split, and the notes of both steps.

    Raises:
        InvalidData: no column names a service.
    """
    named, other = columns.series(table.columns, known=known, nodes=nodes, namespace=namespace)
    if not named:
        raise InvalidData(path, "names no services; call the columns <service>_<metric>")
    values, notes = table.values, table.notes
    if other:
        keep = [i for i, column in enumerate(table.columns) if column not in set(other)]
        values = values[:, keep]
        notes = (*notes, f"columns that name no service left out: {', '.join(other[:8])}")
    return MetricTable(table.times, values, named, path.name), notes


def extent(
    metrics: MetricTable | None, logs: LogTable | None, spans: SpanTable | None
) -> tuple[float, float] | None:
    """First and last time, of the metrics where there are any; None where nothing has a time."""
    for times in (
        metrics.times if metrics else None,
        logs.times if logs else None,
        spans.starts if spans else None,
    ):
        known = _finite(times)
        if known is not None:
            return float(known.min()), float(known.max())
    return None


def _finite(times: FloatArray | None) -> FloatArray | None:
    if times is None:
        return None
    known = times[np.isfinite(times)]
    return known if len(known) else None


def alert_time(
    path: Path, value: float | None, rhythm: Clock | None, window: tuple[float, float] | None
) -> tuple[float | None, tuple[str, ...]]:
    """The trigger's time on the window's clock, and what to say about it.

    Args:
        path: the file that gave ``value``, for the message.
        value: as recorded; None or 0 on a wall clock means that nobody knows.
        rhythm: the clock of the metrics; None where there are none.
        window: first and last time in seconds; None where nothing has a time.

    Raises:
        InvalidData: the time lies outside the window.
    """
    if value is None:
        return None, ("no alert time is recorded; the onset is looked for in the whole window",)
    at = clock.seconds(value, rhythm or clock.detect(value))
    if value == 0 and not (rhythm and rhythm.relative):
        return None, ("the alert time is 0: taken as not recorded",)
    if not clock.representable(at):
        raise InvalidData(path, f"the alert time {value:.15g} is no time")
    if window and not window[0] <= at <= window[1]:
        unit = "s" if rhythm and rhythm.relative else "unix s"
        raise InvalidData(
            path,
            f"the alert time {value:.15g} lies outside the window of the data, "
            f"{window[0]:.15g} to {window[1]:.15g} {unit}",
        )
    if window and at == window[0]:
        return at, ("the alert time is the first row: there is no baseline before it",)
    return at, ()


def trigger(
    at: float | None,
    hints: CaseHints,
    entities: Collection[Entity],
    *,
    target: tuple[str, str] | None = None,
    statement: str | None = None,
) -> Trigger:
    """The trigger: hints win over ``target``, the (entity, metric) that the source recorded.

    Raises:
        UnknownName: a hint names a service that is not in the data.
    """
    by_name = {entity.name: entity for entity in entities}
    when = None if at is None else clock.moment(at)
    if hints.trigger is not None:
        name, metric = hints.trigger, None
        if name not in by_name:
            name, _, metric = hints.trigger.rpartition(":")
        if name not in by_name:
            raise UnknownName("trigger service", hints.trigger, tuple(sorted(by_name)))
        return Trigger(when, by_name[name], metric or None, statement)
    if target is not None:
        name, metric = target
        return Trigger(when, by_name.get(name, Entity("service", name)), metric, statement)
    return Trigger(when, statement=statement)


def entities(window: TelemetryWindow) -> set[Entity]:
    """Everything that the window's tables, alerts and graph speak of."""
    found = {series.entity for series in window.metrics.series} if window.metrics else set()
    found |= {alert.entity for alert in window.alerts}
    found |= set(window.graph.nodes) if window.graph else set()
    named = {entity.name for entity in found}
    for table in (window.logs, window.spans):
        if table:
            found |= {Entity("service", name) for name in table.services if name not in named}
    return found


def metrics_case(
    location: CaseLocation,
    hints: CaseHints,
    path: Path,
    table: Table,
    *,
    alert_at: float | None,
    services: tuple[str, ...] = (),
    logs: LogTable | None = None,
    spans: SpanTable | None = None,
    graph: ServiceGraph | None = None,
    reference: Reference | None = None,
    target: tuple[str, str] | None = None,
    notes: tuple[str, ...] = (),
) -> CaseData:
    """A case of a native layout, which has metrics on every occasion.

    Args:
        path: the metrics file, for messages.
        alert_at: the alert time the layout records, on the table's clock; a hint wins over it.
        services: names that the file itself gives to services.
        graph: the call graph the layout records; a hint wins over it.
        notes: what to say of ``logs`` and ``spans``.
    """
    if hints.graph is not None:
        graph = graphs.read_graph(hints.graph, columns.entity)
    known = (*services, *(node.name for node in graph.nodes)) if graph else services
    metrics, said_of_metrics = metric_table(path, table, known=known)
    bounds = (float(metrics.times[0]), float(metrics.times[-1]))
    value = alert_at if hints.inject_time is None else hints.inject_time
    at, said = alert_time(path, value, table.clock, bounds)
    window = TelemetryWindow(
        start=clock.moment(bounds[0]),
        end=clock.moment(bounds[1]),
        relative=table.clock.relative,
        metrics=metrics,
        logs=logs,
        spans=spans,
        graph=graph,
        reference=reference,
    )
    return CaseData(
        id=location.id,
        window=window,
        trigger=trigger(at, hints, entities(window), target=target),
        notes=(*said_of_metrics, *said, *notes),
    )


def stitched(before: Table, after: Table, interval: float, *, move_before: bool = False) -> Table:
    """Two runs as one: ``after`` starts ``interval`` seconds behind ``before``'s last row.

    Only columns that both have are kept. One run keeps its times, the other is moved.
    """
    shift = float(before.times[-1] + interval - after.times[0])
    names = [name for name in after.columns if name in set(before.columns)]
    here = {name: i for i, name in enumerate(before.columns)}
    there = {name: i for i, name in enumerate(after.columns)}
    times = np.concatenate(
        [
            before.times - (shift if move_before else 0.0),
            after.times + (0.0 if move_before else shift),
        ]
    )
    values = np.concatenate(
        [
            before.values[:, [here[name] for name in names]],
            after.values[:, [there[name] for name in names]],
        ]
    )
    moved = "baseline" if move_before else "anomalous"
    notes = [*before.notes, *(note for note in after.notes if note not in before.notes)]
    if shift:
        notes.append(f"two runs stitched: the {moved} rows were moved by {abs(shift):.15g} s")
    left = len(before.columns) + len(after.columns) - 2 * len(names)
    if left:
        notes.append(f"{left} columns that only one of the two runs has left out")
    return Table(times, values, tuple(names), after.clock, tuple(notes))
