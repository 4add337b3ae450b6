"""``aiops db``: a database is made, looked at, backed up, lost and restored from the terminal."""

import os
import random
import resource
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from aiops.bootstrap.durable import durable
from aiops.cli import db
from aiops.errors import InvalidInput, WrongState
from aiops.model import Entity, TelemetryWindow
from aiops.model.change import Change
from aiops.model.run import Moment
from aiops.settings import Settings
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


def step_old(url: str) -> None:
    """A step of an old investigation, told on the bus today."""
    with durable(Settings(database_url=url)) as service:
        service.progress.add("inc-1", [Moment("inv-1", LONG_AGO, "plan", "words", "It was")])


def test_backup_restore_and_prune(database_url: str, tmp_path: Path) -> None:
    change_old(database_url)
    step_old(database_url)
    file = tmp_path / "one"
    made = run("backup", file, "--url", database_url)
    other = f"sqlite:///{tmp_path}/other.db"
    assert "rows at revision" in made.stdout
    assert "restored" in run("restore", file, "--url", other).stdout
    with pytest.raises(WrongState, match="--replace"):
        run("restore", file, "--url", other)
    assert "restored" in run("restore", file, "--replace", "--url", other).stdout
    pruned = run("prune", "--url", other).stdout
    assert "1 changes" in pruned
    assert "0 events, 1 steps of investigations forgotten" in pruned
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


def restored_by_a_process(file: Path, target: Path, most_bytes: int) -> tuple[int, str]:
    """``aiops db restore`` where no file may grow beyond ``most_bytes``, as on a full disk."""
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("aiops")),
            *("db", "restore", str(file), "--url", f"sqlite:///{target}"),
        ],
        cwd=file.parent,
        env={"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1"},  # nor may one of ours
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes)),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("most_bytes", [1_000, 100_000, 400_000])
def test_a_restore_that_finds_the_disk_full_leaves_nothing_behind(
    most_bytes: int, sqlite_url: str, tmp_path: Path
) -> None:
    engine = open_engine(sqlite_url)
    window = TelemetryWindow(LONG_AGO, LONG_AGO + timedelta(minutes=1))
    noise = random.Random(7)  # noqa: S311  nothing secret
    told = (
        Change(LONG_AGO, Entity("service", "x"), noise.randbytes(400).hex(), ref=str(number))
        for number in range(1000)
    )
    SqlTelemetry(engine).append(window, tuple(told))
    engine.dispose()
    file, target = tmp_path / "one", tmp_path / "place" / "new.db"
    run("backup", file, "--url", sqlite_url)
    target.parent.mkdir()
    code, said = restored_by_a_process(file, target, most_bytes)
    assert code == 1
    assert "disk" in said
    assert "Traceback" not in said
    assert list(target.parent.iterdir()) == []
    code, said = restored_by_a_process(file, target, 100_000_000)
    assert (code, said) == (0, "")
    assert [each.name for each in target.parent.iterdir()] == ["new.db"]
    assert "restored" in run("restore", file, "--replace", "--url", f"sqlite:///{target}").stdout


def test_a_backup_that_cannot_be_read_makes_no_database(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("not a backup at all")
    with pytest.raises(InvalidInput, match="no complete backup"):
        run("restore", tmp_path / "one", "--url", f"sqlite:///{tmp_path}/new.db")
    assert [each.name for each in tmp_path.iterdir()] == ["one"]
