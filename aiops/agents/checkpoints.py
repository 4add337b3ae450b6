"""Where runs are written down after every step, so that another process can take them up."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from aiops.errors import InvalidInput, StoreUnavailable

if TYPE_CHECKING:
    from langgraph.checkpoint.base import BaseCheckpointSaver

SQLITE: Final = "sqlite:///"
POSTGRESQL: Final = ("postgresql://", "postgres://")
SUFFIX: Final = ".runs"
"""Of SQLite's own file for runs beside the service's: writers of the two do not wait for each
other, and a backup of what people decided needs no half-done runs."""
BUSY_S: Final = 30.0


@contextmanager
def checkpoints(url: str) -> "Iterator[BaseCheckpointSaver[Any]]":
    """The checkpoints that belong to the service's database ``url``.

    Raises:
        InvalidInput: no such URL.
        StoreUnavailable: the file or the database cannot be opened.
    """
    from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

    # State is plain values; nothing else is ever made from what a file says.
    serde = JsonPlusSerializer(allowed_msgpack_modules=None)
    if url.startswith(SQLITE):
        from langgraph.checkpoint.sqlite import SqliteSaver

        with _sqlite(url.removeprefix(SQLITE)) as connection:
            yield SqliteSaver(connection, serde=serde)
    elif url.startswith(POSTGRESQL):
        with _postgresql(url) as saver:
            saver.serde = serde
            yield saver
    else:
        raise InvalidInput("setting 'database_url': use sqlite:///FILE or postgresql://...")


@contextmanager
def _sqlite(file: str) -> Iterator[sqlite3.Connection]:
    path = Path(f"{file}{SUFFIX}") if file else None
    try:
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        # One connection for all threads: the saver queues them itself.
        connection = sqlite3.connect(
            path if path is not None else ":memory:", timeout=BUSY_S, check_same_thread=False
        )
        connection.execute("PRAGMA synchronous = NORMAL")
    except (OSError, sqlite3.Error) as error:
        raise StoreUnavailable(f"{path} cannot be opened for runs ({error})") from error
    try:
        yield connection
    finally:
        connection.close()


@contextmanager
def _postgresql(url: str) -> "Iterator[Any]":
    import psycopg
    from langgraph.checkpoint.postgres import PostgresSaver

    try:
        # One connection for all threads of a run: the saver queues them itself.
        with PostgresSaver.from_conn_string(url) as saver:
            saver.setup()
            yield saver
    except psycopg.Error as error:
        raise StoreUnavailable(f"the database of runs does not answer ({error})") from error
