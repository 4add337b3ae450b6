"""The drill: what was backed up is there again after everything is lost, on either engine."""

import io
import tarfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from approvals import approval
from sqlalchemy import Engine, MetaData, select, text

from aiops.errors import InvalidInput, StoreUnavailable, WrongState
from aiops.model import Call, Entity, MetricTable, Series, ServiceGraph, TelemetryWindow
from aiops.model.change import Change
from aiops.model.investigation import AuditEntry
from aiops.model.rows import LogLine, Span, log_table, span_table
from aiops.model.tool import Spent
from aiops.store.clock import ManualClock
from aiops.store.sql import archive, schema
from aiops.store.sql.approvals import SqlApprovals
from aiops.store.sql.archive import backup, restore
from aiops.store.sql.audit import SqlAudit
from aiops.store.sql.calls import SqlLedger
from aiops.store.sql.engine import open_engine, reading, writing
from aiops.store.sql.events import SqlEvents
from aiops.store.sql.telemetry import SqlTelemetry
from aiops.store.sql.whole import whole

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
CART = Entity("service", "cart\x00\ud83e")  # what a sender may think of
WINDOW = TelemetryWindow(
    NOW,
    NOW + timedelta(minutes=10),
    metrics=MetricTable(
        NOW.timestamp() + np.arange(600.0),
        np.random.default_rng(0).normal(size=(600, 3)),
        tuple(Series(CART, name, f"cart_{name}") for name in ("cpu", "mem", "lat")),
    ),
    logs=log_table(
        [LogLine(NOW.timestamp() + i, "cart", f"line {i}", "", "t1") for i in range(99)]
    ),
    spans=span_table([Span("t1", "s1", "", "cart", "GET", NOW.timestamp(), 0.1)]),
    graph=ServiceGraph((CART,), (Call(CART, CART),)),
)
CHANGES = (Change(NOW, CART, "rolled out", ref="v2"),)

Opener = Callable[[str], Engine]


def everything(engine: Engine) -> dict[str, list[tuple[object, ...]]]:
    """All rows of all tables, as bytes and texts are."""
    found = MetaData()
    with reading(engine) as connection:
        found.reflect(connection)
        return {
            table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
            for table in found.sorted_tables
        }


def read(store: SqlTelemetry) -> tuple[object, ...]:
    """Everything ``WINDOW`` put there, as the store answers."""
    start, end = NOW - timedelta(days=1), NOW + timedelta(days=1)
    table = store.metrics(None, start, end)
    lines, spans = store.logs(None, start, end), store.spans(None, start, end)
    return (
        table.values.tobytes(),
        table.series,
        lines.messages.tolist(),
        spans.trace_ids.tolist(),
        store.changes(None, start, end),
        store.graph(end),
        len(store.logs_of_trace("t1").times),
    )


def filled(engine: Engine) -> Engine:
    SqlTelemetry(engine).append(WINDOW, CHANGES)
    return engine


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
@pytest.mark.parametrize("origin", ["sqlite", "postgresql"])
def test_what_was_backed_up_reads_equal_on_either_engine(
    origin: str, target: str, engine_on: Opener, tmp_path: Path
) -> None:
    source = filled(engine_on(origin))
    expected = read(SqlTelemetry(source))
    written = backup(source, tmp_path / "one.backup", NOW)
    other = open_engine(f"sqlite:///{tmp_path}/other.db") if origin == target == "sqlite" else None
    into = other or engine_on(target)
    with writing(into) as connection:  # everything is lost
        for table in reversed(archive._tables(connection)):
            table.drop(connection)
    read_back = restore(into, tmp_path / "one.backup", replace=True)
    assert read_back == written
    assert read(SqlTelemetry(into)) == expected
    into.dispose()


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_approvals_and_what_was_spent_are_there_after_a_restore(
    target: str, engine: Engine, engine_on: Opener, tmp_path: Path
) -> None:
    SqlApprovals(engine, SqlEvents(engine, ManualClock(NOW))).file(approval())
    SqlLedger(engine).count("run-1", NOW, write=True, seconds=0.1)
    backup(engine, tmp_path / "one", NOW)
    into = engine_on(target)
    restore(into, tmp_path / "one", replace=True)
    assert SqlApprovals(into, SqlEvents(into, ManualClock(NOW))).get("apr-1") == approval()
    assert SqlLedger(into).spent("run-1") == Spent(1, 1, 0.1)


