"""Databases come to the current schema, together and from whatever they were."""

import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from processes import over_at_the_end
from sqlalchemy import Engine, Table, inspect, text

from aiops.errors import InvalidInput, StoreUnavailable
from aiops.model.investigation import AuditEntry
from aiops.model.run import Moment
from aiops.model.tool import Spent
from aiops.store.clock import ManualClock
from aiops.store.sql.audit import SqlAudit
from aiops.store.sql.calls import SqlLedger
from aiops.store.sql.columns import digest
from aiops.store.sql.engine import open_engine, reading, writing
from aiops.store.sql.events import SqlEvents
from aiops.store.sql.metadata import METADATA
from aiops.store.sql.progress import SqlProgress
from aiops.store.sql.pruning import prune_actions
from aiops.store.sql.schema import ours, status, upgrade
from aiops.store.sql.switch import SqlSwitch

MIGRATE = """
import sys
from aiops.store.sql.engine import open_engine
from aiops.store.sql.schema import upgrade
print(upgrade(open_engine(sys.argv[1])).at)
"""


def test_an_empty_database_comes_to_the_head_and_stays_there(empty_engine: Engine) -> None:
    assert status(empty_engine).at is None
    assert upgrade(empty_engine).at is None
    after = status(empty_engine)
    assert (after.at, after.pending) == (after.head, ())
    assert upgrade(empty_engine).pending == ()


def test_the_migrations_make_the_tables_the_code_speaks_of(empty_engine: Engine) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    import aiops.store.sql.memories_tables
    import aiops.store.sql.operations_tables
    import aiops.store.sql.progress_tables
    import aiops.store.sql.telemetry_tables
    import aiops.store.sql.threads_tables  # noqa: F401

    upgrade(empty_engine)
    with reading(empty_engine) as connection:
        options = {"include_name": lambda name, kind, _: kind != "table" or ours(name)}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, METADATA) == []


def test_what_an_older_version_kept_is_there_after_the_upgrade_beside_the_new_tables(
    empty_engine: Engine,
) -> None:
    upgrade(empty_engine, "0003")
    entry = AuditEntry(datetime(2026, 11, 20, tzinfo=UTC), "ana", "token.created", "t", "done")
    SqlAudit(empty_engine).append(entry)
    assert upgrade(empty_engine).pending[0] == "0004"
    assert list(SqlAudit(empty_engine).entries()) == [(1, entry)]
    assert SqlSwitch(empty_engine).state() is None
    assert SqlLedger(empty_engine).spent("run-1") == Spent()


def test_what_was_spent_before_its_time_was_noted_is_kept_until_the_next_forgetting(
    empty_engine: Engine,
) -> None:
    upgrade(empty_engine, "0007")
    now = datetime(2026, 11, 20, tzinfo=UTC)
    with writing(empty_engine) as connection:
        row = {"run": digest("run-1"), "calls": 3, "writes": 1, "seconds": 2.5}
        names = ", ".join(row)
        values = ", ".join(f":{name}" for name in row)
        connection.execute(text(f"INSERT INTO spent ({names}) VALUES ({values})"), row)  # noqa: S608
    upgrade(empty_engine)
    ledger = SqlLedger(empty_engine)
    assert ledger.spent("run-1") == Spent(3, 1, 2.5)
    assert ledger.count("run-2", now, write=False, seconds=0.0) == Spent(1, 0, 0.0)
    assert prune_actions(empty_engine, now, "") == 1
    assert (ledger.spent("run-1"), ledger.spent("run-2").calls) == (Spent(), 1)


def test_what_happened_before_the_upgrade_is_there_after_it_and_progress_is_numbered_from_one(
    empty_engine: Engine,
) -> None:
    upgrade(empty_engine, "0008")
    now = datetime(2026, 11, 20, tzinfo=UTC)
    with closing(SqlEvents(empty_engine, ManualClock(now))) as events:
        events.publish("incident.opened", "inc-1")
        upgrade(empty_engine)
        progress = SqlProgress(empty_engine, events)
        progress.add("inc-1", [Moment("inv-1", now, "intake", "begun", "web")])
        assert [each.number for each in progress.after("inc-1", 0)] == [1]
        told = [(event.number, event.kind) for event in events.subscribe(idle_s=0)]
    assert told == [(1, "incident.opened"), (2, "investigation.progress")]


