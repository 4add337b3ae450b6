"""A database that is there when it is complete, and not before."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError

from aiops.errors import StoreUnavailable, WrongState
from aiops.store.sql.engine import open_engine
from aiops.store.sql.failures import why_unavailable

_BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite keeps of one database."""


@contextmanager
def whole(url: str, *, application: str = "aiops") -> Iterator[Engine]:
    """An engine for a database that is to be filled, all or nothing.

    A SQLite file that is not there yet is made under another name beside its place, and put there
    once the block ends; where the block raises, or the process dies, the place stays empty. Any
    other database is opened as it is: there the caller's one transaction sees to that. (Exchanging
    the file of a database in use would leave other processes at the old one.)

    Raises:
        InvalidInput: no such URL.
        StoreUnavailable: the file cannot be made or written.
        WrongState: somebody else made the file meanwhile.
    """
    file = _file(url)
    if file is None or file.exists():
        engine = open_engine(url, application=application)
        try:
            yield engine
        finally:
            engine.dispose()
        return
    unfinished = file.with_name(f".{file.name}.unfinished")
    _remove(unfinished)  # of a process that died
    try:
        engine = open_engine(f"sqlite:///{unfinished}", application=application)
        try:
            yield engine
        finally:
            engine.dispose()
        _settle(unfinished, file)
    finally:
        _remove(unfinished)


def _file(url: str) -> Path | None:
    try:
        parsed = make_url(url)
    except ArgumentError:
        return None  # opening says what is wrong with it
    if parsed.get_backend_name() != "sqlite" or parsed.database in (None, "", ":memory:"):
        return None
    return Path(str(parsed.database))


def _settle(unfinished: Path, file: Path) -> None:
    """Have all of it in the one file, on the disk, and put that in its place."""
    try:
        with closing(sqlite3.connect(unfinished)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")  # copies the write-ahead log in
        if file.exists():
            raise WrongState(f"database {file}", "was made by somebody else meanwhile; look at it")
        unfinished.replace(file)
    except sqlite3.Error as error:
        raise StoreUnavailable(f"{file}: {why_unavailable(error) or error}") from error
    except OSError as error:
        raise StoreUnavailable(f"{file}: cannot be put in place: {error.strerror}") from error


def _remove(unfinished: Path) -> None:
    for ending in _BESIDE:
        unfinished.with_name(unfinished.name + ending).unlink(missing_ok=True)
