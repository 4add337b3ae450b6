"""A clock that jumps, a process that stands still, a long queue: work goes on, and it is said."""

import time
from collections.abc import Iterator
from datetime import timedelta

import pytest
from queues import JumpingClock, working
from sqlalchemy import text
from web import asking

from aiops.bootstrap.background import Dispatching, Triaging
from aiops.bootstrap.forgetting import Forgetting
from aiops.bootstrap.service import Service, in_memory
from aiops.bootstrap.working import handlers
from aiops.errors import StoreUnavailable
from aiops.jobs.leased import LeasedJobs
from aiops.model import TelemetryWindow
from aiops.model.alert import Alert, AlertStatus, Delivery
from aiops.model.change import Change
from aiops.model.entity import Entity
from aiops.model.job import Job
from aiops.settings import IncidentSettings, Settings
from aiops.store.ids import TimedIds
from aiops.store.jobs import MemoryJobs
from aiops.store.sql import engine as opening
from aiops.store.sql.engine import Engine, open_engine, reading, writing
from aiops.store.sql.events import SqlEvents
from aiops.store.sql.incidents import SqlIncidents
from aiops.store.sql.telemetry import SqlTelemetry
from aiops.web.app import create

DAY_S = 86_400.0


@pytest.fixture
def clock() -> JumpingClock:
    return JumpingClock()


@pytest.fixture
def service(clock: JumpingClock) -> Service:
    return in_memory(Settings(incidents=IncidentSettings(settle_s=0.1)), clock)


def deliver(service: Service, number: str, status: AlertStatus = "firing") -> None:
    now = service.clock.now()
    web = Entity("service", "web")
    alert = Alert("prom", "f1", status, "TooSlow", (("service", "web"),), (), now, entity=web)
    service.inbox.put([Delivery(number, "prom", now, (alert,))])


def until(rounds: Iterator[bool]) -> None:
    end = time.monotonic() + 20
    while not next(rounds):
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


@pytest.mark.parametrize("seconds", [-DAY_S, DAY_S])
def test_a_clock_that_jumps_between_alert_and_investigation_puts_nothing_off(
    service: Service, clock: JumpingClock, seconds: float
) -> None:
    triage, dispatch = Triaging(service), Dispatching(service)
    deliver(service, "del-1")
    triage()
    clock.jump(seconds)
    with working(service.queue, handlers(service)):

        def rounds() -> Iterator[bool]:
            while True:
                dispatch()
                yield bool(service.investigations.newest())

        until(rounds())
    (investigation,) = service.investigations.newest()
    kinds = [entry.kind for entry in service.incidents.timeline(investigation.about)]
    assert kinds.count("investigation_queued") == 1


@pytest.mark.parametrize("seconds", [-DAY_S, DAY_S])
def test_alerts_around_a_jump_of_the_clock_stay_with_their_incident(
    service: Service, clock: JumpingClock, seconds: float
) -> None:
    triage = Triaging(service)
    deliver(service, "del-1")
    triage()
    clock.jump(seconds)
    deliver(service, "del-2")  # repeated
    triage()
    assert service.inbox.waiting() == 0
    assert service.incidents.counts()["triggered"] == 1
    clock.jump(-seconds)
    deliver(service, "del-3", "resolved")
    triage()
    assert service.incidents.counts() == {"triggered": 0, "acknowledged": 0, "resolved": 1}


def test_a_clock_that_is_years_ahead_for_a_moment_forgets_nothing(
    clock: JumpingClock, engine: Engine
) -> None:
    incidents, jobs = SqlIncidents(engine, clock, SqlEvents(engine, clock)), MemoryJobs(clock)
    queue = LeasedJobs(jobs, clock, TimedIds(clock))
    window = TelemetryWindow(clock.now(), clock.now() + timedelta(minutes=1))
    change = Change(clock.now(), Entity("service", "web"), "rolled out")
    store = SqlTelemetry(engine)
    store.append(window, (change,))
    forgetting = Forgetting(engine, incidents, queue, clock, Settings())

    def there() -> bool:
        return bool(store.changes(None, window.start, window.end))

    forgetting()
    clock.jump(1000 * DAY_S)
    forgetting()
    clock.jump(-1000 * DAY_S)
    forgetting()
    assert there()
    clock.jump(1000 * DAY_S)
    forgetting()
    forgetting()  # it stays there, so it is the time
    assert not there()


def test_investigations_that_wait_for_long_are_said_with_what_to_do(service: Service) -> None:
    due = service.clock.now() - timedelta(minutes=30)
    service.queue.put(Job("investigate:inc-1:1", "investigate", "inc-1", due))
    with asking(create(service)) as client:
        answer = client.get("/readyz")
    assert answer.status_code == 503
    (problem,) = answer.json()["problems"]
    assert problem.startswith("1 investigations wait, the first for 30 min: reports come late")
    assert "start another 'aiops worker'" in problem


def test_a_delivery_that_waits_is_seen_as_lag(service: Service, clock: JumpingClock) -> None:
    deliver(service, "del-1")
    clock.jump(30)
    with asking(create(service)) as client:
        shown = client.get("/metrics").text
    (line,) = (line for line in shown.splitlines() if line.startswith("aiops_triage_lag_seconds "))
    assert float(line.split()[1]) == pytest.approx(30, abs=5)


def test_a_process_that_stands_still_in_a_transaction_loses_its_locks(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "IDLE_MS", 300)
    frozen, other = open_engine(postgres_url), open_engine(postgres_url)
    locked = text("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE")

    def stand_still() -> None:
        with writing(frozen) as mine:
            mine.execute(locked)
            with writing(other) as theirs:
                theirs.execute(locked)
            mine.execute(text("SELECT 1"))

    with pytest.raises(StoreUnavailable):
        stand_still()
    with reading(frozen) as again:
        assert again.scalar(text("SELECT 1")) == 1
    frozen.dispose()
    other.dispose()