def test_several_processes_upgrade_at_once(empty_database_url: str) -> None:
    line = [sys.executable, "-c", MIGRATE, empty_database_url]
    started = [subprocess.Popen(line, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    with over_at_the_end(*started):
        said = [one.communicate(timeout=120)[0].strip() for one in started]
    assert [one.returncode for one in started] == [0, 0, 0]
    engine = open_engine(empty_database_url)
    head = status(engine).head
    engine.dispose()
    assert sorted(said) == sorted(["None", head, head])


def test_tables_of_other_libraries_are_left_alone() -> None:
    assert [ours(name) for name in ("checkpoints", "procrastinate_jobs", "incidents")] == [
        False,
        False,
        True,
    ]


def test_a_database_of_a_later_version_is_not_touched(empty_engine: Engine) -> None:
    upgrade(empty_engine)
    with writing(empty_engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StoreUnavailable, match="later version"):
        upgrade(empty_engine)


def test_a_database_without_tables_says_what_to_run(empty_engine: Engine) -> None:
    with (
        pytest.raises(StoreUnavailable, match="aiops db upgrade"),
        reading(empty_engine) as connection,
    ):
        connection.execute(text("SELECT * FROM telemetry_series"))


def test_a_transaction_that_raises_leaves_nothing(empty_engine: Engine) -> None:
    upgrade(empty_engine)
    half = text("INSERT INTO telemetry_services (digest, name) VALUES ('one', 'one')")
    with pytest.raises(ZeroDivisionError), writing(empty_engine) as connection:
        _ = connection.execute(half).rowcount / 0
    with reading(empty_engine) as connection:
        assert connection.scalar(text("SELECT count(*) FROM telemetry_services")) == 0


def test_moments_come_back_in_utc_and_need_a_time_zone(empty_engine: Engine) -> None:
    upgrade(empty_engine)
    graphs: Table = METADATA.tables["telemetry_graphs"]
    tokyo = datetime(2026, 11, 20, 3, 0, 0, 123456, timezone(timedelta(hours=9)))
    with writing(empty_engine) as connection:
        connection.execute(graphs.insert().values(start=tokyo, content=b""))
    with reading(empty_engine) as connection:
        found = connection.scalar(graphs.select().with_only_columns(graphs.c.start))
        assert connection.scalar(
            graphs.select().with_only_columns(graphs.c.start).where(graphs.c.start == tokyo)
        )
    assert found == tokyo
    assert found.tzinfo is UTC


def test_the_file_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "made" / "aiops.db"
    engine = open_engine(f"sqlite:///{file}")
    upgrade(engine)
    engine.dispose()
    assert file.stat().st_mode & 0o077 == 0
    assert file.parent.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("url", ["mysql://here/db", "nonsense", "sqlite://", "sqlite:///:memory:"])
def test_a_url_that_names_no_database_we_know_is_refused(url: str) -> None:
    with pytest.raises(InvalidInput, match="database_url"):
        open_engine(url)


def test_a_server_that_is_not_there_is_said_without_the_password() -> None:
    engine = open_engine("postgresql://me:secret@127.0.0.1:1/none")
    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1:1") as failed:
        status(engine)
    assert "secret" not in str(failed.value)
    assert "\n" not in str(failed.value)


def test_a_file_that_is_no_database_is_said(tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_bytes(b"nothing of the kind" * 1000)
    engine = open_engine(f"sqlite:///{file}")
    with pytest.raises(StoreUnavailable, match="no SQLite database"):
        status(engine)
    engine.dispose()


def test_looking_at_an_empty_database_makes_no_table(empty_engine: Engine) -> None:
    assert status(empty_engine).pending[0] == "0001"
    assert inspect(empty_engine).get_table_names() == []
