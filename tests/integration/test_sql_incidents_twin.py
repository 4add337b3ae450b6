"""Whatever is done to incidents, SQL and the twin in memory answer alike."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete

from aiops.events.in_process import InProcessEvents
from aiops.model.alert import Alert, AlertKey, AlertState, Silence
from aiops.model.incident import Incident, IncidentQuery, IncidentStatus, TimelineEntry
from aiops.ports.incidents import IncidentRepo, IncidentWork
from aiops.store.clock import ManualClock
from aiops.store.inbox import MemoryInbox
from aiops.store.incidents import MemoryIncidents
from aiops.store.sql.engine import writing
from aiops.store.sql.events import SqlEvents
from aiops.store.sql.incidents import SqlIncidents
from aiops.store.sql.operations_tables import ALERTS, INCIDENTS, SILENCES

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
IDS, GROUPS, SERVICES = ("inc-1", "inc-2", "inc-3"), ("g", "h"), ("cart", "queue", "user")
TIMES = st.integers(0, 3).map(lambda hour: NOON + timedelta(hours=hour))


class Undone(Exception):
    """Raised in a transaction, to undo it."""


@dataclass(frozen=True)
class Step:
    """One write, and whether everything is read after it, in the same transaction."""

    incident: Incident
    state: AlertState
    silence: Silence
    what: str
    read: bool


STATUSES: tuple[IncidentStatus, ...] = ("triggered", "acknowledged", "resolved")
INCIDENT = st.builds(
    Incident,
    id=st.sampled_from(IDS),
    title=st.sampled_from(("Slow", "Ünusual % errors")),
    group=st.sampled_from(GROUPS),
    severity=st.sampled_from(("SEV1", "SEV2")),
    status=st.sampled_from(STATUSES),
    opened_at=TIMES,
    last_alert_at=TIMES,
    services=st.lists(st.sampled_from(SERVICES), unique=True).map(lambda s: tuple(sorted(s))),
    flapping=st.booleans(),
    merged_into=st.none() | st.just("inc-9"),
    investigate_at=st.none() | TIMES,
)
STATE = st.builds(
    lambda name, status, incident, first, last, silence: AlertState(
        Alert("prom", name, status, "TooSlow", (), (), NOON), incident, first, last, silence=silence
    ),
    st.sampled_from("abc"),
    st.sampled_from(("firing", "resolved")),
    st.none() | st.sampled_from(IDS),
    TIMES,
    TIMES,
    st.none() | st.sampled_from(("sil-1", "sil-2")),
)
SILENCE = st.builds(
    lambda name, starts, ends: Silence(name, (), starts, ends, "ana", ""),
    st.sampled_from(("sil-1", "sil-2")),
    TIMES,
    TIMES,
)
KINDS = st.sampled_from(("incident", "state", "silence", "note"))
STEP = st.builds(Step, INCIDENT, STATE, SILENCE, KINDS, st.booleans())
TRANSACTIONS = st.lists(st.tuples(st.lists(STEP, max_size=6), st.booleans()), max_size=5)


def read(work: IncidentWork) -> list[object]:
    """Everything a transaction can ask for."""
    return [
        dict(work.incidents(IDS)),
        dict(work.latest_of(GROUPS)),
        dict(work.states([AlertKey("prom", name) for name in "abc"])),
        [work.states_of(each) for each in IDS],
        [work.nearby([service], NOON + timedelta(hours=1)) for service in SERVICES],
        work.nearby(SERVICES, NOON),
        work.due(NOON + timedelta(hours=2), 2),
        work.flapping(NOON + timedelta(hours=3), 2),
        work.unsilenced(["sil-2"], 9),
        sorted(work.silences(NOON + timedelta(hours=1)), key=lambda each: each.id),
    ]


def answers(repo: IncidentRepo) -> list[object]:
    """Everything anybody can ask for."""
    kept = repo.find(IncidentQuery())
    return [
        kept,
        repo.find(IncidentQuery(text="ü", service="cart", statuses=("triggered",))),
        dict(repo.counts()),
        [repo.timeline(each.id) for each in kept],
        sorted(repo.alerts(), key=lambda state: state.alert.key),
        repo.silences(),
    ]


def write(work: IncidentWork, step: Step) -> None:
    known = work.incidents([step.incident.id]).get(step.incident.id)
    if step.what == "incident":
        revision = 0 if known is None else known.revision
        work.put_incident(replace(step.incident, revision=revision))
    elif step.what == "state":
        work.put_state(step.state)
    elif step.what == "silence":
        work.put_silence(step.silence)
    elif known is not None:
        work.note(TimelineEntry(known.id, NOON, "comment", "ana", "still slow"))


def run(repo: IncidentRepo, transactions: list[tuple[list[Step], bool]]) -> list[object]:
    """What is read on the way and at the end."""
    seen: list[object] = []
    for steps, undo in transactions:
        with suppress(Undone), repo.work() as work:
            for step in steps:
                write(work, step)
                if step.read:
                    seen.append(read(work))
            if undo:
                raise Undone
    with repo.work() as work:
        seen.append(read(work))
    return [*seen, answers(repo)]


@given(transactions=TRANSACTIONS)
@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_sql_and_memory_answer_alike(
    engine_on: Callable[[str], Engine], transactions: list[tuple[list[Step], bool]]
) -> None:
    engine, clock = engine_on("sqlite"), ManualClock(NOON)
    with writing(engine) as connection:
        for table in (ALERTS, INCIDENTS, SILENCES):
            connection.execute(delete(table))
    sql = SqlIncidents(engine, clock, SqlEvents(engine, clock))
    memory = MemoryIncidents(MemoryInbox(), InProcessEvents(clock))
    assert run(sql, transactions) == run(memory, transactions)
