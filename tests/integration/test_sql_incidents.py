"""Incidents on SQL between processes, in any characters, and in the end by age."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select

from aiops import plugins
from aiops.app.investigate import investigate
from aiops.errors import EventsForgotten, NotKept, StoreUnavailable
from aiops.model.alert import Alert, AlertState, Delivery, RefusedDelivery, Silence
from aiops.model.incident import Incident, IncidentQuery, TimelineEntry
from aiops.model.investigation import AuditEntry, Investigation
from aiops.model.run import Moment
from aiops.store.clock import ManualClock
from aiops.store.sql.audit import SqlAudit
from aiops.store.sql.blobs import SqlBlobs
from aiops.store.sql.engine import reading
from aiops.store.sql.events import SqlEvents
from aiops.store.sql.inbox import SqlInbox
from aiops.store.sql.incidents import SqlIncidents
from aiops.store.sql.investigations import SqlInvestigations
from aiops.store.sql.operations_tables import TIMELINE
from aiops.store.sql.progress import SqlProgress
from aiops.store.sql.pruning import Pruned, prune_events, prune_incidents, prune_progress
from aiops.store.sql.tokens import SqlTokens
from aiops.store.sql.turns import Turns
from aiops_datasets.synthetic import plant, specified

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)

OPEN_OR_JOIN = """
import sys
from dataclasses import replace
from aiops.model.incident import Incident
from aiops.store.clock import SystemClock
from aiops.store.sql.engine import open_engine
from aiops.store.sql.events import SqlEvents
from aiops.store.sql.incidents import SqlIncidents

engine, clock = open_engine(sys.argv[1]), SystemClock()
repo = SqlIncidents(engine, clock, SqlEvents(engine, clock))
print("ready", flush=True)
sys.stdin.readline()
for number in range(25):
    with repo.work() as work:
        found = work.latest_of(["g"]).get("g")
        if found is None:
            now = clock.now()
            work.put_incident(
                Incident(f"inc-{sys.argv[2]}", "Slow", "g", "SEV2", "triggered", now, now, alerts=1)
            )
        else:
            work.put_incident(replace(found, alerts=found.alerts + 1))
        work.tell("incident.changed", f"{sys.argv[2]}-{number}")
"""
PUT_AND_WAIT = """
import sys, time
from datetime import datetime, UTC
from aiops.model.alert import Delivery
from aiops.store.sql.engine import open_engine
from aiops.store.sql.inbox import SqlInbox

