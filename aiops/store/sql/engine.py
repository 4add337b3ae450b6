"""Opening a database: what both engines need to serve many threads and processes safely.

What goes wrong in the database comes out as StoreUnavailable, from whatever is done with the
engine, and leaves nothing half-written: every write is one transaction.
"""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import ArgumentError, TimeoutError  # noqa: A004

from aiops.errors import InvalidInput, StoreUnavailable
from aiops.store.sql.failures import why_unavailable

BINARY = "aiops_binary"
"""Execution option of a query for whole numbers and many bytes: its rows come in as they are."""
__all__ = ["Engine", "open_engine", "place", "reading", "writing"]

_WRITES = "aiops_writes"
POOL = 10
"""Connections kept open, and as many again under load."""
PATIENCE_S = 30
"""How long a thread waits for one of them."""
BUSY_S = 5
"""How long one writer waits for another on SQLite."""
LONG_LOG, LONGEST_LOG = 4_096, 32_768
"""Pages of the write-ahead log (16, 128 MiB) at which it begins anew, and at which whoever commits
has to copy it into the file."""
_RESTART_MS = 20
_LOOK_AGAIN_S = 0.001
_BEGIN_WRITING = "BEGIN IMMEDIATE"
IDLE_MS = 30_000
"""How long PostgreSQL leaves the locks of a transaction to a process that stands still."""
_QUEUES: WeakKeyDictionary[Engine, Lock] = WeakKeyDictionary()
_NEW_FILE_PRAGMA = "auto_vacuum = INCREMENTAL"  # retention gives the room back
_SQLITE_PRAGMAS = (
    f"busy_timeout = {BUSY_S * 1000}",
    "synchronous = NORMAL",  # in WAL a power cut may lose the last commits, never the file
    "foreign_keys = ON",
    "cache_size = -65536",
    "temp_store = MEMORY",
    "journal_size_limit = 67108864",
    f"wal_autocheckpoint = {LONGEST_LOG}",
)


def open_engine(url: str, *, application: str = "aiops") -> Engine:
    """An engine for ``sqlite:///FILE`` or ``postgresql://...``; connects at first use.

    The folder and the file of SQLite are made, readable by their owner only.

    Args:
        url: where the database is.
        application: what PostgreSQL shows as application_name.

    Raises:
        InvalidInput: no such URL.
        StoreUnavailable: the folder or the file cannot be made.
    """
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise InvalidInput(f"setting 'database_url': not a URL; {_FORMS}") from error
    match parsed.get_backend_name():
        case "sqlite":
            engine = _sqlite(parsed)
        case "postgresql" | "postgres":
            engine = _postgresql(parsed, application)
        case other:
            raise InvalidInput(f"setting 'database_url': {other!r} is no engine we know; {_FORMS}")
    event.listen(engine, "handle_error", _as_unavailable)
    return engine


_FORMS = "use sqlite:///FILE or postgresql://USER@HOST/NAME"


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection to read by; on SQLite everything read in it is of one moment.

    Raises:
        StoreUnavailable: the database does not answer.
    """
    with _patiently(engine), engine.begin() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that may write: committed at the end, or nothing of it where that raises.

    On SQLite it waits for the other writers first, so what it reads is what it changes; those of
    this process it waits for in a queue, because SQLite itself only looks again now and then.

    Raises:
        StoreUnavailable: the database does not answer, is locked for too long, or is full.
    """
    with (
        _patiently(engine),
        _after_others(engine),
        engine.connect() as connection,
        connection.execution_options(**{_WRITES: True}).begin(),
    ):
        yield connection


def checkpoint(engine: Engine) -> None:
    """Copy SQLite's write-ahead log into its file. Elsewhere: nothing.

    Done now and then by one thread, no commit has to do it. Others go on writing meanwhile, but for
    the moment in which a long log begins anew. Raises StoreUnavailable.
    """
    if engine.dialect.name != "sqlite":
        return
    with _patiently(engine), engine.connect() as connection:
        raw: Any = connection.connection.driver_connection
        try:  # past the engine, which would begin a transaction first
            _, pages, _ = raw.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
            if pages > LONG_LOG:  # while others write all the time, it never comes to its end
                raw.execute(f"PRAGMA busy_timeout = {_RESTART_MS}")
                raw.execute("PRAGMA wal_checkpoint(RESTART)")
        except sqlite3.Error as error:
            reason = why_unavailable(error) or str(error)
            raise StoreUnavailable(f"{place(engine)}: {reason}") from error
        finally:
            raw.execute(f"PRAGMA busy_timeout = {BUSY_S * 1000}")


