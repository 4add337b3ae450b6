"""Investigations that were given up: told in the timeline, so that a person can ask again.

Read from the queue and not told by the worker: it may be the worker that dies of the job.
"""

from collections.abc import Iterable

from aiops.app.incident_reports import ACTOR, KIND, investigation_id
from aiops.errors import NotKept
from aiops.model.incident import Incident, TimelineEntry
from aiops.model.job import DeadJob
from aiops.ports.incidents import IncidentRepo


def tell_given_up(repo: IncidentRepo, dead: Iterable[DeadJob]) -> tuple[DeadJob, ...]:
    """Note each in its timeline, once, however often and from however many processes it is asked.

    Returns:
        Those that were not noted before.

    Raises:
        StoreUnavailable: the rest is to be told in the next round.
    """
    return tuple(each for each in dead if each.job.kind == KIND and _told(repo, each))


def unanswered(incident: Incident, dead: DeadJob) -> bool:
    """Whether someone has to look: it is open, and no later investigation came to an end."""
    later = incident.report is not None and incident.report >= investigation_id(dead.job)
    return incident.open and not later and incident.merged_into is None


def _told(repo: IncidentRepo, dead: DeadJob) -> bool:
    job = dead.job
    # Transactions come one at a time: nobody notes it between the look and the note.
    with repo.work() as work:
        try:
            seen = {(entry.kind, entry.ref) for entry in repo.timeline(job.about)}
        except NotKept:
            return False  # forgotten meanwhile
        over = ("investigation_finished", investigation_id(job))  # its worker died after the end
        if over in seen or ("investigation_failed", job.key) in seen:
            return False
        text = (
            f"Investigation {job.key.rpartition(':')[2]} failed, {job.attempt} tries: "
            f"{dead.error or 'no reason is known'}; ask for another with 'investigate'"
        )
        work.note(TimelineEntry(job.about, dead.at, "investigation_failed", ACTOR, text, job.key))
        work.tell("investigation.failed", job.about)
    return True
