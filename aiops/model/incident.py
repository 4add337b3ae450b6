"""An incident: the alerts that belong together, and what people and machines did about them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aiops.model.alert import Severity

IncidentStatus = Literal["triggered", "acknowledged", "resolved"]
TimelineKind = Literal[
    "opened",
    "alert",
    "alert_resolved",
    "silenced",
    "flapping",
    "severity",
    "related",
    "acknowledged",
    "assigned",
    "comment",
    "resolved",
    "reopened",
    "merged",
    "split",
    "change",
    "investigation_queued",
    "investigation_finished",
    "investigation_failed",
    "verdict",
    "notified",
    "slo",
    "action",
]


@dataclass(frozen=True, slots=True)
class HumanVerdict:
    """What a person said of the report once they knew better.

    Attributes:
        right: whether the first root cause was the cause.
        cause: what it was, in their words; "" where the report was right.
        author: who said so.
    """

    right: bool
    cause: str
    author: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Incident:
    """Alerts that belong together, from the first alert to the last.

    Attributes:
        id: "inc-...".
        group: the value of the grouping labels; one open incident for each.
        services: names of the services its alerts are about, sorted.
        severity: the worst of its alerts that fire, of the last ones where none does; a person may
            set another.
        severity_pinned: whether a person set it; alerts change it no more.
        firing: how many of its alerts fire now, those that a silence keeps quiet apart.
        alerts: how many alerting series it has seen.
        last_alert_at: when an alert of it last changed, UTC.
        merged_into: the incident that took it over.
        related: ids of incidents that may be of the same fault, since an alert is near both; a
            person decides whether to merge them.
        investigate_at: when an investigation is due; None where none is asked for. Set with the
            alerts in one transaction and cleared when the job is queued, so that none is lost.
        investigations: how many have been queued; numbers the next one's job.
        investigated_at: when the last of them was queued, or finished; the cooldown counts from it.
        report: id of the newest finished investigation.
        revision: counts changes; a change made from an older one is refused.
    """

    id: str
    title: str
    group: str
    severity: Severity
    status: IncidentStatus
    opened_at: datetime
    last_alert_at: datetime
    services: tuple[str, ...] = ()
    cluster: str | None = None
    namespace: str | None = None
    firing: int = 0
    alerts: int = 0
    flapping: bool = False
    severity_pinned: bool = False
    acknowledged_at: datetime | None = None
    resolved_at: datetime | None = None
    assignee: str | None = None
    merged_into: str | None = None
    related: tuple[str, ...] = ()
    runbook_url: str | None = None
    investigate_at: datetime | None = None
    investigations: int = 0
    investigated_at: datetime | None = None
    report: str | None = None
    verdict: HumanVerdict | None = None
    revision: int = 0

    @property
    def open(self) -> bool:
        """Whether anybody still has to do something about it."""
        return self.status != "resolved"


@dataclass(frozen=True, slots=True)
class TimelineEntry:
    """One thing that happened to an incident. Never changed, never removed.

    Attributes:
        actor: a person's or token's name, "alerts", "aiops".
        ref: id of what it is about: an alert's key, an investigation, a change, another incident.
    """

    incident: str
    at: datetime
    kind: TimelineKind
    actor: str
    text: str
    ref: str | None = None


@dataclass(frozen=True, slots=True)
class IncidentQuery:
    """Which incidents to list, newest first. None and () take all.

    Attributes:
        before: go on below this id (ids sort by time): the last one of the page before.
    """

    statuses: tuple[IncidentStatus, ...] = ()
    severities: tuple[Severity, ...] = ()
    service: str | None = None
    text: str | None = None
    before: str | None = None
    limit: int = 50
