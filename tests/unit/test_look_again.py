"""An investigation that names no cause is followed by another while alerts still fire."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aiops.app.incident_reports import LOOK_AGAIN, IncidentReports
from aiops.app.telemetry_window import Reach
from aiops.bootstrap.service import Service, in_memory
from aiops.model import CaseData, Ranking, Suspect
from aiops.model.entity import Entity
from aiops.model.incident import Incident
from aiops.model.job import Job
from aiops.settings import Settings
from aiops.store.clock import ManualClock

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Says:
    """An analyzer with one verdict."""

    name = "says"

    def __init__(self, verdict: str) -> None:
        self.verdict = verdict

    def rank(self, case: CaseData, *, seed: int = 0) -> Ranking:
        return Ranking(self.verdict, (Suspect(Entity("service", "cart"), None, 1.0),))


def looked_at(verdict: str, **state: object) -> Incident:
    """The incident after its investigation."""
    service: Service = in_memory(Settings(), ManualClock(NOON))
    incident = Incident("inc-1", "Errors", "g", "SEV2", "triggered", NOON, NOON, ("cart",))
    incident = replace(incident, **{"firing": 1, "investigations": 1, **state})
    with service.incidents.work() as work:
        work.put_incident(incident)
    reports = IncidentReports(
        service.incidents,
        service.investigations,
        service.telemetry,
        (),
        Says(verdict),
        None,
        service.clock,
        Reach(),
    )
    number = incident.investigations
    reports(Job(f"investigate:inc-1:{number}", "investigate", "inc-1", NOON))
    return service.incidents.get("inc-1")


@pytest.mark.parametrize("verdict", ["inconclusive", "healthy"])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_no_cause_yet_is_looked_at_again_and_later_each_time(verdict: str, number: int) -> None:
    assert looked_at(verdict, investigations=number).investigate_at == NOON + LOOK_AGAIN[number - 1]


def test_a_cause_ends_it() -> None:
    assert looked_at("root_cause").investigate_at is None


def test_it_gives_up_after_the_last() -> None:
    number = len(LOOK_AGAIN) + 1
    assert looked_at("inconclusive", investigations=number).investigate_at is None


@pytest.mark.parametrize("state", [{"firing": 0}, {"status": "resolved"}])
def test_what_fires_no_more_is_left_alone(state: dict[str, object]) -> None:
    assert looked_at("inconclusive", **state).investigate_at is None


def test_a_look_that_was_asked_for_meanwhile_keeps_its_time() -> None:
    soon = NOON + timedelta(seconds=3)
    assert looked_at("inconclusive", investigate_at=soon).investigate_at == soon
