"""Transactions over incidents, one at a time in the whole installation.

PostgreSQL has a lock for it that ends with the transaction. On SQLite the turn is a lock on a file
beside the database, apart from the database's own lock: whoever has the turn reads and decides
while others still write (deliveries, telemetry), and locks the database only to write down.
"""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock

from sqlalchemy import Connection, Engine, text

from aiops.errors import StoreUnavailable
from aiops.store.sql.engine import place, reading, writing

PATIENCE_S = 30.0
"""How long a transaction waits for its turn: hundreds of others can be had in that time."""
_LOOK_AGAIN_S = 0.005
_LOCK = 0x696E636964  # any number, the same in every process: "incid"


class Turn:
    """The connection of the transaction whose turn it is."""

    def __init__(self, connection: Connection, begin_writing: Callable[[], Connection]) -> None:
        self.connection, self._begin_writing = connection, begin_writing
        self._writes = False

    def writes(self) -> Connection:
        """The connection to write by; from now on also the one to read by."""
        if not self._writes:
            self.connection, self._writes = self._begin_writing(), True
        return self.connection


class Turns:
    """Hands out turns.

    Args:
        engine: of the database whose incidents these are.
        patience_s: how long to wait for one.
    """

    def __init__(self, engine: Engine, *, patience_s: float = PATIENCE_S) -> None:
        self._engine, self._patience_s = engine, patience_s
        self._here = Lock()  # threads of this process need not look at the file by turns

    @contextmanager
    def take(self) -> Iterator[Turn]:
        """A transaction with nobody beside it; undone by an exception.

        Raises:
            StoreUnavailable: others had their turn for too long, or the database fails.
        """
        if self._engine.dialect.name != "sqlite":
            with writing(self._engine) as connection:
                self._wait_for_lock(connection)
                yield Turn(connection, lambda: connection)
            return
        until = time.monotonic() + self._patience_s
        if not self._here.acquire(timeout=self._patience_s):
            raise self._too_long()
        try:
            with self._file_locked(until), ExitStack() as stack:
                yield Turn(
                    stack.enter_context(reading(self._engine)),
                    lambda: stack.enter_context(writing(self._engine)),
                )
        finally:
            self._here.release()

    def _wait_for_lock(self, connection: Connection) -> None:
        patience = f"{int(self._patience_s * 1000)}ms"
        connection.execute(text("SELECT set_config('lock_timeout', :t, true)"), {"t": patience})
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})

    @contextmanager
    def _file_locked(self, until: float) -> Iterator[None]:
        file = Path(f"{self._engine.url.database}-turn")
        try:
            handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreUnavailable(f"{file}: cannot be opened: {error.strerror}") from error
        try:
            while not _locked(handle):
                if time.monotonic() > until:
                    raise self._too_long()
                time.sleep(_LOOK_AGAIN_S)
            yield
        finally:
            os.close(handle)  # which ends the lock, as the end of the process does

    def _too_long(self) -> StoreUnavailable:
        return StoreUnavailable(
            f"{place(self._engine)}: other changes of incidents have been going on for "
            f"{self._patience_s:g} s; stop the process that hangs, or repeat"
        )


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        raise StoreUnavailable(f"the disk does not lock files: {error.strerror}") from error
    return True
