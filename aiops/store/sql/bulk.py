"""Many rows at once, in the way that is quick on each engine."""

from collections.abc import Iterable, Sequence

from sqlalchemy import (
    BigInteger,
    Connection,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
    bindparam,
    delete,
)

from aiops.errors import StoreUnavailable
from aiops.store.sql.engine import place
from aiops.store.sql.failures import why_unavailable

Row = tuple[object, ...]
_COPIED = ((LargeBinary, "bytea"), (SmallInteger, "int2"), (BigInteger, "int8"), (Integer, "int4"))


def insert(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Rows of whole numbers and bytes, in the order of the table's columns.

    Raises:
        StoreUnavailable: see ``engine``.
    """
    if not rows:
        return
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    if connection.dialect.name != "postgresql":
        marks = ", ".join("?" * len(table.columns))
        statement = f"INSERT INTO {table.name} ({names}) VALUES ({marks})"  # noqa: S608  ours
        connection.exec_driver_sql(statement, list(rows))
        return
    _copy(connection, table, names, rows)


def replace(connection: Connection, table: Table, rows: Sequence[Row], kept: Iterable[Row]) -> None:
    """Insert ``rows``; those whose key is in ``kept`` replace what is there."""
    keys = list(table.primary_key.columns)
    there = set(kept)
    gone = [
        {f"key_{column.name}": value for column, value in zip(keys, row, strict=False)}
        for row in rows
        if row[: len(keys)] in there
    ]
    if gone:
        wanted = [column == bindparam(f"key_{column.name}") for column in keys]
        connection.execute(delete(table).where(*wanted), gone)
    insert(connection, table, rows)


def _copy(connection: Connection, table: Table, names: str, rows: Sequence[Row]) -> None:
    import psycopg

    types = [
        next(name for kind, name in _COPIED if isinstance(column.type, kind))
        for column in table.columns
    ]
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)  # noqa: S101  for the type checker
    statement = f"COPY {table.name} ({names}) FROM STDIN (FORMAT BINARY)"
    try:
        with driver.cursor() as cursor, cursor.copy(statement.encode()) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        reason = why_unavailable(error)
        if reason is None:
            raise
        if driver.closed:
            connection.invalidate(error)
        raise StoreUnavailable(f"{place(connection.engine)}: {reason}") from error
