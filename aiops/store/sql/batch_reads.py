"""Batches back into tables of log lines and spans."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, Connection, Row, Table, or_, select

from aiops.model import LogTable, SpanTable
from aiops.model.rows import log_table, span_table
from aiops.model.telemetry import FloatArray, IntArray
from aiops.store.sql import batches, occurrences, services, texts
from aiops.store.sql.batch_writes import template_of
from aiops.store.sql.batches import UNDATED
from aiops.store.sql.engine import BINARY
from aiops.store.sql.occurrences import Kind
from aiops.store.sql.telemetry_tables import LOG_BATCHES, SPAN_BATCHES

SOURCE = "telemetry store"


def logs(connection: Connection, names: Sequence[str] | None, low: float, high: float) -> LogTable:
    """The lines with low <= time < high, ascending; those of unknown time last."""
    table = LOG_BATCHES.c
    inside = or_(table.slot.between(*batches.slots(low, high)), table.slot == UNDATED)
    parts = []
    for part in _log_batches(connection, inside, names):
        within = (part.times >= low) & (part.times < high) | np.isnan(part.times)
        parts.append(part if within.all() else part.rows(within))
    return _joined_logs(parts)


def spans(
    connection: Connection, names: Sequence[str] | None, low: float, high: float
) -> SpanTable:
    """The spans with low <= start < high, ascending."""
    inside = SPAN_BATCHES.c.slot.between(*batches.slots(low, high))
    parts = []
    for part in _span_batches(connection, inside, names):
        within = (part.starts >= low) & (part.starts < high)
        parts.append(part if within.all() else part.rows(within))
    return _joined_spans(parts)


def spans_of_trace(connection: Connection, trace_id: str) -> SpanTable:
    """All spans of a trace, ascending."""
    slots = occurrences.slots_of(connection, Kind.SPAN_TRACE, trace_id)
    found = (
        part.rows(part.trace_ids == trace_id)
        for some in services.in_parts(slots)
        for part in _span_batches(connection, SPAN_BATCHES.c.slot.in_(some), None, trace_id)
    )
    return _joined_spans(list(found))


def logs_of_trace(connection: Connection, trace_id: str) -> LogTable:
    """All lines written in a trace, ascending."""
    slots = occurrences.slots_of(connection, Kind.LOG_TRACE, trace_id)
    found = (
        part.rows(part.trace_ids == trace_id)
        for some in services.in_parts(slots)
        for part in _log_batches(connection, LOG_BATCHES.c.slot.in_(some), None, trace_id)
        if part.trace_ids is not None
    )
    return _joined_logs(list(found))


def logs_of_template(
    connection: Connection, template: str, names: Sequence[str] | None, low: float, high: float
) -> LogTable:
    """The lines of one template with low <= time < high, ascending; see ``template_of``."""
    first, last = batches.slots(low, high)
    slots = [
        slot
        for slot in occurrences.slots_of(connection, Kind.TEMPLATE, template)
        if first <= slot <= last or slot == UNDATED
    ]
    parts = []
    for some in services.in_parts(slots):
        for part in _log_batches(connection, LOG_BATCHES.c.slot.in_(some), names):
            inside = (part.times >= low) & (part.times < high) | np.isnan(part.times)
            own = {text: template_of(text) == template for text in set(part.messages.tolist())}
            parts.append(part.rows(inside & np.array([own[text] for text in part.messages])))
    return _joined_logs(parts)


def _log_batches(
    connection: Connection,
    where: ColumnElement[bool],
    names: Sequence[str] | None,
    trace_id: str | None = None,
) -> Iterable[LogTable]:
    return _batches(connection, LOG_BATCHES, where, names, trace_id, batches.unpack_logs)


def _span_batches(
    connection: Connection,
    where: ColumnElement[bool],
    names: Sequence[str] | None,
    trace_id: str | None = None,
) -> Iterable[SpanTable]:
    return _batches(connection, SPAN_BATCHES, where, names, trace_id, batches.unpack_spans)


def _batches(
    connection: Connection,
    table: Table,
    where: ColumnElement[bool],
    names: Sequence[str] | None,
    trace_id: str | None,
    unpack: Callable[[str, batches.Packed], Any],
) -> Iterable[Any]:
    """The batches of these services; with a trace id only those that hold it."""
    name_of = services.chosen(connection, names)
    columns = [*table.columns][4:]
    query = select(table.c.service_id, *columns).where(where).execution_options(**{BINARY: True})
    if names is not None:
        query = query.where(table.c.service_id.in_(name_of))
    for row in connection.execute(query.order_by(table.c.slot, table.c.service_id)):
        if trace_id is None or _holds(row, trace_id):
            yield unpack(name_of[row.service_id], tuple(row)[1:])


def _holds(row: Row[Any], trace_id: str) -> bool:
    distinct, _ = texts.unpack_coded(row.trace_ids)
    return trace_id in distinct


def _joined_logs(parts: list[LogTable]) -> LogTable:
    parts = [part for part in parts if len(part.times)]
    if not parts:
        return log_table([], SOURCE)
    counts = [len(part.times) for part in parts]
    names, service_of = _coded((part.services, part.service_of) for part in parts)
    pods, pod_of = _coded(
        _pods(part.instances, part.instance_of, len(part.times)) for part in parts
    )
    known = any(pods)
    joined = LogTable(
        times=np.concatenate([part.times for part in parts]),
        services=names,
        service_of=service_of,
        messages=np.concatenate([part.messages for part in parts]),
        instances=pods if known else (),
        instance_of=pod_of if known else None,
        trace_ids=_stacked([part.trace_ids for part in parts], counts),
        span_ids=_stacked([part.span_ids for part in parts], counts),
        source=SOURCE,
    )
    return joined.rows(_ascending(joined.times))


def _joined_spans(parts: list[SpanTable]) -> SpanTable:
    parts = [part for part in parts if len(part.starts)]
    if not parts:
        return span_table([], SOURCE)
    counts = [len(part.starts) for part in parts]
    names, service_of = _coded((part.services, part.service_of) for part in parts)
    operations, operation_of = _coded((part.operations, part.operation_of) for part in parts)
    pods, pod_of = _coded(
        _pods(part.instances, part.instance_of, len(part.starts)) for part in parts
    )
    known = any(pods)
    joined = SpanTable(
        trace_ids=np.concatenate([part.trace_ids for part in parts]),
        span_ids=np.concatenate([part.span_ids for part in parts]),
        parent_ids=np.concatenate([part.parent_ids for part in parts]),
        services=names,
        service_of=service_of,
        operations=operations,
        operation_of=operation_of,
        starts=np.concatenate([part.starts for part in parts]),
        durations=np.concatenate([part.durations for part in parts]),
        instances=pods if known else (),
        instance_of=pod_of if known else None,
        statuses=_stacked([part.statuses for part in parts], counts),
        source=SOURCE,
    )
    return joined.rows(_ascending(joined.starts))


def _ascending(times: FloatArray) -> batches.Rows:
    return np.argsort(times, kind="stable")


def _pods(
    names: tuple[str, ...], codes: IntArray | None, count: int
) -> tuple[tuple[str, ...], IntArray]:
    return (names, codes) if codes is not None else (("",), np.zeros(count, dtype=np.int32))


def _coded(
    parts: Iterable[tuple[tuple[str, ...], IntArray]],
) -> tuple[tuple[str, ...], IntArray]:
    """One list of names for all parts, of those only that a row has, and each row's place in it."""
    place: dict[str, int] = {}
    codes = []
    for names, own in parts:
        used = np.zeros(len(names), dtype=np.int32)
        for code in np.unique(own).tolist():
            used[code] = place.setdefault(names[code], len(place))
        codes.append(used[own])
    return tuple(place), np.concatenate(codes)


def _stacked(columns: list[texts.Texts | None], counts: list[int]) -> texts.Texts | None:
    if all(column is None for column in columns):
        return None
    filled = (
        texts.column([""] * count) if column is None else column
        for column, count in zip(columns, counts, strict=True)
    )
    return np.concatenate(list(filled))
