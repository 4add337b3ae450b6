"""What is kept of work done: the investigation, and the record of who did what."""

from dataclasses import dataclass
from datetime import datetime

from aiops.model.report import Report


@dataclass(frozen=True, slots=True)
class Investigation:
    """One finished investigation.

    Attributes:
        id: its own.
        about: the incident or the recorded case it looked at; there may be several about one.
        at: when it ended, UTC.
    """

    id: str
    about: str
    at: datetime
    report: Report


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One thing that was done, or refused.

    Attributes:
        at: when, UTC.
        actor: who: a person, a policy, a service.
        action: what, such as the tool's name.
        target: to what it was done.
        outcome: how it ended: "done", "refused: no approval", "failed: timeout".
        ref: id of what it was: a tool call.
        detail: redacted canonical JSON of all else that whoever reads it later has to know.
    """

    at: datetime
    actor: str
    action: str
    target: str
    outcome: str
    ref: str | None = None
    detail: str = ""