@pytest.mark.parametrize("target", ["sqlite", "postgresql"])
def test_what_was_done_stays_in_its_chain_and_goes_on_after_a_restore(
    target: str, engine: Engine, engine_on: Opener, tmp_path: Path
) -> None:
    done = [AuditEntry(NOW, "sre", "restart", f"cart-{i}", "done") for i in range(3)]
    for entry in done:
        SqlAudit(engine).append(entry)
    backup(engine, tmp_path / "one", NOW)
    into = engine_on(target)  # the same database, where it is of the same engine
    restore(into, tmp_path / "one", replace=True)
    audit = SqlAudit(into)
    assert [entry for _, entry in audit.entries()] == done
    assert audit.append(done[0]) == 4
    assert audit.broken_at() is None


def test_after_a_restore_the_next_rows_get_fresh_numbers(engine: Engine, tmp_path: Path) -> None:
    filled(engine)
    backup(engine, tmp_path / "one", NOW)
    restore(engine, tmp_path / "one", replace=True)
    before = everything(engine)["telemetry_changes"]
    SqlTelemetry(engine).append(
        TelemetryWindow(NOW, NOW), (Change(NOW, Entity("service", "new"), "scaled"),)
    )
    assert len(everything(engine)["telemetry_changes"]) == len(before) + 1


def test_a_database_that_holds_something_is_not_restored_over(
    engine: Engine, tmp_path: Path
) -> None:
    filled(engine)
    backup(engine, tmp_path / "one", NOW)
    kept = everything(engine)
    with pytest.raises(WrongState, match="--replace"):
        restore(engine, tmp_path / "one")
    assert everything(engine) == kept
    restore(engine, tmp_path / "one", replace=True)
    assert everything(engine) == kept


def test_a_backup_of_the_previous_schema_is_restored_and_upgraded(
    empty_engine: Engine, tmp_path: Path
) -> None:
    schema.upgrade(empty_engine, to="0001")
    filled(empty_engine)
    expected = read(SqlTelemetry(empty_engine))
    assert backup(empty_engine, tmp_path / "old", NOW).revision == "0001"
    restore(empty_engine, tmp_path / "old", replace=True)
    assert schema.status(empty_engine).pending == ()
    assert read(SqlTelemetry(empty_engine)) == expected


def test_what_the_previous_schema_held_is_there_after_an_upgrade(empty_engine: Engine) -> None:
    schema.upgrade(empty_engine, to="0001")
    filled(empty_engine)
    expected = read(SqlTelemetry(empty_engine))
    schema.upgrade(empty_engine)
    assert schema.status(empty_engine).pending == ()
    assert read(SqlTelemetry(empty_engine)) == expected


def plain(file: Path) -> bytes:
    """The tar inside."""
    with pa.input_stream(str(file), compression="zstd") as stream:
        inside: bytes = stream.read()
    return inside


def compress(file: Path, inside: bytes) -> None:
    with pa.output_stream(str(file), compression="zstd") as stream:
        stream.write(inside)


@pytest.mark.parametrize("harm", ["bit", "cut", "list", "nothing", "other"])
def test_a_damaged_archive_is_refused_and_the_database_left_as_it_is(
    harm: str, sqlite_url: str, tmp_path: Path
) -> None:
    engine = filled(open_engine(sqlite_url))
    file = tmp_path / "one"
    backup(engine, file, NOW)
    kept = everything(engine)
    match harm:
        case "bit":
            inside = bytearray(plain(file))
            with tarfile.open(fileobj=io.BytesIO(inside)) as tar:
                at = next(entry.offset_data for entry in tar if entry.size > 1000)
            inside[at + 900] ^= 1
            compress(file, bytes(inside))
        case "cut":
            file.write_bytes(file.read_bytes()[:-200])
        case "list":
            compress(file, plain(file).replace(b'"format"', b'"fermat"'))
        case "nothing":
            file.write_bytes(b"")
        case _:
            file.write_text("not a backup at all")
    with pytest.raises(InvalidInput) as refused:
        restore(engine, file, replace=True)
    assert str(file) in str(refused.value)
    assert everything(engine) == kept
    engine.dispose()


