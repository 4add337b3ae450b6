"""Blocks back into one metric table."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from sqlalchemy import Connection, select

from aiops.model import Entity, MetricTable, Series
from aiops.model.telemetry import FloatArray
from aiops.store.sql import blocks, services
from aiops.store.sql.blocks import WIDTH, Block
from aiops.store.sql.engine import BINARY
from aiops.store.sql.telemetry_tables import BLOCKS, SERIES

SOURCE = "telemetry store"


def read(
    connection: Connection, names: Sequence[str] | None, low: float, high: float
) -> MetricTable:
    """The samples of all series of these services with low <= time < high, on one clock."""
    series = _series(connection, names)
    found = _blocks(connection, {number // WIDTH for number in series}, low, high)
    wanted = np.array(sorted(series), dtype=np.int64)
    some = np.zeros(len(wanted), dtype=np.bool_)
    parts: list[Block] = []
    for block in found:
        rows = np.isin(block.series, wanted, assume_unique=True)
        first, last = np.searchsorted(block.times, [low, high])
        part = Block(block.series[rows], block.times[first:last], block.values[rows, first:last])
        parts.append(part)
        some[np.searchsorted(wanted, part.series)] |= ~np.isnan(part.values).all(axis=1)
    wanted = wanted[some]
    times = _union([part.times for part in parts])
    values = np.full((len(wanted), len(times)), np.nan)
    for part in parts:
        _place(values, wanted, times, part)
    return MetricTable(times, values.T, tuple(series[n] for n in wanted.tolist()), SOURCE)


def _place(values: FloatArray, wanted: blocks.Numbers, times: FloatArray, part: Block) -> None:
    own = np.isin(part.series, wanted, assume_unique=True)
    if not own.any() or not len(part.times):
        return
    rows = np.searchsorted(wanted, part.series[own])
    columns = np.searchsorted(times, part.times)
    first, last = int(columns[0]), int(columns[-1]) + 1
    if last - first == len(columns) and rows[-1] - rows[0] + 1 == len(rows):
        values[rows[0] : rows[-1] + 1, first:last] = part.values[own]  # the usual one: no gaps
    else:
        values[np.ix_(rows, columns)] = part.values[own]


def _union(clocks: list[FloatArray]) -> FloatArray:
    """All times, each once, ascending; most blocks share their clock with others."""
    distinct = {clock.tobytes(): clock for clock in clocks}
    return np.unique(np.concatenate([np.empty(0), *distinct.values()]))


def _blocks(connection: Connection, numbers: set[int], low: float, high: float) -> list[Block]:
    query = (
        select(BLOCKS.c.slot, BLOCKS.c.block, BLOCKS.c.samples)
        .where(BLOCKS.c.slot.between(*blocks.slots(low, high)))
        .execution_options(**{BINARY: True})
    )
    if len(numbers) <= services.MANY:
        query = query.where(BLOCKS.c.block.in_(numbers))
    return [
        blocks.decode(row.slot, row.block, row.samples)
        for row in connection.execute(query)
        if row.block in numbers
    ]


def _series(connection: Connection, names: Sequence[str] | None) -> dict[int, Series]:
    """Number -> series of these services."""
    query = select(SERIES)
    if names is not None:
        query = query.where(SERIES.c.service_id.in_(services.chosen(connection, names)))
    return {row.id: _one(row.content) for row in connection.execute(query)}


def _one(content: dict[str, Any]) -> Series:
    return Series(**{**content, "entity": Entity(**content["entity"])})
