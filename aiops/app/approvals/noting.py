"""What happens to an approval, in the timeline of its incident."""

from contextlib import suppress
from datetime import datetime
from typing import Final

from aiops.errors import NotKept
from aiops.model.approval import Approval
from aiops.model.incident import TimelineEntry
from aiops.ports.incidents import IncidentRepo

ACTOR: Final = "aiops"


def note(incidents: IncidentRepo, at: datetime, approval: Approval, text: str) -> None:
    """Write it down; nothing where the approval is of no incident, or that one is forgotten."""
    if approval.incident is None:
        return
    entry = TimelineEntry(
        approval.incident,
        at,
        "action",
        ACTOR if approval.state in ("expired", "used") else approval.decided_by or ACTOR,
        text,
        approval.id,
    )
    with suppress(NotKept):  # forgotten meanwhile: the audit log has it
        incidents.get(approval.incident)
        with incidents.work() as work:
            work.note(entry)
            work.tell("incident.changed", approval.incident)