@pytest.mark.parametrize("replace", [True, False])
def test_a_restore_that_fails_at_its_end_leaves_the_database_as_it_was(
    replace: bool,
    engine: Engine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    file = tmp_path / "one"
    backup(filled(engine), file, NOW)
    if not replace:
        with writing(engine) as connection:
            for table in reversed(archive._tables(connection)):
                if table.name not in (*archive._SEEDED, "audit"):
                    connection.execute(table.delete())
    kept = everything(engine)

    def full(connection: object) -> None:
        raise StoreUnavailable("the disk is full; make room, then repeat")

    monkeypatch.setattr(archive, "_continue_numbering", full)
    with pytest.raises(StoreUnavailable, match="the disk is full"):
        restore(engine, file, replace=replace)
    assert everything(engine) == kept
    monkeypatch.undo()
    assert restore(engine, file, replace=replace).rows > 0


def test_a_new_file_appears_complete_or_not_at_all(tmp_path: Path) -> None:
    file = tmp_path / "new.db"

    def interrupted() -> None:
        with whole(f"sqlite:///{file}") as engine:
            filled_schema(engine)
            assert not file.exists()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".new.db.unfinished").write_text("left by a process that was killed")
    with whole(f"sqlite:///{file}") as engine:
        filled_schema(engine)
    assert [each.name for each in tmp_path.iterdir()] == ["new.db"]
    again = open_engine(f"sqlite:///{file}")
    assert schema.status(again).pending == ()
    again.dispose()


def filled_schema(engine: Engine) -> Engine:
    schema.upgrade(engine)
    return filled(engine)


def test_a_file_that_somebody_else_made_meanwhile_is_theirs(tmp_path: Path) -> None:
    file = tmp_path / "new.db"

    def overtaken() -> None:
        with whole(f"sqlite:///{file}") as engine:
            schema.upgrade(engine)
            file.write_text("theirs")

    with pytest.raises(WrongState, match="meanwhile"):
        overtaken()
    assert file.read_text() == "theirs"


def test_a_backup_never_overwrites_and_leaves_no_half_of_itself(
    sqlite_url: str, tmp_path: Path
) -> None:
    engine = open_engine(sqlite_url)
    file = tmp_path / "one"
    file.write_text("precious")
    with pytest.raises(InvalidInput, match="there already"):
        backup(engine, file, NOW)
    assert file.read_text() == "precious"
    with pytest.raises(InvalidInput, match="cannot be written"):
        backup(engine, tmp_path / "nowhere" / "one", NOW)
    backup(engine, tmp_path / "two", NOW)
    assert (tmp_path / "two").stat().st_mode & 0o077 == 0
    assert [one.name for one in tmp_path.iterdir() if "unfinished" in one.name] == []
    engine.dispose()


def test_an_archive_of_a_later_version_is_refused(sqlite_url: str, tmp_path: Path) -> None:
    engine = open_engine(sqlite_url)
    with writing(engine) as connection:
        at = connection.scalar(text("SELECT version_num FROM alembic_version"))
    backup(engine, tmp_path / "one", NOW)
    later = plain(tmp_path / "one").replace(f'"revision": "{at}"'.encode(), b'"revision": "9999"')
    compress(tmp_path / "one", later)
    with pytest.raises(WrongState, match="later version"):
        restore(engine, tmp_path / "one")
    engine.dispose()


def test_a_database_without_tables_has_nothing_to_back_up(tmp_path: Path) -> None:
    engine = open_engine(f"sqlite:///{tmp_path}/empty.db")
    with pytest.raises(WrongState, match="aiops db upgrade"):
        backup(engine, tmp_path / "one", NOW)
    engine.dispose()
