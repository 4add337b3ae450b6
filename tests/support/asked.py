"""A service with an incident, its report, a proposed action and a past, for questions about it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from approvals import action, approval

from aiops.bootstrap.chat import chat_of
from aiops.bootstrap.service import Service, in_memory
from aiops.model.access import Role
from aiops.model.alert import Alert, AlertState
from aiops.model.case import Trigger
from aiops.model.change import Change
from aiops.model.entity import Entity, Indicator
from aiops.model.faults import FaultType
from aiops.model.incident import Incident
from aiops.model.investigation import Investigation
from aiops.model.memory import Attempt, PastIncident, Signature
from aiops.model.ranking import Evidence, Propagation, Window
from aiops.model.report import Agreement, Impact, Report, RootCause, Subject, Timings
from aiops.model.thread import Exchange, Reply
from aiops.settings import Settings
from aiops.store.clock import ManualClock

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=20)
WINDOW = Window(NOON - timedelta(minutes=10), NOON + timedelta(minutes=10))
TILL, BASKET = Entity("service", "till"), Entity("service", "basket")
SUMMARY = "till is the most likely root cause: its cpu rose at 11:58:00 UTC [E1]."


def asked_service(settings: Settings | None = None) -> Service:
    """Twenty minutes after noon: one incident is open, about basket; its report accuses till."""
    service = in_memory(settings or Settings(), ManualClock(LATER))
    keep_incident(service, "inc-1", "basket is slow", ("basket",), "SEV2")
    service.investigations.save(Investigation("inv-1", "inc-1", NOON, REPORT))
    reported(service, "inc-1", "inv-1")
    service.approvals.file(approval(requested_at=LATER, expires_at=LATER + timedelta(hours=1)))
    service.memory.remember(PAST)
    return service


def keep_incident(
    service: Service, name: str, title: str, services: tuple[str, ...], severity: str = "SEV3"
) -> Incident:
    """One more open incident, with one alert that fires."""
    incident = Incident(
        id=name,
        title=title,
        group=name,
        severity=severity,  # type: ignore[arg-type]
        status="triggered",
        opened_at=NOON,
        last_alert_at=NOON,
        services=services,
        firing=1,
        alerts=1,
    )
    alert = Alert("prom", name, "firing", title, (), (), NOON - timedelta(minutes=1))
    with service.incidents.work() as work:
        work.put_incident(incident)
        work.put_state(AlertState(alert, name, NOON, NOON))
    return service.incidents.get(name)


def reported(service: Service, name: str, investigation: str) -> None:
    """The incident's newest report is that one."""
    with service.incidents.work() as work:
        incident = work.incidents([name])[name]
        work.put_incident(replace(incident, report=investigation, investigations=1))


def ended(service: Service, name: str, minutes: int = 15) -> None:
    """The incident is resolved."""
    at = NOON + timedelta(minutes=minutes)
    with service.incidents.work() as work:
        incident = work.incidents([name])[name]
        work.put_incident(replace(incident, status="resolved", resolved_at=at))


class Talk:
    """One conversation with the desk of a service."""

    def __init__(
        self, service: Service, role: Role = "responder", incident: str | None = None
    ) -> None:
        self.desk = chat_of(service)
        self.role: Role = role
        self.thread = self.desk.open("ana", incident).id

    def take(self, text: str) -> Exchange:
        """Ask without waiting for the answer."""
        return self.desk.take(self.thread, "ana", self.role, text)

    def ask(self, text: str) -> Reply:
        """Ask, and be answered."""
        return self.desk.answer(self.take(text))


def _evidence(number: int, claim: str) -> Evidence:
    return Evidence(f"E{number}", "metric", claim, "metrics", WINDOW, "cpu")


REPORT = Report(
    subject=Subject("inc-1", WINDOW, False, Trigger(NOON), ("metrics",), ("traces",)),
    verdict="root_cause",
    summary=SUMMARY,
    onset=NOON - timedelta(minutes=2),
    impact=Impact("99 % of requests within 300 ms", "basket, 12 % of requests", 0.25),
    root_causes=(
        RootCause(
            1,
            TILL,
            Indicator("metric", "cpu"),
            FaultType.CPU,
            ((FaultType.CPU, 0.9),),
            3.0,
            0.93,
            ("E1",),
        ),
        RootCause(2, BASKET, None, FaultType.LATENCY, (), 1.0, 0.05, ("E2",)),
    ),
    propagation=(Propagation(TILL, BASKET, "calls", evidence=("E2",)),),
    evidence=(
        _evidence(1, "cpu of till rose from 12 % to 97 %."),
        _evidence(2, "latency of basket rose from 20 ms to 900 ms."),
        _evidence(3, "till was rolled out at 11:57."),
    ),
    changes=(
        Change(NOON - timedelta(minutes=3), TILL, "rolled out version 2", ("E3",), author="bo"),
    ),
    unknowns=("No traces were there to look at.",),
    agreement=Agreement("statistics agree"),
    timings=Timings(1.0),
)
PAST = PastIncident(
    "inv-0",
    "inc-0",
    NOON - timedelta(days=30),
    Signature(((FaultType.CPU, 0.9),), ("cpu",), ("metric",), ("rose",), "source"),
    Entity("service", "kiln"),
    Indicator("metric", "cpu"),
    FaultType.CPU,
    (Attempt("kubernetes.rollback", "Roll kiln back", True),),
    "confirmed",
)
PROPOSED = action()
