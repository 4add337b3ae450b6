"""The audit log in the database: triggers refuse changes, hashes show those made around them."""

import hashlib
from collections.abc import Iterator
from itertools import chain

from sqlalchemy import Connection, Engine, bindparam, insert, select

from aiops.model.investigation import AuditEntry
from aiops.store.codec import Codec
from aiops.store.sql.counters import draw, drawn
from aiops.store.sql.engine import reading, writing
from aiops.store.sql.operations_tables import AUDIT

COUNTER = "audit"
FIRST = "0" * 64
"""What stands for the hash before the first entry."""
_AT_ONCE = 1000
_ENTRY = Codec(AuditEntry)
# Made once: SQLAlchemy takes longer to build a statement than SQLite to run it.
_APPEND = insert(AUDIT)
_HASH = select(AUDIT.c.hash).where(AUDIT.c.number == bindparam("of"))


def chained(previous: str, number: int, body: str) -> str:
    """The hash of an entry: sha256 over the hash before it, its number and its canonical JSON.

    A hash chain (Haber and Stornetta, "How to time-stamp a digital document", 1991, section 5.1):
    whoever changes or removes an entry has to redo every hash after it.
    """
    return hashlib.sha256(f"{previous}\n{number}\n{body}".encode()).hexdigest()


class SqlAudit:
    """An AuditLog; see ``ports.repositories``. All of it raises StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def append(self, entry: AuditEntry) -> int:
        """Keep it last."""
        body = _ENTRY.write(entry)
        with writing(self._engine) as connection:
            number = draw(connection, COUNTER)
            row = {"number": number, "hash": "", "body": body}
            row["hash"] = chained(_hash_of(connection, number - 1), number, body)
            connection.execute(_APPEND, row)
        return number

    def entries(self, after: int = 0) -> Iterator[tuple[int, AuditEntry]]:
        """Those numbered above ``after`` that are there now."""
        with reading(self._engine) as connection:
            last = drawn(connection, COUNTER)
        pages = (self._page(first, last) for first in range(max(after, 0), last, _AT_ONCE))
        return chain.from_iterable(pages)

    def broken_at(self) -> int | None:
        """The number of the first entry that is missing or not as it was; None where all are."""
        previous, expected = FIRST, 1
        with reading(self._engine) as connection:
            last = drawn(connection, COUNTER)
            kept = select(AUDIT.c.number, AUDIT.c.hash, AUDIT.c.body)
            rows = connection.execute(kept.where(AUDIT.c.number <= last).order_by(AUDIT.c.number))
            for number, found, body in rows:
                if number != expected or found != chained(previous, number, body):
                    return expected
                previous, expected = found, expected + 1
        return None if expected == last + 1 else expected

    def seal(self) -> tuple[int, str]:
        """The number and the hash of the last entry.

        Kept elsewhere, they show it where somebody rewrites the whole log, hashes included.
        """
        with reading(self._engine) as connection:
            last = drawn(connection, COUNTER)
            return last, _hash_of(connection, last)

    def hash_of(self, number: int) -> str | None:
        """The hash of an entry; None where there is none."""
        with reading(self._engine) as connection:
            kept: str | None = connection.scalar(_HASH, {"of": number})
        return kept

    def _page(self, first: int, last: int) -> list[tuple[int, AuditEntry]]:
        page = (
            select(AUDIT.c.number, AUDIT.c.body)
            .where(AUDIT.c.number > first, AUDIT.c.number <= min(first + _AT_ONCE, last))
            .order_by(AUDIT.c.number)
        )
        with reading(self._engine) as connection:
            return [(number, _ENTRY.read(body)) for number, body in connection.execute(page)]


def _hash_of(connection: Connection, number: int) -> str:
    kept = connection.scalar(_HASH, {"of": number})
    return FIRST if kept is None else kept
