"""Numbers without gaps, visible in their order."""

from sqlalchemy import Connection, select, update

from aiops.store.sql.operations_tables import COUNTERS


def draw(connection: Connection, name: str, count: int = 1) -> int:
    """The last of ``count`` fresh numbers.

    Others who draw wait until this transaction ends, so that whoever sees a number can see all
    numbers below it; draw late in the transaction.
    """
    drawn: int = connection.execute(
        update(COUNTERS)
        .where(COUNTERS.c.name == name)
        .values(last=COUNTERS.c.last + count)
        .returning(COUNTERS.c.last)
    ).scalar_one()
    return drawn


def drawn(connection: Connection, name: str) -> int:
    """The last number that was drawn and committed; 0 before the first."""
    last: int = connection.scalars(select(COUNTERS.c.last).where(COUNTERS.c.name == name)).one()
    return last
