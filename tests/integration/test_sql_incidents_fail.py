"""When the database fails, nothing is half-done, whoever waits is told, and the next call works."""

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event

from aiops.errors import StoreUnavailable
from aiops.model.alert import Alert, Delivery
from aiops.model.incident import Incident, IncidentQuery
from aiops.store.clock import ManualClock
from aiops.store.sql.engine import open_engine
from aiops.store.sql.events import SqlEvents
from aiops.store.sql.inbox import SqlInbox
from aiops.store.sql.incidents import SqlIncidents
from aiops.store.sql.schema import upgrade

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


def delivery(number: int, extra: str = "{}") -> Delivery:
    alert = Alert("prom", str(number), "firing", "TooSlow", (), (), NOON, extra=extra)
    return Delivery(f"dlv-{number}", "prom", NOON, (alert,))


def repository(engine: Engine) -> SqlIncidents:
    clock = ManualClock(NOON)
    return SqlIncidents(engine, clock, SqlEvents(engine, clock))


def open_one(repo: SqlIncidents, number: int) -> None:
    with repo.work() as work:
        work.take(100)
        work.put_incident(
            Incident(f"inc-{number}", "Slow", str(number), "SEV2", "triggered", NOON, NOON)
        )
        work.tell("incident.opened", f"inc-{number}")


@pytest.fixture
def impatient(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """SQLite that waits for other processes for a second only."""
    monkeypatch.setattr("aiops.store.sql.engine.BUSY_S", 1)
    engine = open_engine(sqlite_url)
    yield engine
    engine.dispose()


def test_everybody_who_waits_for_one_commit_learns_that_it_failed(
    impatient: Engine, sqlite_url: str
) -> None:
    inbox, repo = SqlInbox(impatient), repository(impatient)

    def put(number: int) -> str:
        try:
            inbox.put([delivery(number)])
        except StoreUnavailable as error:
            return error.reason
        return "kept"

    with closing(sqlite3.connect(sqlite_url.removeprefix("sqlite:///"))) as other:
        other.execute("BEGIN IMMEDIATE")
        with ThreadPoolExecutor(16) as pool:
            said = list(pool.map(put, range(16)))
        assert all("another process has kept it locked" in each for each in said)
        with pytest.raises(StoreUnavailable, match="locked"):
            open_one(repo, 1)
        assert inbox.waiting() == 0  # reading goes on
        other.rollback()
    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(put, range(16))) == {"kept"}
    assert inbox.waiting() == 16
    open_one(repo, 1)
    assert inbox.waiting() == 0


def test_a_full_disk_keeps_nothing_of_a_delivery_and_there_is_room_again_afterwards(
    tmp_path: Path,
) -> None:
    room = 200  # pages: the schema and a little

    engine = open_engine(f"sqlite:///{tmp_path / 'small.db'}")

    @event.listens_for(engine, "begin")
    def limit(connection: Any) -> None:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {room}")

    upgrade(engine)
    inbox, repo = SqlInbox(engine), repository(engine)
    open_one(repo, 0)

    def fill() -> Iterator[None]:
        for number in range(0, 2000, 2):
            inbox.put([delivery(number, "x" * 10_000), delivery(number + 1, "x" * 10_000)])
            filled.append(number)
            yield

    filled: list[int] = []
    with pytest.raises(StoreUnavailable, match="the disk is full; make room"):
        list(fill())
    kept = len(filled)
    assert kept > 0
    assert inbox.waiting() == 2 * kept
    room = 10_000
    inbox.put([delivery(-1, "x" * 10_000)])
    assert inbox.waiting() == 2 * kept + 1
    open_one(repo, 1)
    assert len(repo.find(IncidentQuery())) == 2
    engine.dispose()


def test_postgresql_may_restart_between_any_two_steps(own_postgres: Callable[..., Any]) -> None:
    server = own_postgres("fsync=off")
    server.ask("postgres", "CREATE DATABASE aiops")
    engine = open_engine(server.url("aiops"))
    upgrade(engine)
    inbox, repo = SqlInbox(engine), repository(engine)
    with closing(SqlEvents(engine, ManualClock(NOON))) as bus:
        watching = bus.subscribe(idle_s=20)
        inbox.put([delivery(1)])
        open_one(repo, 1)
        assert next(watching).about == "inc-1"

        def interrupted() -> None:
            with repo.work() as work:
                work.put_incident(Incident("inc-9", "Slow", "9", "SEV2", "triggered", NOON, NOON))
                work.states([])  # writes it down
                server.restart("immediate")
                work.tell("incident.opened", "inc-9")

        with pytest.raises(StoreUnavailable):
            interrupted()
        inbox.put([delivery(2)])
        open_one(repo, 2)
        assert [each.id for each in repo.find(IncidentQuery())] == ["inc-2", "inc-1"]
        assert next(watching).about == "inc-2"

        server.stop("immediate")
        with pytest.raises(StoreUnavailable, match=r"is the server up|shutting down"):
            inbox.put([delivery(3)])
        with pytest.raises(StoreUnavailable):
            open_one(repo, 3)
        server.start()
        inbox.put([delivery(3)])
        open_one(repo, 3)
        assert next(watching).about == "inc-3"
    assert inbox.waiting() == 0
    engine.dispose()
