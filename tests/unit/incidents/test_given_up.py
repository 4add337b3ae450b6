"""Investigations that were given up: seen in the timeline, once, and asked for again by people."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aiops.app.incident_reports import job_for
from aiops.app.incidents.acts import Person
from aiops.app.incidents.dispatch import due_jobs
from aiops.app.incidents.given_up import tell_given_up, unanswered
from aiops.app.incidents.lifecycle import request_investigation
from aiops.bootstrap.background import Telling
from aiops.bootstrap.service import Service, in_memory
from aiops.model.incident import Incident, TimelineEntry
from aiops.model.job import ATTEMPTS, DeadJob, Job
from aiops.settings import Settings

NOW = datetime(2026, 11, 20, 3, tzinfo=UTC)
INCIDENT = Incident("inc-1", "Slow", "g", "SEV2", "triggered", NOW, NOW, investigate_at=NOW)
DEAD = DeadJob(replace(job_for(INCIDENT), attempt=ATTEMPTS), "prom: answered nonsense", NOW)


@pytest.fixture
def service() -> Service:
    made = in_memory(Settings())
    with made.incidents.work() as work:
        work.put_incident(INCIDENT)
    return made


def failures(service: Service) -> list[TimelineEntry]:
    timeline = service.incidents.timeline("inc-1")
    return [entry for entry in timeline if entry.kind == "investigation_failed"]


def test_the_timeline_says_that_it_failed_why_and_what_to_do(service: Service) -> None:
    tell_given_up(service.incidents, [DEAD])
    (entry,) = failures(service)
    assert entry.text == (
        "Investigation 1 failed, 5 tries: prom: answered nonsense; ask for another with "
        "'investigate'"
    )


def test_it_is_told_once_by_however_many_processes(service: Service) -> None:
    assert tell_given_up(service.incidents, [DEAD]) == (DEAD,)
    assert tell_given_up(service.incidents, [DEAD]) == ()
    assert len(failures(service)) == 1


def test_a_job_whose_worker_died_after_its_report_was_told_of_has_not_failed(
    service: Service,
) -> None:
    done = TimelineEntry("inc-1", NOW, "investigation_finished", "aiops", "x", "inv-1-0001")
    with service.incidents.work() as work:
        work.note(done)
    assert tell_given_up(service.incidents, [DEAD]) == ()


def test_an_incident_that_is_forgotten_and_other_kinds_of_jobs_are_passed_over(
    service: Service,
) -> None:
    other = replace(DEAD, job=Job("try:1:1", "try", "inc-1", NOW))
    gone = replace(DEAD, job=Job("investigate:inc-9:1", "investigate", "inc-9", NOW))
    assert tell_given_up(service.incidents, [other, gone]) == ()


def test_the_service_tells_of_it_and_a_person_can_ask_again(service: Service) -> None:
    service.queue.put(DEAD.job)
    store = service.queue._store  # type: ignore[attr-defined]  # where a worker would give it up
    store.take(["investigate"], "worker", 1)
    store.give_up(DEAD.job.key, "worker", "its worker died or stood still")
    due_jobs(service.incidents, service.queue, service.clock)  # the key is known: nothing to do
    assert service.queue.backlog().due == 0
    telling = Telling(service)
    telling()
    telling()
    (entry,) = failures(service)
    assert "its worker died" in entry.text
    request_investigation(Person(service.incidents, service.clock, "ada"), "inc-1")
    due_jobs(service.incidents, service.queue, service.clock)
    assert service.queue.backlog().due == 1


def test_somebody_has_to_look_until_it_is_over_or_a_later_report_is_there() -> None:
    assert unanswered(INCIDENT, DEAD)
    assert unanswered(replace(INCIDENT, report="inv-1-0000"), DEAD)
    assert not unanswered(replace(INCIDENT, report="inv-1-0002"), DEAD)
    over = replace(INCIDENT, status="resolved", resolved_at=NOW + timedelta(hours=1))
    assert not unanswered(over, DEAD)
