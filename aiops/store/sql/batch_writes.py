"""Log lines and spans into batches: what is not kept yet of a window."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Generic, TypeVar

import numpy as np
from sqlalchemy import Connection, Table, or_, select

from aiops.analyze.logs.templates import MAX_CHARS, masked
from aiops.model import LogTable, SpanTable
from aiops.store.sql import batches, bulk, occurrences, services, texts
from aiops.store.sql.batches import UNDATED, Key, Packed
from aiops.store.sql.occurrences import Hashes, Kind
from aiops.store.sql.telemetry_tables import LOG_BATCHES, SPAN_BATCHES

MOVED_SLOTS = 60
"""How far apart two starts of one span are looked for: sources correct clocks by seconds, and an
hour is read quickly."""
T = TypeVar("T", bound=LogTable | SpanTable)
_Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Batch(Generic[T]):
    """A batch ready to be written.

    Attributes:
        rows: its lines or spans.
        packed: the same as bytes.
        digest: of these bytes.
    """

    key: Key
    rows: T
    packed: Packed
    digest: bytes


@dataclass(frozen=True, slots=True)
class _Modality(Generic[T]):
    table: Table
    cut: Callable[[T], Iterator[tuple[Key, T]]]
    pack: Callable[[T], Packed]
    unpack: Callable[[str, Packed], T]
    join: Callable[[T, T], T]

    def batch(self, key: Key, rows: T) -> Batch[T]:
        packed = self.pack(rows)
        return Batch(key, rows, packed, batches.digest(packed))


_LOGS = _Modality(
    LOG_BATCHES, batches.cut_logs, batches.pack_logs, batches.unpack_logs, batches.join_logs
)
_SPANS = _Modality(
    SPAN_BATCHES, batches.cut_spans, batches.pack_spans, batches.unpack_spans, batches.join_spans
)


def logs_in_batches(table: LogTable) -> list[Batch[LogTable]]:
    """The lines, ready to be written; needs no database and no lock."""
    return [_LOGS.batch(key, rows) for key, rows in _LOGS.cut(table)]


def spans_in_batches(table: SpanTable) -> list[Batch[SpanTable]]:
    """The spans, ready to be written; needs no database and no lock."""
    return [_SPANS.batch(key, rows) for key, rows in _SPANS.cut(table)]


def write_logs(connection: Connection, found: list[Batch[LogTable]]) -> None:
    """Keep what is not kept yet. Inside a transaction that writes alone."""
    new, kept = _not_kept(connection, _LOGS, found)
    _write(connection, _LOGS, new, kept)
    traces = ((one.key.slot, _ids(one.rows.trace_ids)) for one in new)
    occurrences.add(connection, Kind.LOG_TRACE, _by_slot(traces))
    templates = ((one.key.slot, templates_of(one.rows.messages.tolist())) for one in new)
    occurrences.add(connection, Kind.TEMPLATE, _by_slot(templates))


def write_spans(connection: Connection, found: list[Batch[SpanTable]]) -> None:
    """Keep what is not kept yet. Inside a transaction that writes alone."""
    new, kept = _not_kept(connection, _SPANS, found)
    traces = [occurrences.hashes(_ids(one.rows.trace_ids)) for one in new]
    new = list(_not_elsewhere(connection, new, traces))
    _write(connection, _SPANS, new, kept)
    hashed = ((one.key.slot, _ids(one.rows.trace_ids)) for one in new)
    occurrences.add(connection, Kind.SPAN_TRACE, _by_slot(hashed))


def template_of(message: str) -> str:
    """The id of the statement that wrote a line: equal for lines that differ in values only."""
    return _template(masked([message[:MAX_CHARS]])[0])


def templates_of(messages: Iterable[str]) -> set[str]:
    """The template ids of many lines."""
    distinct = [message[:MAX_CHARS] for message in dict.fromkeys(map(str, messages))]
    return {_template(shape) for shape in set(masked(distinct))}


def _template(shape: bytes) -> str:
    return blake2b(shape, digest_size=8).hexdigest()


def _not_kept(
    connection: Connection, modality: _Modality[T], found: list[Batch[T]]
) -> tuple[list[Batch[T]], dict[_Key, bytes]]:
    """The batches that differ from what is kept under their key, and the digests of all kept."""
    if not found:
        return [], {}
    table = modality.table
    number = services.numbered(connection, {one.key.service for one in found})
    dated = [one.key.slot for one in found if one.key.slot != UNDATED] or [UNDATED]
    query = select(table.c.slot, table.c.service_id, table.c.digest).where(
        or_(table.c.slot.between(min(dated), max(dated)), table.c.slot == UNDATED)
    )
    kept = {(row.slot, row.service_id): row.digest for row in connection.execute(query)}
    new = [one for one in found if kept.get((one.key.slot, number[one.key.service])) != one.digest]
    return new, kept


def _write(
    connection: Connection, modality: _Modality[T], new: list[Batch[T]], kept: dict[_Key, bytes]
) -> None:
    number = services.numbered(connection, {one.key.service for one in new})
    rows: list[bulk.Row] = []
    for one in new:
        key = (one.key.slot, number[one.key.service])
        digest, packed, count = one.digest, one.packed, _count(one.rows)
        if key in kept:
            rows_there = _read(connection, modality, one.key.service, key)
            joined = modality.join(rows_there, one.rows)
            packed, count = modality.pack(joined), _count(joined)
            digest = batches.digest(packed)
            if digest == kept[key]:
                continue
        rows.append((*key, count, digest, *packed))
    bulk.replace(connection, modality.table, rows, kept)


def _read(connection: Connection, modality: _Modality[T], service: str, key: _Key) -> T:
    table = modality.table
    columns = list(table.columns)[4:]
    query = select(*columns).where(table.c.slot == key[0], table.c.service_id == key[1])
    return modality.unpack(service, tuple(connection.execute(query).one()))


def _not_elsewhere(
    connection: Connection, new: list[Batch[SpanTable]], traces: list[Hashes]
) -> Iterator[Batch[SpanTable]]:
    """The batches without spans that are kept in another slot: a source may have moved them."""
    if not new:
        return
    slots = [one.key.slot for one in new]
    near = min(slots) - MOVED_SLOTS, max(slots) + MOVED_SLOTS
    known = occurrences.between(connection, Kind.SPAN_TRACE, *near)
    number = services.numbers(connection, {one.key.service for one in new})
    kept: dict[_Key, set[tuple[str, str]]] = {}
    for one, own in zip(new, traces, strict=True):
        twice: set[tuple[str, str]] = set()
        for slot in known.slots_of(own):
            if 0 < abs(slot - one.key.slot) <= MOVED_SLOTS:
                key = (slot, number[one.key.service])
                if key not in kept:
                    kept[key] = _span_ids(connection, key)
                twice |= kept[key]
        yield _without(one, twice)


def _without(batch: Batch[SpanTable], twice: set[tuple[str, str]]) -> Batch[SpanTable]:
    if not twice:
        return batch
    ids = zip(batch.rows.trace_ids.tolist(), batch.rows.span_ids.tolist(), strict=True)
    fresh = np.array([one not in twice for one in ids], dtype=np.bool_)
    return batch if fresh.all() else _SPANS.batch(batch.key, batch.rows.rows(fresh))


def _span_ids(connection: Connection, key: _Key) -> set[tuple[str, str]]:
    """The trace and span ids of a batch that is kept; none where there is no such batch."""
    columns = SPAN_BATCHES.c
    query = select(columns.trace_ids, columns.span_ids).where(
        columns.slot == key[0], columns.service_id == key[1]
    )
    row = connection.execute(query).one_or_none()
    if row is None:
        return set()
    return set(zip(texts.unpack(row.trace_ids), texts.unpack(row.span_ids), strict=True))


def _ids(column: texts.Texts | None) -> Iterable[str]:
    return () if column is None else set(map(str, column.tolist()))


def _by_slot(found: Iterable[tuple[int, Iterable[str]]]) -> dict[int, Hashes]:
    ids: dict[int, set[str]] = {}
    for slot, some in found:
        ids.setdefault(slot, set()).update(some)
    hashed = {slot: occurrences.hashes(some) for slot, some in ids.items()}
    return {slot: some for slot, some in hashed.items() if len(some)}


def _count(rows: LogTable | SpanTable) -> int:
    return len(rows.times if isinstance(rows, LogTable) else rows.starts)
