"""What became of an investigation's actions becomes the incident's report, once."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from approvals import NOON
from damaged import cause, report

from aiops.app.incident_reports import ACTED, IncidentReports
from aiops.bootstrap.service import Service, in_memory
from aiops.bootstrap.working import reporting
from aiops.errors import NotKept
from aiops.model.incident import Incident
from aiops.model.investigation import Investigation
from aiops.model.report import ProposedAction, Report, Verification
from aiops.settings import Settings
from aiops.store.clock import ManualClock

ASKED = ProposedAction("kubernetes.rollout_undo", "waits", "medium", "waits", approval="apr-1")


@dataclass
class Ended:
    """A Runner whose run ended as a test wants; None: it waits on."""

    report: Report | None
    forgotten: tuple[str, ...] = ()

    def go_on(self, run: str, inquiry: Any, incident: str | None = None) -> Report | None:
        return self.report

    def forget(self, run: str) -> None:
        self.forgotten += (run,)


@pytest.fixture
def service() -> Service:
    made = in_memory(Settings(), ManualClock(NOON))
    first = replace(report(cause("web")), actions=(ASKED,))
    made.investigations.save(Investigation("inv-1", "inc-1", NOON, first))
    incident = Incident("inc-1", "web fails", "g", "SEV1", "triggered", NOON, NOON)
    with made.incidents.work() as work:
        work.put_incident(replace(incident, report="inv-1", firing=1, alerts=1))
    return made


def ended(state: str, *, worked: bool) -> Report:
    found = Verification("it did as it did", NOON, worked)
    whole = report(cause("somebody else"))
    return replace(whole, actions=(replace(ASKED, state=state),), verification=found)


def reports(service: Service, runner: Ended) -> IncidentReports:
    return replace(reporting(service), runner=runner)  # type: ignore[arg-type]


def test_a_fix_that_was_taken_back_leaves_the_incident_open_and_looked_at_anew(
    service: Service,
) -> None:
    runner = Ended(ended("rolled_back", worked=False))
    told = reports(service, runner).acted("inv-1")
    assert told is not None
    assert told.root_causes[0].entity.name == "web", "what was found stays"
    incident = service.incidents.get("inc-1")
    assert incident.open
    assert incident.report == f"inv-1{ACTED}"
    assert incident.investigate_at == NOON
    kept = service.investigations.get(f"inv-1{ACTED}").report
    assert [one.state for one in kept.actions] == ["rolled_back"]
    assert kept.verification is not None
    assert not kept.verification.worked
    assert runner.forgotten == ("inv-1",)


def test_after_a_fix_that_worked_nothing_is_looked_at_anew(service: Service) -> None:
    reports(service, Ended(ended("done", worked=True))).acted("inv-1")
    assert service.incidents.get("inc-1").investigate_at is None


def test_done_twice_it_takes_effect_once(service: Service) -> None:
    reports(service, Ended(ended("done", worked=True))).acted("inv-1")
    revision = service.incidents.get("inc-1").revision
    again = reports(service, Ended(None)).acted("inv-1")
    assert again is not None
    assert again.actions[0].state == "done"
    assert service.incidents.get("inc-1").revision == revision


def test_a_later_report_is_not_replaced(service: Service) -> None:
    incident = service.incidents.get("inc-1")
    with service.incidents.work() as work:
        work.put_incident(replace(incident, report="inv-2"))
    reports(service, Ended(ended("done", worked=True))).acted("inv-1")
    assert service.incidents.get("inc-1").report == "inv-2"


def test_while_somebody_has_to_answer_nothing_is_told(service: Service) -> None:
    assert reports(service, Ended(None)).acted("inv-1") is None
    assert service.incidents.get("inc-1").report == "inv-1"


def test_an_investigation_that_never_was_is_named(service: Service) -> None:
    with pytest.raises(NotKept, match="inv-9"):
        reports(service, Ended(None)).acted("inv-9")
