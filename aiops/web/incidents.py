"""Incidents: found, read, and handled by people."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from aiops.model.alert import Severity
from aiops.model.incident import Incident, IncidentQuery, IncidentStatus, TimelineKind
from aiops.web import alerts
from aiops.web.alerts import AlertsBody
from aiops.web.bodies import Id, Limit, Text, Told
from aiops.web.errors import ERRORS
from aiops.web.security import Viewer
from aiops.web.site import AtSite

router = APIRouter(prefix="/incidents", tags=["incidents"], responses=ERRORS)


class VerdictBody(Told):
    """What a person said of the report."""

    right: bool
    cause: str
    author: str
    at: datetime


class IncidentBody(Told):
    """One incident."""

    id: str
    title: str
    group: str
    severity: Severity
    status: IncidentStatus
    opened_at: datetime
    last_alert_at: datetime
    services: list[str]
    cluster: str | None
    namespace: str | None
    firing: int
    alerts: int
    flapping: bool
    severity_pinned: bool
    acknowledged_at: datetime | None
    resolved_at: datetime | None
    assignee: str | None
    merged_into: str | None
    related: list[str]
    runbook_url: str | None
    investigate_at: datetime | None
    investigations: int
    report: str | None
    verdict: VerdictBody | None
    revision: int


class IncidentsBody(Told):
    """A page of incidents, newest first; ``next`` is ``before`` of the page after, if any."""

    incidents: list[IncidentBody]
    next: str | None


class EntryBody(Told):
    """One thing that happened."""

    at: datetime
    kind: TimelineKind
    actor: str
    text: str
    ref: str | None


class TimelineBody(Told):
    """What happened, oldest first."""

    entries: list[EntryBody]


def told(incident: Incident, response: Response) -> IncidentBody:
    """An incident as an answer, its revision as ETag."""
    response.headers["ETag"] = f'"{incident.revision}"'
    return IncidentBody.model_validate(incident)


@router.get("", summary="Incidents, newest first")
def find(
    who: Viewer,
    site: AtSite,
    status: Annotated[list[IncidentStatus | Literal["open"]], Query()] = [],  # noqa: B006
    severity: Annotated[list[Severity], Query()] = [],  # noqa: B006
    service: Annotated[Text | None, Query(max_length=500)] = None,
    text: Annotated[Text | None, Query(max_length=500, description="In the title.")] = None,
    before: Annotated[Text | None, Query(max_length=200, description="Go on below it.")] = None,
    limit: Limit = 50,
) -> IncidentsBody:
    """Repeat ``status`` and ``severity`` for several; ``status=open``: all but resolved."""
    del who
    query = asked_for(status, severity, service, text, before, limit + 1)
    found = site.service.incidents.find(query)
    page = [IncidentBody.model_validate(each) for each in found[:limit]]
    return IncidentsBody(incidents=page, next=page[-1].id if len(found) > limit else None)


def asked_for(
    status: list[IncidentStatus | Literal["open"]],
    severity: list[Severity],
    service: str | None,
    text: str | None,
    before: str | None,
    limit: int,
) -> IncidentQuery:
    """The query that filters mean."""
    statuses: dict[IncidentStatus, None] = {}
    for each in status:
        if each == "open":
            statuses |= {"triggered": None, "acknowledged": None}
        else:
            statuses[each] = None
    return IncidentQuery(
        tuple(statuses),
        tuple(dict.fromkeys(severity)),
        service or None,
        text or None,
        before,
        limit,
    )


@router.get("/{incident_id}", summary="One incident")
def get(who: Viewer, site: AtSite, incident_id: Id, response: Response) -> IncidentBody:
    """As it is now; the ETag is its revision."""
    del who
    return told(site.service.incidents.get(incident_id), response)


@router.get("/{incident_id}/timeline", summary="What happened")
def timeline(who: Viewer, site: AtSite, incident_id: Id) -> TimelineBody:
    """Oldest first; only ever grows."""
    del who
    entries = site.service.incidents.timeline(incident_id)
    return TimelineBody(entries=[EntryBody.model_validate(each) for each in entries])


@router.get("/{incident_id}/alerts", summary="Its alerts")
def alerts_of(who: Viewer, site: AtSite, incident_id: Id) -> AlertsBody:
    """Last heard of first."""
    del who
    return alerts.told(site.service.incidents.alerts(incident_id))
