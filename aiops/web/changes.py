"""What was done to the system: told by people and pipelines, read back by time."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, status
from pydantic import Field

from aiops.app.incidents.changes import record
from aiops.model.change import Change, ChangeKind
from aiops.model.entity import Entity
from aiops.model.investigation import AuditEntry
from aiops.web.bodies import EntityBody, Given, Moment, Text, Told
from aiops.web.errors import ERRORS
from aiops.web.security import Responder, Viewer
from aiops.web.site import AtSite

router = APIRouter(prefix="/changes", tags=["changes"], responses=ERRORS)
_DAY = timedelta(days=1)


class NewChange(Given):
    """A deployment, configuration, feature flag or scaling event."""

    service: Text = Field(min_length=1, max_length=500)
    description: Text = Field(min_length=1, max_length=2000)
    at: Moment | None = Field(default=None, description="now, where it is not given")
    kind: ChangeKind = "other"
    namespace: Text | None = Field(default=None, max_length=500)
    cluster: Text | None = Field(default=None, max_length=500)
    author: Text | None = Field(default=None, max_length=200)
    ref: Text | None = Field(default=None, max_length=500)
    link: Text | None = Field(default=None, max_length=2000)


class ChangeBody(Told):
    """One change."""

    at: datetime
    entity: EntityBody
    description: str
    kind: ChangeKind
    author: str | None
    ref: str | None
    link: str | None


class ChangesBody(Told):
    """Changes, oldest first."""

    changes: list[ChangeBody]


class Recorded(Told):
    """A change that is kept, and the open incidents whose timeline names it."""

    change: ChangeBody
    incidents: list[str]


@router.post("", summary="Tell of a change", status_code=status.HTTP_201_CREATED)
def create(who: Responder, site: AtSite, body: NewChange) -> Recorded:
    """Kept as telemetry, and noted in open incidents about the service. Again: no second time."""
    service = site.service
    now = service.clock.now()
    change = Change(
        at=body.at or now,
        entity=Entity("service", body.service, body.namespace, body.cluster),
        description=body.description,
        kind=body.kind,
        author=body.author or who.name,
        ref=body.ref,
        link=body.link,
    )
    noted = record(service.incidents, service.telemetry, service.clock, [change])
    service.audit.append(AuditEntry(now, who.name, "change.recorded", body.service, "done"))
    return Recorded(change=ChangeBody.model_validate(change), incidents=list(noted))


@router.get("", summary="Changes in a stretch of time")
def find(
    who: Viewer,
    site: AtSite,
    service: Annotated[list[Text], Query(max_length=50)] = [],  # noqa: B006
    start: Annotated[Moment | None, Query(description="A day before the end, else.")] = None,
    end: Annotated[Moment | None, Query(description="Now, else.")] = None,
) -> ChangesBody:
    """Oldest first; ``start <= at < end``."""
    del who
    until = end or site.service.clock.now()
    found = site.service.telemetry.changes(service or None, start or until - _DAY, until)
    return ChangesBody(changes=[ChangeBody.model_validate(each) for each in found])
