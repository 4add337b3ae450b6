"""Incidents found and read: a list, one of them, its timeline, its report."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from aiops.errors import NotKept
from aiops.model.alert import Severity
from aiops.model.incident import IncidentQuery, IncidentStatus
from aiops_tools.findings import Findings, findings_of, summary_of, unread_of
from aiops_tools.incidents.scene import IncidentId, IncidentRow, Scene, row_of
from aiops_tools.names import ServiceName
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Arguments, Result
from aiops_tools.tables import paragraphs, table

MOST_ALERTS = 50


class IncidentSearch(Arguments):
    """Which incidents; conditions that are given all hold."""

    status: Literal["open", "triggered", "acknowledged", "resolved", "any"] = "open"
    severities: tuple[Severity, ...] = ()
    service: ServiceName | None = None
    text: Annotated[str | None, Field(min_length=1, max_length=200, description="in its title")] = (
        None
    )
    before: Annotated[IncidentId | None, Field(description="go on below it")] = None
    limit: Annotated[int, Field(ge=1, le=100)] = 20


class IncidentsFound(Result):
    """Newest first; ``next`` is ``before`` of the page after, where there is one."""

    incidents: list[IncidentRow]
    next: str | None


def find(scene: Scene, asked: IncidentSearch) -> Answer:
    """The incidents that are asked for."""
    statuses: dict[str, tuple[IncidentStatus, ...]] = {
        "any": (),
        "open": ("triggered", "acknowledged"),
        "triggered": ("triggered",),
        "acknowledged": ("acknowledged",),
        "resolved": ("resolved",),
    }
    query = IncidentQuery(
        statuses[asked.status],
        asked.severities,
        asked.service,
        asked.text,
        asked.before,
        asked.limit + 1,
    )
    found = scene.incidents.find(query)
    rows = [row_of(one, scene.report_of(one)) for one in found[: asked.limit]]
    more = len(found) > asked.limit
    result = IncidentsFound(incidents=rows, next=rows[-1].id if more else None)
    which = "" if asked.status == "any" else f"{asked.status} "
    summary = paragraphs(
        f"{len(rows)} {which}incidents{', and there are more' if more else ''}, kept here",
        table(
            ("id", "severity", "status", "opened", "services", "title", "cause"),
            (
                (
                    r.id,
                    r.severity,
                    r.status,
                    f"{r.opened_at:%Y-%m-%d %H:%M}",
                    ", ".join(r.services),
                    r.title,
                    r.cause,
                )
                for r in rows
            ),
        ),
    )
    return Answer(result, summary)


class OneIncident(Arguments):
    """Which one."""

    incident: IncidentId


class AlertRow(Result):
    """One alert, as last delivered."""

    source: str
    name: str
    status: str
    severity: str
    entity: str | None
    starts_at: datetime
    summary: str


class IncidentTold(Result):
    """One incident with its alerts, the last heard of first."""

    incident: IncidentRow
    assignee: str | None
    merged_into: str | None
    related: list[str]
    verdict: str | None
    alerts: list[AlertRow]
    alerts_left_out: int


def get(scene: Scene, asked: OneIncident) -> Answer:
    """One incident as it is now."""
    incident = scene.incidents.get(asked.incident)
    states = scene.incidents.alerts(incident.id, limit=MOST_ALERTS)
    row = row_of(incident, scene.report_of(incident))
    verdict = incident.verdict
    alerts = [
        AlertRow(
            source=state.alert.source,
            name=state.alert.name,
            status=state.alert.status,
            severity=state.alert.severity,
            entity=None if state.alert.entity is None else state.alert.entity.name,
            starts_at=state.alert.starts_at,
            summary=state.alert.summary,
        )
        for state in states
    ]
    result = IncidentTold(
        incident=row,
        assignee=incident.assignee,
        merged_into=incident.merged_into,
        related=list(incident.related),
        verdict=None if verdict is None else ("right" if verdict.right else "wrong"),
        alerts=alerts,
        alerts_left_out=max(0, incident.alerts - len(alerts)),
    )
    summary = paragraphs(
        f"{row.id} ({row.severity}, {row.status} since {row.opened_at.isoformat()}): {row.title}; "
        f"services {', '.join(row.services) or 'unknown'}; cause {row.cause or 'not known'}",
        table(
            ("alert", "status", "severity", "entity", "since", "summary"),
            (
                (a.name, a.status, a.severity, a.entity, a.starts_at.isoformat(), a.summary)
                for a in alerts
            ),
        ),
    )
    return Answer(result, summary, refs=(incident.id,))


class Timeline(OneIncident):
    """Whose timeline, and how much of its end."""

    limit: Annotated[int, Field(ge=1, le=200, description="entries answered, the newest")] = 50


class Entry(Result):
    """One thing that happened."""

    at: datetime
    kind: str
    actor: str
    text: str
    ref: str | None


class TimelineTold(Result):
    """Entries, oldest first; ``left_out`` are older ones."""

    incident: str
    total: int
    left_out: int
    entries: list[Entry]


def timeline(scene: Scene, asked: Timeline) -> Answer:
    """What happened to an incident."""
    every = scene.incidents.timeline(asked.incident)
    entries = [
        Entry(at=one.at, kind=one.kind, actor=one.actor, text=one.text, ref=one.ref)
        for one in every[-asked.limit :]
    ]
    left_out = len(every) - len(entries)
    result = TimelineTold(
        incident=asked.incident, total=len(every), left_out=left_out, entries=entries
    )
    older = f"; the {left_out} oldest left out" if left_out else ""
    summary = paragraphs(
        f"{len(every)} entries in the timeline of {asked.incident}{older}",
        table(
            ("at", "kind", "actor", "text"),
            ((e.at.isoformat(timespec="seconds"), e.kind, e.actor, e.text) for e in entries),
        ),
    )
    return Answer(result, summary, refs=(asked.incident,))


class ReportTold(Result):
    """The newest report of an incident."""

    incident: str
    investigation: str
    findings: Findings


def report(scene: Scene, asked: OneIncident) -> Answer:
    """What the last investigation of an incident found."""
    incident = scene.incidents.get(asked.incident)
    found = scene.report_of(incident)
    if found is None or incident.report is None:
        raise NotKept("report of incident", incident.id)
    result = ReportTold(
        incident=incident.id, investigation=incident.report, findings=findings_of(found)
    )
    summary = f"{incident.report} of {incident.id}\n{summary_of(found)}"
    return Answer(result, summary, unread_of(found), (incident.report,))


FIND = Question(
    "find",
    "Incidents, newest first, by status, severity, service or words of the title.",
    IncidentSearch,
    IncidentsFound,
    find,
    ("What is broken right now?", "Which incidents did billing have?"),
)
GET = Question(
    "get",
    "One incident as it is now, with its alerts.",
    OneIncident,
    IncidentTold,
    get,
    ("What is this incident about?", "Which alerts fire in it?"),
)
TIMELINE = Question(
    "timeline",
    "What happened to an incident, in order: alerts, people's acts, investigations.",
    Timeline,
    TimelineTold,
    timeline,
    ("Who acknowledged it, and when?", "What has been tried so far?"),
)
REPORT = Question(
    "report",
    "The newest report of an incident: verdict, root causes, evidence.",
    OneIncident,
    ReportTold,
    report,
    ("What did the investigation find?", "What is the evidence for this cause?"),
)
