"""Forgetting telemetry by age, a little at a time, so that nobody who writes waits for long."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Engine, Table, and_, delete, func, select

from aiops.errors import InvalidWindow
from aiops.store.sql import batches, blocks
from aiops.store.sql.batches import UNDATED
from aiops.store.sql.blocks import WIDTH
from aiops.store.sql.engine import reading
from aiops.store.sql.operations_tables import INCIDENTS
from aiops.store.sql.telemetry import writing_telemetry
from aiops.store.sql.telemetry_tables import (
    BLOCKS,
    CHANGES,
    GRAPHS,
    LOG_BATCHES,
    OCCURRENCES,
    SERIES,
    SPAN_BATCHES,
)

SLOTS_AT_ONCE = 12
"""Slots forgotten in one transaction: tens of milliseconds."""
PAGES_AT_ONCE = 2000
"""Pages of SQLite given back to the disk in one transaction."""
Interval = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """How much was forgotten: rows, packed ones as they are packed."""

    blocks: int
    series: int
    log_batches: int
    span_batches: int
    changes: int
    graphs: int


def prune(engine: Engine, before: datetime, protected: Sequence[Interval] = ()) -> Forgotten:
    """Forget telemetry older than ``before``, except in the ``protected`` intervals.

    A slot of time goes as a whole, once all of it is older; lines of unknown time and the graph
    that still holds stay. Can be cut off at any moment and run again.

    Args:
        protected: what open incidents look at: [start, end), with time zones.

    Raises:
        InvalidWindow: a moment without a time zone.
        StoreUnavailable: see ``engine``.
    """
    for start, end in ((before, before), *protected):
        if start.tzinfo is None or end.tzinfo is None:
            raise InvalidWindow(start, end)
    long, short = (
        _Old(seconds, before.timestamp(), protected) for seconds in (blocks.SLOT_S, batches.SLOT_S)
    )
    samples = _slot_by_slot(engine, BLOCKS, long)
    lines = _slot_by_slot(engine, LOG_BATCHES, short)
    spans = _slot_by_slot(engine, SPAN_BATCHES, short)
    _slot_by_slot(engine, OCCURRENCES, short)
    with writing_telemetry(engine) as connection:
        series = _series(connection)
        outside = [~and_(CHANGES.c.at >= start, CHANGES.c.at < end) for start, end in protected]
        changes = connection.execute(delete(CHANGES).where(CHANGES.c.at < before, *outside))
        graphs = _graphs(connection, before, protected)
    _give_back(engine)
    return Forgotten(samples, series, lines, spans, changes.rowcount, graphs)


def looked_at(engine: Engine, before: timedelta, until: datetime) -> tuple[Interval, ...]:
    """What incidents that are not resolved look at: from ``before`` their opening ``until`` then.

    Raises:
        StoreUnavailable: see ``engine``.
    """
    query = select(INCIDENTS.c.opened_at).where(INCIDENTS.c.status != "resolved")
    with reading(engine) as connection:
        opened = sorted(connection.scalars(query))
    # All of it reaches until now, so the earliest holds the others.
    return ((opened[0] - before, until),) if opened else ()


class _Old:
    """Which slots of one length are old and not protected."""

    def __init__(self, seconds: int, before: float, protected: Sequence[Interval]) -> None:
        self.end = int(before // seconds)
        self._kept = [
            (int(start.timestamp() // seconds), int(end.timestamp() // seconds))
            for start, end in protected
        ]

    def among(self, slot: Column[Any]) -> ColumnElement[bool]:
        """The condition that says so."""
        kept = [~slot.between(first, last) for first, last in self._kept]
        return and_(slot != UNDATED, slot < self.end, *kept)


def _slot_by_slot(engine: Engine, table: Table, old: _Old) -> int:
    """Rows deleted, in transactions of a few slots each."""
    rows = 0
    while True:
        query = select(table.c.slot).where(old.among(table.c.slot)).distinct()
        with reading(engine) as connection:
            slots = connection.scalars(query.order_by(table.c.slot).limit(SLOTS_AT_ONCE)).all()
        if not slots:
            return rows
        with writing_telemetry(engine) as connection:
            rows += connection.execute(delete(table).where(table.c.slot.in_(slots))).rowcount


def _series(connection: Connection) -> int:
    """Series of blocks that are no more."""
    left = select(BLOCKS.c.block).where(BLOCKS.c.block == SERIES.c.id // WIDTH)
    return connection.execute(delete(SERIES).where(~left.exists())).rowcount


def _graphs(connection: Connection, before: datetime, protected: Sequence[Interval]) -> int:
    """All that were followed by another one before anything that is kept looks at them."""
    moments = [before, *(start for start, _ in protected)]
    held: set[datetime] = set()
    for moment in moments:
        latest = connection.scalar(select(func.max(GRAPHS.c.start)).where(GRAPHS.c.start <= moment))
        if latest is not None:
            held.add(latest if latest.tzinfo else latest.replace(tzinfo=UTC))
    inside = [~and_(GRAPHS.c.start >= start, GRAPHS.c.start < end) for start, end in protected]
    gone = delete(GRAPHS).where(GRAPHS.c.start < before, GRAPHS.c.start.not_in(held), *inside)
    return connection.execute(gone).rowcount


def _give_back(engine: Engine) -> None:
    """The room on the disk; PostgreSQL's autovacuum does it by itself."""
    if engine.dialect.name != "sqlite":
        return
    with engine.connect() as connection:
        driver: Any = connection.connection.driver_connection
        free, before = _free_pages(driver), 0
        while free and free != before:
            # A script, because this statement frees a page a step and the others take one step.
            driver.executescript(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})")
            free, before = _free_pages(driver), free


def _free_pages(driver: Any) -> int:
    (count,) = driver.execute("PRAGMA freelist_count").fetchone()
    return int(count)
