"""Samples into blocks: what is not kept yet of a metric table."""

from collections.abc import Iterator
from dataclasses import asdict

import numpy as np
from sqlalchemy import Connection, func, insert, select

from aiops.errors import AlreadyKept
from aiops.model import MetricTable, Series
from aiops.store.sql import blocks, bulk, services
from aiops.store.sql.blocks import SLOT_S, WIDTH, Block, Numbers
from aiops.store.sql.telemetry_tables import BLOCKS, SERIES

_Key = tuple[int, int]


def write(connection: Connection, table: MetricTable) -> None:
    """Keep what is not kept yet. Inside a transaction that writes alone.

    Raises:
        AlreadyKept: a column is kept for another entity or metric.
        StoreUnavailable: see ``engine``.
    """
    numbers = _numbered(connection, table)
    if not len(table.times) or not len(numbers):
        return
    new = dict(_cut(table, numbers))
    kept = _kept(connection, new)
    rows: list[bulk.Row] = []
    for (slot, number), block in new.items():
        before = kept.get((slot, number))
        joined = before.joined(block) if before is not None else block
        if before is None or not before.same(joined):
            rows.append((slot, number, blocks.encode(slot, joined)))
    bulk.replace(connection, BLOCKS, rows, kept.keys())


def _cut(table: MetricTable, numbers: Numbers) -> Iterator[tuple[_Key, Block]]:
    """The table in blocks: slot by slot, series by their numbers."""
    order = np.argsort(numbers)
    ordered = numbers[order]
    edges = np.flatnonzero(np.diff(ordered // WIDTH)) + 1
    slots = np.floor(table.times / SLOT_S).astype(np.int64)
    starts = np.flatnonzero(np.diff(slots, prepend=slots[0] - 1))
    for low, high in zip(starts, [*starts[1:], len(slots)], strict=True):
        slot = int(slots[low])
        across = np.ascontiguousarray(table.values[low:high].T)[order]
        times = table.times[low:high]
        for first, last in zip([0, *edges], [*edges, len(ordered)], strict=True):
            block = blocks.cut(ordered[first:last], times, across[first:last])
            if block is not None:
                yield (slot, int(ordered[first] // WIDTH)), block


def _kept(connection: Connection, new: dict[_Key, Block]) -> dict[_Key, Block]:
    """The blocks that are there already."""
    if not new:
        return {}
    slots = [slot for slot, _ in new]
    keys = select(BLOCKS.c.slot, BLOCKS.c.block).where(
        BLOCKS.c.slot.between(min(slots), max(slots))
    )
    there = sorted({row.slot for row in connection.execute(keys) if (row.slot, row.block) in new})
    return {
        (row.slot, row.block): blocks.decode(row.slot, row.block, row.samples)
        for some in services.in_parts(there)
        for row in connection.execute(select(BLOCKS).where(BLOCKS.c.slot.in_(some)))
        if (row.slot, row.block) in new
    }


def _numbered(connection: Connection, table: MetricTable) -> Numbers:
    """(m,) the number of each column's series; new series get neighbouring ones by service."""
    digests = [services.digest(series.column) for series in table.series]
    number_of: dict[bytes, int] = {}
    content_of: dict[bytes, dict[str, object]] = {}
    for some in services.in_parts(digests):
        query = select(SERIES.c.digest, SERIES.c.id, SERIES.c.content).where(
            SERIES.c.digest.in_(some)
        )
        for row in connection.execute(query):
            number_of[row.digest], content_of[row.digest] = row.id, row.content
    new: dict[bytes, Series] = {}
    for key, series in zip(digests, table.series, strict=True):
        kept = content_of.get(key)
        if kept is None:
            new[key] = series
        elif (kept["entity"], kept["metric"]) != (asdict(series.entity), series.metric):
            raise AlreadyKept("column", series.column)
    if new:
        number_of |= _added(connection, new)
    return np.array([number_of[key] for key in digests], dtype=np.int64)


def _added(connection: Connection, new: dict[bytes, Series]) -> dict[bytes, int]:
    service = services.numbered(connection, {one.entity.service_name for one in new.values()})
    ordered = sorted(new.items(), key=lambda one: (one[1].entity.service_name, one[1].column))
    highest = connection.scalar(select(func.max(SERIES.c.id)))
    first = 0 if highest is None else int(highest) + 1
    rows = [
        {
            "id": number,
            "digest": key,
            "service_id": service[one.entity.service_name],
            "content": asdict(one),
        }
        for number, (key, one) in enumerate(ordered, first)
    ]
    connection.execute(insert(SERIES), rows)
    return {key: number for number, (key, _) in enumerate(ordered, first)}
