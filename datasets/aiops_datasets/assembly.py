"""From the tables of a case to its window and trigger: rules that all layouts share."""

from collections.abc import Collection
from pathlib import Path

import numpy as np

from aiops.errors import InvalidData, UnknownName
from aiops.model import Entity, LogTable, MetricTable, SpanTable, Trigger
from aiops.model.telemetry import FloatArray
from aiops.ports.cases import CaseHints
from aiops_datasets import clock, columns
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
