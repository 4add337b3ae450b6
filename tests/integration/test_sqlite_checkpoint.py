"""SQLite's write-ahead log is copied into the file by whoever has the time for it."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import make_url

from aiops.model.alert import Delivery
from aiops.store.sql.engine import checkpoint, open_engine
from aiops.store.sql.inbox import SqlInbox


def kept_in_the_file_alone(url: str, folder: Path) -> int:
    """What waits in a copy of the file without its log."""
    copy = folder / "copy.db"
    shutil.copyfile(str(make_url(url).database), copy)
    engine = open_engine(f"sqlite:///{copy}")
    try:
        return SqlInbox(engine).waiting()
    finally:
        engine.dispose()


def test_a_checkpoint_moves_what_was_committed_from_the_log_into_the_file(
    sqlite_url: str, tmp_path: Path
) -> None:
    engine = open_engine(sqlite_url)
    deliveries = [Delivery(f"d{n}", "prom", datetime.now(UTC), ()) for n in range(3000)]
    SqlInbox(engine).put(deliveries)
    assert kept_in_the_file_alone(sqlite_url, tmp_path) == 0  # no commit had to do it
    checkpoint(engine)
    assert kept_in_the_file_alone(sqlite_url, tmp_path) == len(deliveries)
    engine.dispose()
