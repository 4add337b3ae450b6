"""A rule tried on past alerts before it holds."""

from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from aiops.app.incidents.grouping import Grouping, Neighbours
from aiops.app.incidents.preview import deliveries_of, preview
from aiops.model.alert import Severity
from aiops.web.bodies import Given, Text, Told
from aiops.web.errors import ERRORS
from aiops.web.security import Viewer
from aiops.web.silences import NewMatcher, meant
from aiops.web.site import AtSite

router = APIRouter(prefix="/preview", tags=["rules"], responses=ERRORS)
_Label = Annotated[Text, Field(min_length=1, max_length=200)]


class Rule(Given):
    """Grouping to try, what is not given as it is set now; matchers of a silence to try."""

    group_by: list[_Label] | None = Field(default=None, min_length=1, max_length=20)
    join_window_s: float | None = Field(default=None, ge=0, le=1e7)
    join_hops: int | None = Field(default=None, ge=0, le=3)
    reopen_window_s: float | None = Field(default=None, ge=0, le=1e7)
    flapping_turns: int | None = Field(default=None, ge=2, le=20)
    flapping_window_s: float | None = Field(default=None, gt=0, le=1e7)
    silence: list[NewMatcher] = Field(default=[], max_length=50)
    alerts: int = Field(default=500, ge=1, le=2000, description="of so many alerts, newest first")


class WouldBe(Told):
    """An incident that the rule would have made."""

    title: str
    group: str
    severity: Severity
    services: list[str]
    alerts: int


class PreviewBody(Told):
    """What would have been."""

    incidents: list[WouldBe]
    deliveries: int
    silenced: int
    opened: int
    joined: int
    reopened: int
    resolved: int


@router.post("", summary="Try a rule on past alerts")
def tried(who: Viewer, site: AtSite, body: Rule) -> PreviewBody:
    """Nothing is kept of it. Labels and severity of past alerts are those last delivered."""
    del who
    service = site.service
    given = body.model_dump(exclude={"silence", "alerts"}, exclude_none=True)
    rules = Grouping(**{**service.settings.incidents.model_dump(), **given})
    past = deliveries_of(service.incidents.alerts(limit=body.alerts))
    graph = service.telemetry.graph(service.clock.now())
    made = preview(past, rules, Neighbours(graph, rules.join_hops), meant(body.silence))
    return PreviewBody(
        incidents=[WouldBe.model_validate(each) for each in made.incidents],
        deliveries=made.taken.deliveries,
        silenced=made.silenced,
        opened=made.taken.opened,
        joined=made.taken.joined,
        reopened=made.taken.reopened,
        resolved=made.taken.resolved,
    )