def place(engine: Engine) -> str:
    """The database as a person knows it, without the password."""
    if engine.dialect.name == "sqlite":
        return str(engine.url.database)
    return engine.url.set(drivername="postgresql").render_as_string(hide_password=True)


@contextmanager
def _after_others(engine: Engine) -> Iterator[None]:
    queue = _QUEUES.get(engine)
    if queue is None:
        yield
        return
    if not queue.acquire(timeout=BUSY_S):
        raise StoreUnavailable(
            f"{place(engine)}: another write has been going on for {BUSY_S} s; repeat"
        )
    try:
        yield
    finally:
        queue.release()


@contextmanager
def _patiently(engine: Engine) -> Iterator[None]:
    try:
        yield
    except TimeoutError as error:
        raise StoreUnavailable(
            f"{place(engine)}: all {2 * POOL} connections have been in use for {PATIENCE_S} s; "
            "start fewer requests at once"
        ) from error


def _as_unavailable(context: ExceptionContext) -> None:
    reason = why_unavailable(context.original_exception)
    if reason is not None and context.engine is not None:
        raise StoreUnavailable(f"{place(context.engine)}: {reason}") from context.original_exception


def _sqlite(url: URL) -> Engine:
    if url.database in (None, "", ":memory:"):
        raise InvalidInput("setting 'database_url': SQLite needs a file: sqlite:///FILE")
    file = Path(str(url.database))
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
    except OSError as error:
        raise StoreUnavailable(f"{file}: cannot be made: {error.strerror}") from error
    engine = create_engine(url, pool_size=POOL, max_overflow=POOL, pool_timeout=PATIENCE_S)
    _QUEUES[engine] = Lock()

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, record: object) -> None:
        del record
        connection.isolation_level = None  # BEGIN is ours, below; the driver's comes too late
        for pragma in _SQLITE_PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")
        # Set only where they are not: setting them locks the file, though nothing changes.
        if connection.execute("PRAGMA page_count").fetchone() == (0,):
            connection.execute(f"PRAGMA {_NEW_FILE_PRAGMA}")
        if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            connection.execute("PRAGMA journal_mode = WAL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        if connection.get_execution_options().get(_WRITES, False):
            _lock(connection)
        else:
            connection.exec_driver_sql("BEGIN")

    return engine


def _lock(connection: Connection) -> None:
    """Begin a transaction that writes as soon as no other process does.

    SQLite's own waiting looks again after up to 100 ms, when a third may have come first: between
    two processes that write all the time that makes seconds. So it is asked more often.
    """
    raw: Any = connection.connection.driver_connection
    until = time.monotonic() + BUSY_S
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        while (refused := _refused(raw)) is not None:
            if refused != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                connection.exec_driver_sql(_BEGIN_WRITING)  # raises, in words for people
                return
            time.sleep(_LOOK_AGAIN_S)
    finally:
        raw.execute(f"PRAGMA busy_timeout = {BUSY_S * 1000}")


def _refused(raw: sqlite3.Connection) -> int | None:
    """Try to begin; why not, as SQLite's primary code, or None."""
    try:
        raw.execute(_BEGIN_WRITING)
    except sqlite3.OperationalError as error:
        return error.sqlite_errorcode & 0xFF
    return None


def _postgresql(url: URL, application: str) -> Engine:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        pool_size=POOL,
        max_overflow=POOL,
        pool_timeout=PATIENCE_S,
        pool_pre_ping=True,  # a server that was restarted costs a reconnect, not an error
        connect_args={
            "application_name": application,
            "connect_timeout": 5,
            "options": f"-c timezone=UTC -c idle_in_transaction_session_timeout={IDLE_MS}",
            "keepalives_idle": 30,
        },
    )

    @event.listens_for(engine, "before_cursor_execute")
    def ask(connection: object, cursor: Any, *statement: Any) -> None:
        del connection
        context = statement[2]
        if context is not None and context.execution_options.get(BINARY):
            cursor.format = 1  # as text, bytes come in twice their size

    return engine
