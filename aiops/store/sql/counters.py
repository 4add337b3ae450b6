"""Numbers without gaps, visible in their order."""

from sqlalchemy import Connection, bindparam, select, update

from aiops.store.sql.operations_tables import COUNTERS

# Made once: SQLAlchemy takes longer to build a statement than SQLite to run it.
_DRAW = (
    update(COUNTERS)
    .where(COUNTERS.c.name == bindparam("of"))
    .values(last=COUNTERS.c.last + bindparam("count"))
    .returning(COUNTERS.c.last)
)
_DRAWN = select(COUNTERS.c.last).where(COUNTERS.c.name == bindparam("of"))


def draw(connection: Connection, name: str, count: int = 1) -> int:
    """The last of ``count`` fresh numbers.

    Others who draw wait until this transaction ends, so that whoever sees a number can see all
    numbers below it; draw late in the transaction.
    """
    drawn: int = connection.execute(_DRAW, {"of": name, "count": count}).scalar_one()
    return drawn


def drawn(connection: Connection, name: str) -> int:
    """The last number that was drawn and committed; 0 before the first."""
    last: int = connection.scalars(_DRAWN, {"of": name}).one()
    return last
