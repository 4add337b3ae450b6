"""Puts investigations that are due into the queue: each once, none lost."""

from dataclasses import replace
from datetime import datetime

from aiops.app.incident_reports import ACTOR, job_for
from aiops.model.incident import Incident, TimelineEntry
from aiops.model.job import Job
from aiops.ports.clock import Clock
from aiops.ports.incidents import IncidentRepo
from aiops.ports.jobs import JobQueue


def due_jobs(
    repo: IncidentRepo,
    queue: JobQueue,
    clock: Clock,
    *,
    at: datetime | None = None,
    limit: int = 100,
) -> tuple[Job, ...]:
    """Queue an investigation of every incident that is due for one.

    The job is put before the incident is told so: who dies between leaves the incident due, and
    the next round puts the same key again, which the queue takes once. No transaction is open
    while jobs are put: the queue may live in the same database.

    Args:
        at: what was to be investigated by then is due; the clock's time where that is later.

    Returns:
        The jobs that are in the queue now, those of a round that died included.
    """
    now = clock.now()
    with repo.work() as work:
        latest = now if at is None else max(now, at)
        due = {incident.id: incident for incident in work.due(latest, limit)}
    if not due:
        return ()
    jobs = {each.id: _due_by(now, job_for(each)) for each in due.values()}
    for job in jobs.values():
        queue.put(job)
    with repo.work() as work:
        now_kept = work.incidents(due)
        for incident_id, seen in due.items():
            incident, job = now_kept.get(incident_id), jobs[incident_id]
            if incident is None or incident.investigations != seen.investigations:
                continue  # gone, or another process was faster with the same job
            work.put_incident(
                replace(
                    incident,
                    # What came in between may be too late for this one: it stays due.
                    investigate_at=(
                        None if _asks(incident) == _asks(seen) else incident.investigate_at
                    ),
                    investigations=seen.investigations + 1,
                    investigated_at=now,
                )
            )
            text = f"Investigation {seen.investigations + 1} queued"
            work.note(TimelineEntry(incident_id, now, "investigation_queued", ACTOR, text, job.key))
            work.tell("investigation.queued", incident_id)
    return tuple(jobs.values())


def _due_by(now: datetime, job: Job) -> Job:
    """Due now, whatever the clock said when it was asked for."""
    return replace(job, due=min(job.due, now))


def _asks(incident: Incident) -> tuple[object, ...]:
    """What an investigation was asked for by."""
    return incident.investigate_at, incident.alerts, incident.severity, incident.status