SqlInbox(open_engine(sys.argv[1])).put([Delivery("dlv-1", "prom", datetime.now(UTC), ())])
print("kept", flush=True)
time.sleep(60)
"""


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def alert(fingerprint: str, status: str = "firing") -> Alert:
    return Alert(
        "prom",
        fingerprint,
        "firing" if status == "firing" else "resolved",
        "TooSlow",
        (("service", "cart"),),
        (),
        NOON,
    )


def incident(name: str, group: str = "g", **changes: object) -> Incident:
    whole = Incident(name, "Slow", group, "SEV2", "triggered", NOON, NOON, ("cart",))
    return replace(whole, **changes)  # type: ignore[arg-type]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOON)


@pytest.fixture
def bus(engine: Engine, clock: ManualClock) -> Iterator[SqlEvents]:
    made = SqlEvents(engine, clock)
    yield made
    made.close()


@pytest.fixture
def repo(engine: Engine, clock: ManualClock, bus: SqlEvents) -> SqlIncidents:
    return SqlIncidents(engine, clock, bus)


@contextmanager
def processes(program: str, *arguments: tuple[str, ...]) -> Iterator[list[subprocess.Popen[str]]]:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", program, *given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for given in arguments
    ]
    try:
        for each in started:
            assert each.stdout is not None
            each.stdout.readline()
        yield started
    finally:
        for each in started:
            each.kill()
            each.communicate()


# ---- between processes


def test_processes_that_open_incidents_of_one_group_at_once_make_one(
    repo: SqlIncidents, bus: SqlEvents, database_url: str
) -> None:
    seen: list[int] = []
    with processes(OPEN_OR_JOIN, (database_url, "a"), (database_url, "b")) as started:
        for each in started:
            assert each.stdin is not None
            each.stdin.write("\n")
            each.stdin.flush()
        for event in bus.subscribe(idle_s=20):  # of the others, while they go on
            seen.append(event.number)
            if len(seen) == 50:
                break
        assert [each.wait(20) for each in started] == [0, 0]
    (only,) = repo.find(IncidentQuery())
    assert only.alerts == only.revision == 50
    assert seen == list(range(1, 51))


def test_what_was_acknowledged_survives_a_kill(engine: Engine, database_url: str) -> None:
    with processes(PUT_AND_WAIT, (database_url,)) as (started,):
        started.send_signal(signal.SIGKILL)
        started.wait()
    assert SqlInbox(engine).waiting() == 1


def test_an_event_wakes_a_subscriber_of_another_bus(
    engine: Engine, clock: ManualClock, bus: SqlEvents
) -> None:
    other = SqlEvents(engine, clock)  # as another process would have
    waiting = bus.subscribe(idle_s=240)
    other.publish("step", "first")
    assert next(waiting).about == "first"
    began = time.monotonic()
    other.publish("step", "second")
    assert next(waiting).about == "second"
    assert time.monotonic() - began < 60  # long before the subscription would end


def test_a_turn_that_does_not_come_is_said_and_the_next_one_does(engine: Engine) -> None:
    impatient = Turns(engine, patience_s=0.1)
    with (
        Turns(engine).take(),
        pytest.raises(StoreUnavailable, match=r"going on|lock"),
        impatient.take(),
    ):
        pass
    with impatient.take():
        pass


# ---- in any characters


@pytest.mark.parametrize(
    "odd", ["a\0b", "half \ud83d", "x" * 100_000, "' OR 1=1 --", ""], ids=ascii
)
def test_names_of_any_length_in_any_characters_are_kept_and_found(
    engine: Engine, repo: SqlIncidents, odd: str
) -> None:
    state = AlertState(alert(odd), "inc-1", NOON, NOON)
    sent = Delivery(odd, odd, NOON, (state.alert,))
    inbox = SqlInbox(engine)
    inbox.put([sent, sent])
    with repo.work() as work:
        work.put_incident(incident("inc-1", odd, title=odd, services=(odd,)))
        work.put_state(state)
        work.note(TimelineEntry("inc-1", NOON, "comment", odd, odd))
    with repo.work() as work:
        assert work.take(9) == (sent,)
        assert work.states([state.alert.key]) == {state.alert.key: state}
        assert work.latest_of([odd])[odd].title == odd
        assert len(work.nearby([odd], NOON)) == 1
    assert len(repo.find(IncidentQuery(service=odd))) == 1
    assert len(repo.find(IncidentQuery(text=odd))) == 1
    assert repo.timeline("inc-1")[0].text == odd


@pytest.mark.parametrize("odd", ["a\0b", "half \ud83d", "%"], ids=ascii)
def test_looking_for_odd_names_finds_nothing_and_fails_nowhere(
    engine: Engine, repo: SqlIncidents, clock: ManualClock, odd: str
) -> None:
    with pytest.raises(NotKept):
        repo.get(odd)
    with pytest.raises(NotKept):
        repo.alerts(odd)
    with pytest.raises(NotKept):
        SqlInvestigations(engine).get(odd)
    with pytest.raises(NotKept):
        SqlBlobs(engine, clock).get(odd)
    assert SqlTokens(engine).by_digest(odd) is None
    assert repo.find(IncidentQuery(text=odd, service=odd, before=odd)) == ()


def test_many_keys_are_asked_for_in_one_go(repo: SqlIncidents) -> None:
    states = [AlertState(alert(str(number)), None, NOON, NOON) for number in range(2500)]
    with repo.work() as work:
        for state in states:
            work.put_state(state)
        assert len(work.states([state.alert.key for state in states])) == 2500


# ---- audit


@pytest.mark.parametrize("change", ["UPDATE audit SET body = ''", "DELETE FROM audit"])
def test_the_database_refuses_to_change_the_audit_log(engine: Engine, change: str) -> None:
    audit = SqlAudit(engine)
    audit.append(AuditEntry(NOON, "ana", "restart", "cart", "done"))
    with pytest.raises(Exception, match="the audit log is append-only"), engine.begin() as raw:
        raw.exec_driver_sql(change)
    assert len(list(audit.entries())) == 1


@pytest.mark.parametrize(
    ("change", "broken_at"),
    [
        ("UPDATE audit SET body = replace(body, 'ana', 'ben') WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number = 2", 2),
        ("DELETE FROM audit WHERE number = 4", 4),
        ("UPDATE audit SET hash = (SELECT hash FROM audit WHERE number = 1) WHERE number = 3", 3),
    ],
)
def test_a_change_made_around_the_guard_is_found(
    engine: Engine, change: str, broken_at: int
) -> None:
    audit = SqlAudit(engine)
    for number in range(4):
        audit.append(AuditEntry(at(number), "ana", "restart", "cart", "done"))
    assert audit.broken_at() is None
    with engine.begin() as raw:
        if engine.dialect.name == "sqlite":
            raw.exec_driver_sql("DROP TRIGGER audit_no_update")
            raw.exec_driver_sql("DROP TRIGGER audit_no_delete")
        else:
            raw.exec_driver_sql("ALTER TABLE audit DISABLE TRIGGER audit_no_change")
        raw.exec_driver_sql(change)
    assert audit.broken_at() == broken_at


# ---- by age


def test_what_is_over_is_forgotten_by_age_and_what_is_not_stays(
    engine: Engine, repo: SqlIncidents, clock: ManualClock
) -> None:
    report = investigate(plant(specified("synthetic:7")).data, plugins.analyzer("baro"))
    investigations, inbox = SqlInvestigations(engine), SqlInbox(engine)
    blobs, audit = SqlBlobs(engine, clock), SqlAudit(engine)
    old, named = blobs.put(b"old"), blobs.put(b"named by a refused delivery")
    inbox.put([Delivery("taken", "prom", NOON, ())])
    with repo.work() as work:
        work.take(1)
        for name, changes in (
            ("old", {"status": "resolved", "resolved_at": at(1)}),
            ("late", {"status": "resolved", "resolved_at": at(500)}),
            ("open", {}),
        ):
            work.put_incident(incident(name, name, **changes))
            work.put_state(AlertState(alert(name, "resolved"), name, NOON, NOON))
            work.note(TimelineEntry(name, NOON, "opened", "alerts", "It is slow"))
            investigations.save(Investigation(f"inv-{name}", name, NOON, report))
        work.put_state(AlertState(alert("lone", "resolved"), None, NOON, NOON))
        work.put_state(AlertState(alert("quiet"), None, NOON, NOON, silence="ends late"))
        for name, ends in (("ends early", 1), ("ends late", 500)):
            work.put_silence(Silence(name, (), NOON, at(ends), "ana", ""))
    investigations.save(Investigation("inv-case", "a recorded case", NOON, report))
    inbox.put([Delivery("waits", "prom", NOON, ())])
    inbox.refuse(RefusedDelivery("ref-1", "prom", NOON, "not JSON", old))
    inbox.refuse(RefusedDelivery("ref-2", "prom", at(500), "not JSON", named))
    audit.append(AuditEntry(NOON, "ana", "restart", "cart", "done"))
    clock.advance(200)
    blobs.put(b"new")

    assert prune_incidents(engine, at(100)) == Pruned(
        incidents=1, alerts=2, investigations=2, silences=1, deliveries=1, refused=1, blobs=1
    )
    assert {each.id for each in repo.find(IncidentQuery())} == {"open", "late"}
    assert {each.alert.fingerprint for each in repo.alerts()} == {"open", "late", "quiet"}
    assert {each.id for each in investigations.newest()} == {"inv-open", "inv-late"}
    assert [each.id for each in repo.silences()] == ["ends late"]
    assert [each.id for each in inbox.refused()] == ["ref-2"]
    assert inbox.waiting() == 1
    assert blobs.get(named) == b"named by a refused delivery"
    with pytest.raises(NotKept):
        blobs.get(old)
    with reading(engine) as connection:
        assert connection.scalar(select(func.count()).select_from(TIMELINE)) == 2
    assert len(list(audit.entries())) == 1
    assert prune_incidents(engine, at(100)) == Pruned()


def test_more_than_fits_into_one_transaction_is_forgotten_too(
    engine: Engine, repo: SqlIncidents
) -> None:
    with repo.work() as work:
        for number in range(1200):
            over = {"status": "resolved", "resolved_at": NOON}
            work.put_incident(incident(f"inc-{number}", str(number), **over))
            work.put_state(AlertState(alert(str(number), "resolved"), None, NOON, NOON))
    assert prune_incidents(engine, at(1)) == Pruned(incidents=1200, alerts=1200)


def test_what_investigations_did_is_forgotten_by_age_and_goes_with_nothing_else(
    engine: Engine, bus: SqlEvents
) -> None:
    progress = SqlProgress(engine, bus)
    for minute in range(3):
        progress.add("inc-gone", [Moment("inv-1", at(minute), "plan", "words", str(minute))])
    assert prune_incidents(engine, at(60)) == Pruned()
    assert len(progress.after("inc-gone", 0)) == 3
    assert prune_progress(engine, at(1)) == 1
    assert [each.number for each in progress.after("inc-gone", 0)] == [2, 3]


def test_readers_are_told_of_events_forgotten_by_age_and_numbers_go_on(
    engine: Engine, bus: SqlEvents, clock: ManualClock
) -> None:
    for name in "abc":
        bus.publish("step", name)
        clock.advance(10)
    assert prune_events(engine, at(15)) == 2
    with pytest.raises(EventsForgotten, match="events 1 to 2 are no longer kept"):
        list(bus.subscribe(idle_s=0))
    assert [event.about for event in bus.subscribe(2, idle_s=0)] == ["c"]
    assert prune_events(engine, at(99)) == 1
    assert list(bus.subscribe(3, idle_s=0)) == []
    assert bus.publish("step", "d").number == 4
