"""Alerts as last heard of."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from aiops.model.alert import AlertState, AlertStatus, Severity
from aiops.web.bodies import EntityBody, Labels, Told
from aiops.web.errors import ERRORS
from aiops.web.security import Viewer
from aiops.web.site import AtSite

router = APIRouter(prefix="/alerts", tags=["alerts"], responses=ERRORS)


class AlertBody(Told):
    """One alerting series."""

    source: str
    fingerprint: str
    status: AlertStatus
    name: str
    labels: Labels
    annotations: Labels
    starts_at: datetime
    ends_at: datetime | None
    severity: Severity
    entity: EntityBody | None
    summary: str
    runbook_url: str | None
    link: str | None


class AlertStateBody(Told):
    """One alerting series, and what is known of it after all its deliveries."""

    alert: AlertBody
    incident: str | None
    first_at: datetime
    last_at: datetime
    deliveries: int
    silence: str | None


class AlertsBody(Told):
    """Alerts, last heard of first."""

    alerts: list[AlertStateBody]


def told(states: tuple[AlertState, ...]) -> AlertsBody:
    """Alerts as an answer."""
    return AlertsBody(alerts=[AlertStateBody.model_validate(each) for each in states])


@router.get("", summary="All alerts, last heard of first")
def find(
    who: Viewer,
    site: AtSite,
    limit: Annotated[int, Query(ge=1, le=2000)] = 500,
) -> AlertsBody:
    """What every source says, incident or not."""
    del who
    return told(site.service.incidents.alerts(limit=limit))
