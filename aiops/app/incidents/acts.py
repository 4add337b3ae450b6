"""One act of a person on an incident: a transaction, a line in the timeline, one in the audit."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from aiops.errors import ChangedMeanwhile, InvalidInput, NotKept, WrongState
from aiops.model.incident import Incident, TimelineEntry, TimelineKind
from aiops.model.investigation import AuditEntry
from aiops.ports.clock import Clock
from aiops.ports.incidents import IncidentRepo, IncidentWork

LONGEST_TEXT: Final = 10_000
LONGEST_NAME: Final = 200
_EVENTS: Final = ("opened", "resolved", "reopened")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody at work: acts of people take one first.

    Attributes:
        name: the actor in timelines and in the audit log.
        revision: of the incident that they have seen; their act is not done to a later one.
            None: to whichever it is.
    """

    repo: IncidentRepo
    clock: Clock
    name: str
    revision: int | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What an act left behind.

    Attributes:
        incident: as it is now.
        audit: to be appended to the audit log by the caller.
    """

    incident: Incident
    audit: AuditEntry


@dataclass(frozen=True, slots=True)
class Act:
    """One act in its transaction.

    Attributes:
        incident: as it was before.
        at: when it is done.
    """

    work: IncidentWork
    incident: Incident
    by: str
    at: datetime

    def keep(
        self, incident: Incident, kind: TimelineKind, text: str, ref: str | None = None
    ) -> Incident:
        """Keep an incident as it is now, with a line that says why; returns it as kept."""
        kept = self.work.put_incident(incident)
        self.work.note(TimelineEntry(kept.id, self.at, kind, self.by, text, ref))
        self.work.tell(f"incident.{kind if kind in _EVENTS else 'changed'}", kept.id)
        return kept

    def done(
        self,
        incident: Incident,
        kind: TimelineKind,
        text: str,
        *,
        ref: str | None = None,
        action: str | None = None,
    ) -> Done:
        """As ``keep``, and the act is over.

        Args:
            action: its name in the audit log, where the kind of line is not it.
        """
        kept = self.keep(incident, kind, text, ref)
        audit = AuditEntry(self.at, self.by, f"incident.{action or kind}", kept.id, "done")
        return Done(kept, audit)

    def other(self, incident_id: str) -> Incident:
        """Another incident; raises NotKept."""
        return _read(self.work, incident_id)


@contextmanager
def acting(person: Person, incident_id: str) -> Iterator[Act]:
    """An act of ``person`` on an incident.

    Raises:
        NotKept: there is none.
        ChangedMeanwhile: it is no longer as the person has seen it.
    """
    with person.repo.work() as work:
        incident = _read(work, incident_id)
        if person.revision not in (None, incident.revision):
            raise ChangedMeanwhile("incident", incident_id)
        yield Act(work, incident, person.name, person.clock.now())


def opened_again(incident: Incident) -> Incident:
    """As it is when it is triggered anew."""
    return replace(incident, status="triggered", acknowledged_at=None, resolved_at=None)


def wrong_state(incident: Incident, reason: str) -> WrongState:
    """The error of an act that cannot be done to it as it is."""
    return WrongState(f"incident {incident.id}", reason)


def must_not_be_merged(incident: Incident) -> None:
    """Raises WrongState for an incident that another took over."""
    if incident.merged_into is not None:
        raise wrong_state(incident, f"was merged; go on in {incident.merged_into}")


def must_be_open(incident: Incident) -> None:
    """Raises WrongState for an incident that is over."""
    must_not_be_merged(incident)
    if not incident.open:
        raise wrong_state(incident, "is resolved; reopen it first")


def words(text: str, what: str, most: int = LONGEST_TEXT) -> str:
    """What a person wrote; raises InvalidInput where that is nothing, or too much."""
    stripped = text.strip()
    if not 0 < len(stripped) <= most:
        raise InvalidInput(f"{what} has 1 to {most:,} characters, not {len(stripped):,}")
    return stripped


def _read(work: IncidentWork, incident_id: str) -> Incident:
    found = work.incidents([incident_id])
    if incident_id not in found:
        raise NotKept("incident", incident_id)
    return found[incident_id]
