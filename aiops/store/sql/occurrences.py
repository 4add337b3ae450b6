"""In which slots an id occurs, without a row for each: traces and templates are found by it.

An id is a hash of 32 bits; a row holds those of one bucket of hashes in one slot of time. Looking
one up reads its bucket only, a few bytes a slot, and a hash that two ids share costs a look in
vain, never an answer: whoever asks compares the ids themselves.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from zlib import crc32

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select

from aiops.store.sql import bulk
from aiops.store.sql.telemetry_tables import OCCURRENCES

BUCKETS = 64
"""Enough that a month of slots is looked through in tens of milliseconds."""
Hashes = npt.NDArray[np.uint32]
_ROWS = OCCURRENCES.c


class Kind(IntEnum):
    """What an id is of."""

    SPAN_TRACE = 0
    LOG_TRACE = 1
    TEMPLATE = 2


def hashes(ids: Iterable[str]) -> Hashes:
    """(n,) the distinct hashes of ids, ascending; "" is none."""
    found = {crc32(one.encode("utf-8", "surrogatepass")) for one in ids if one}
    return np.array(sorted(found), dtype="<u4")


def add(connection: Connection, kind: Kind, seen: Mapping[int, Hashes]) -> None:
    """Note that ids of these hashes occur in these slots."""
    if not seen:
        return
    low, high = min(seen), max(seen)
    query = select(_ROWS.slot, _ROWS.bucket, _ROWS.hashes).where(
        _ROWS.kind == int(kind), _ROWS.slot.between(low, high)
    )
    kept = {(row.slot, row.bucket): row.hashes for row in connection.execute(query)}
    rows: list[bulk.Row] = []
    for slot, some in seen.items():
        buckets = some % BUCKETS
        for bucket in np.unique(buckets).tolist():
            own = some[buckets == bucket]
            before = kept.get((slot, bucket))
            if before is not None:
                old = np.frombuffer(before, dtype="<u4")
                own = np.union1d(old, own)
                if len(own) == len(old):
                    continue
            rows.append((int(kind), bucket, slot, own.astype("<u4").tobytes()))
    bulk.replace(connection, OCCURRENCES, rows, {(int(kind), b, s) for s, b in kept})


def slots_of(connection: Connection, kind: Kind, one: str) -> list[int]:
    """The slots in which the id may occur, ascending."""
    wanted = hashes([one])
    if not len(wanted):
        return []
    query = (
        select(_ROWS.slot, _ROWS.hashes)
        .where(_ROWS.kind == int(kind), _ROWS.bucket == int(wanted[0] % BUCKETS))
        .order_by(_ROWS.slot)
    )
    mark = wanted.tobytes()
    return [row.slot for row in connection.execute(query) if _holds(row.hashes, mark)]


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What occurs in a stretch of slots: (n,) hashes, ascending, and the slot of each."""

    hashes: Hashes
    slots: npt.NDArray[np.int64]

    def slots_of(self, wanted: Hashes) -> list[int]:
        """The slots in which one of the hashes occurs, ascending."""
        first = np.searchsorted(self.hashes, wanted, side="left")
        last = np.searchsorted(self.hashes, wanted, side="right")
        found = [self.slots[a:b] for a, b in zip(first, last, strict=True) if a < b]
        return np.unique(np.concatenate(found)).tolist() if found else []


def between(connection: Connection, kind: Kind, low: int, high: int) -> Seen:
    """What occurs in the slots from ``low`` to ``high``, both included."""
    query = select(_ROWS.slot, _ROWS.hashes).where(
        _ROWS.kind == int(kind), _ROWS.slot.between(low, high)
    )
    rows = connection.execute(query).all()
    hashed = np.frombuffer(b"".join(row.hashes for row in rows), dtype="<u4")
    counts = [len(row.hashes) // 4 for row in rows]
    slots = np.repeat(np.array([row.slot for row in rows], dtype=np.int64), counts)
    order = np.argsort(hashed, kind="stable")
    return Seen(hashed[order], slots[order])


def _holds(row: bytes, mark: bytes) -> bool:
    at = row.find(mark)
    while at % 4 and at > 0:
        at = row.find(mark, at + 1)
    return at >= 0
