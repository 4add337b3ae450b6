"""``aiops db``: a database is made, looked at, backed up, lost and restored from the terminal."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from aiops.cli import db
from aiops.errors import InvalidInput, WrongState
from aiops.model import Entity, TelemetryWindow
from aiops.model.change import Change
from aiops.store.sql.engine import open_engine
from aiops.store.sql.telemetry import SqlTelemetry

LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


def run(*arguments: object) -> Result:
    app = typer.Typer()
    db.register(app)
    app.callback()(lambda: None)
    done = CliRunner().invoke(app, ["db", *map(str, arguments)])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def change_old(url: str) -> None:
    engine = open_engine(url)
    window = TelemetryWindow(LONG_AGO, LONG_AGO)
    SqlTelemetry(engine).append(window, (Change(LONG_AGO, Entity("service", "x"), "release"),))
    engine.dispose()


def test_a_new_database_is_pending_then_upgraded_then_done(empty_database_url: str) -> None:
    url = ("--url", empty_database_url)
    looked = run("status", *url)
    assert (looked.exit_code, "aiops db upgrade" in looked.stdout) == (1, True)
    assert "upgraded from nothing" in run("upgrade", *url).stdout
    assert "already at" in run("upgrade", *url).stdout
    assert run("status", *url).exit_code == 0
    assert '"pending": []' in run("status", "--json", *url).stdout


def test_backup_restore_and_prune(database_url: str, tmp_path: Path) -> None:
    change_old(database_url)
    file = tmp_path / "one"
    made = run("backup", file, "--url", database_url)
    other = f"sqlite:///{tmp_path}/other.db"
    assert "rows at revision" in made.stdout
    assert "restored" in run("restore", file, "--url", other).stdout
    with pytest.raises(WrongState, match="--replace"):
        run("restore", file, "--url", other)
    assert "restored" in run("restore", file, "--replace", "--url", other).stdout
    assert "1 changes" in run("prune", "--url", other).stdout
    assert "nothing" in run("prune", "--url", other).stdout


def test_a_file_that_is_not_there_is_said_in_one_line(sqlite_url: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no such file"):
        run("restore", tmp_path / "none", "--url", sqlite_url)


def test_retention_of_zero_days_keeps_everything(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    change_old(sqlite_url)
    for kind in ("TELEMETRY", "INCIDENTS", "EVENTS"):
        monkeypatch.setenv(f"AIOPS_RETENTION__{kind}_DAYS", "0")
    assert run("prune", "--url", sqlite_url).stdout == ""
