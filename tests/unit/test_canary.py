"""The search for the canary finds it where somebody could read it back."""

import base64
import sqlite3
from pathlib import Path

import pytest
from canary import CANARY, CANARY_BASE64, holds, leaks


@pytest.mark.parametrize(
    "written",
    [
        CANARY,
        f"password={CANARY}!",
        CANARY_BASE64,
        base64.b64encode(f"password: {CANARY}".encode()).decode(),
        base64.b64encode(f"a password: {CANARY}".encode()).decode(),
        CANARY.encode().hex(),
        CANARY[::-1],
        CANARY[:20],
    ],
)
def test_it_is_found_however_it_is_written(written: str) -> None:
    assert holds(f"before {written} after".encode())


def test_what_stands_in_its_place_is_no_leak() -> None:
    assert not holds(b"password=<secret:0a1b2c3d> Pl4nted")


def test_it_is_found_in_logs_and_databases_below_a_folder(tmp_path: Path) -> None:
    # Kept no longer than this test: the search at the end of the run finds it, too.
    (tmp_path / "deep").mkdir()
    log, database = tmp_path / "deep" / "serve.log", tmp_path / "aiops.db"
    log.write_text(f"it said {CANARY}")
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE audit (detail TEXT)")
        connection.execute("INSERT INTO audit VALUES (?)", (CANARY,))
    connection.close()
    (tmp_path / "empty").touch()
    (tmp_path / "link").symlink_to(log)
    try:
        assert sorted(leaks(tmp_path)) == [database, log]
    finally:
        log.unlink()
        database.unlink()
