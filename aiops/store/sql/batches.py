"""A batch: the log lines or the spans of one service in one minute, column by column.

Rows are in the order of time. What makes repeated appending cheap is the digest: a batch that is
there already is known by it, and only one that differs is read and joined.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from aiops.model import LogTable, SpanTable
from aiops.model.rows import LogLine, Span, log_lines, log_table, span_table, spans
from aiops.model.telemetry import FloatArray, IntArray
from aiops.store.sql import floats, texts

SLOT_S = 60
"""Seconds of a slot."""
_FARTHEST = 2**60
UNDATED = -(2**62)
"""The slot of lines whose time is unknown."""

Slots = npt.NDArray[np.int64]
Rows = npt.NDArray[np.intp]
Packed = tuple[bytes, ...]
"""The columns of a batch as bytes, in the order of its table's."""


def slots_of(times: FloatArray) -> Slots:
    """(n,) the slot of each time."""
    known = np.nan_to_num(np.floor(times / SLOT_S), nan=0.0)
    slots: Slots = np.clip(known, -_FARTHEST, _FARTHEST).astype(np.int64)
    slots[np.isnan(times)] = UNDATED
    return slots


def slots(low: float, high: float) -> tuple[int, int]:
    """The first and the last slot with a time in low <= time < high."""
    return int(low // SLOT_S), int(np.nextafter(high, -np.inf) // SLOT_S)


@dataclass(frozen=True, slots=True)
class Key:
    """Which batch."""

    slot: int
    service: str


def digest(packed: Packed) -> bytes:
    """What tells two batches apart."""
    made = blake2b(digest_size=16)
    for column in packed:
        made.update(len(column).to_bytes(8, "little"))
        made.update(column)
    return made.digest()


# ---- log lines


def cut_logs(table: LogTable) -> Iterator[tuple[Key, LogTable]]:
    """The lines of each service and slot, in the order of time."""
    for key, rows in _cut(table.times, table.services, table.service_of):
        yield key, table.rows(rows)


def pack_logs(table: LogTable) -> Packed:
    """trace_ids, times, span_ids, instances, messages."""
    return (
        _texts(table.trace_ids),
        floats.pack_row(table.times),
        _texts(table.span_ids),
        _names(table.instances, table.instance_of),
        texts.pack(_plain(table.messages)),
    )


def unpack_logs(service: str, packed: Packed) -> LogTable:
    """The lines of one batch."""
    trace_ids, times, span_ids, instances, messages = packed
    names, instance_of = texts.unpack_coded(instances)
    moments = floats.unpack_row(times)
    return LogTable(
        times=moments,
        services=(service,),
        service_of=np.zeros(len(moments), dtype=np.int32),
        messages=texts.unpack(messages),
        instances=tuple(names),
        instance_of=instance_of if names else None,
        trace_ids=_unless_empty(trace_ids),
        span_ids=_unless_empty(span_ids),
    )


def join_logs(kept: LogTable, more: LogTable) -> LogTable:
    """Equal lines as often as in the one that has most of them."""
    lines = Counter(log_lines(kept)) | Counter(log_lines(more))
    return log_table(sorted(lines.elements(), key=_moment))


def _moment(line: LogLine) -> float:
    return 0.0 if line.time is None else line.time


# ---- spans


def cut_spans(table: SpanTable) -> Iterator[tuple[Key, SpanTable]]:
    """The spans of each service and slot, in the order of their starts; the first of equal ids."""
    keys = zip(table.trace_ids, table.span_ids, table.service_of.tolist(), strict=True)
    first = {key: row for row, key in reversed(list(enumerate(keys)))}
    if len(first) < len(table.starts):
        table = table.rows(np.sort(np.fromiter(first.values(), dtype=np.intp, count=len(first))))
    for key, rows in _cut(table.starts, table.services, table.service_of):
        yield key, table.rows(rows)


def pack_spans(table: SpanTable) -> Packed:
    """trace_ids, span_ids, parent_ids, operations, instances, statuses, starts, durations."""
    return (
        _texts(table.trace_ids),
        _texts(table.span_ids),
        _texts(table.parent_ids),
        _names(table.operations, table.operation_of),
        _names(table.instances, table.instance_of),
        _texts(table.statuses),
        floats.pack_row(table.starts),
        floats.pack_row(table.durations),
    )


def unpack_spans(service: str, packed: Packed) -> SpanTable:
    """The spans of one batch."""
    trace_ids, span_ids, parent_ids, operations, instances, statuses, starts, durations = packed
    names, operation_of = texts.unpack_coded(operations)
    pods, instance_of = texts.unpack_coded(instances)
    moments = floats.unpack_row(starts)
    count = len(moments)
    return SpanTable(
        trace_ids=_filled(trace_ids, count),
        span_ids=_filled(span_ids, count),
        parent_ids=_filled(parent_ids, count),
        services=(service,),
        service_of=np.zeros(count, dtype=np.int32),
        operations=tuple(names) if names else ("",),
        operation_of=operation_of if names else np.zeros(count, dtype=np.int32),
        starts=moments,
        durations=floats.unpack_row(durations),
        instances=tuple(pods),
        instance_of=instance_of if pods else None,
        statuses=_unless_empty(statuses),
    )


def join_spans(kept: SpanTable, more: SpanTable) -> SpanTable:
    """One span for each trace and span id: the one that is kept, else the first."""
    found: dict[tuple[str, str], Span] = {}
    for span in (*spans(kept), *spans(more)):
        found.setdefault((span.trace_id, span.span_id), span)
    return span_table(sorted(found.values(), key=lambda span: span.start))


# ---- both


def _cut(
    times: FloatArray, names: tuple[str, ...], service_of: IntArray
) -> Iterator[tuple[Key, Rows]]:
    if not len(times):
        return
    number = {name: i for i, name in enumerate(dict.fromkeys(names))}  # a name may stand twice
    service = np.array([number[name] for name in names], dtype=np.int32)[service_of]
    slot = slots_of(times)
    order = np.lexsort((times, slot, service))
    edges = np.flatnonzero(np.diff(slot[order]) | np.diff(service[order])) + 1
    for rows in np.split(order, edges):
        yield Key(int(slot[rows[0]]), names[service_of[rows[0]]]), rows


def _names(names: tuple[str, ...], codes: IntArray | None) -> bytes:
    if codes is None:
        return b""
    known = [names[code] for code in codes.tolist()]
    return texts.pack(known) if any(known) else b""


def _texts(column: texts.Texts | None) -> bytes:
    if column is None:
        return b""
    known = _plain(column)
    return texts.pack(known) if any(known) else b""


def _plain(column: texts.Texts) -> list[str]:
    return [text if type(text) is str else str(text) for text in column.tolist()]


def _unless_empty(packed: bytes) -> texts.Texts | None:
    return texts.unpack(packed) if packed else None


def _filled(packed: bytes, count: int) -> texts.Texts:
    return texts.unpack(packed) if packed else texts.column([""] * count)
