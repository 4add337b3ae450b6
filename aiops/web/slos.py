"""The service level objectives, as they are defined and as they stand."""

from datetime import datetime

from fastapi import APIRouter
from pydantic import Field

from aiops.app.slo_standing import Standing
from aiops.model.slo import EventRatio, SliKind
from aiops.web.bodies import Told
from aiops.web.errors import ERRORS
from aiops.web.security import Viewer
from aiops.web.site import AtSite

router = APIRouter(prefix="/slos", tags=["slos"], responses=ERRORS)


class BurnBody(Told):
    """How many times faster than allowed the error budget was used in the last seconds."""

    window_s: float
    rate: float | None = Field(description="null: nothing was measured; 1 uses exactly the budget")


class SloBody(Told):
    """One objective: which share must be good, over how long, by which metrics; how it stands."""

    name: str
    service: str
    kind: SliKind
    objective: float
    period_s: float
    metrics: list[str]
    burns: list[BurnBody] = Field(description="by window, the shortest first")
    budget_left: float | None = Field(
        description="share of the period's budget; below 0: more than all of it is used up; null: "
        "nothing was measured. What was not measured counts as good."
    )
    measured_s: float = Field(description="for how much of the period there are measurements")
    source: str | None = Field(description="whose metrics it is judged by")
    at: datetime | None = Field(description="when it was looked at, at most a minute ago")
    unknown: str | None = Field(description="why nothing is known, and what to do")


class SlosBody(Told):
    """Objectives, in the order of their file."""

    slos: list[SloBody]


@router.get("", summary="Objectives, how fast their budgets burn, and what is left of them")
def find(who: Viewer, site: AtSite) -> SlosBody:
    """Those of the file set as ``slos``."""
    del who
    return SlosBody(slos=[_told(each) for each in site.standings()])


def _told(standing: Standing) -> SloBody:
    slo, sli = standing.slo, standing.slo.sli
    return SloBody(
        name=slo.name,
        service=slo.service,
        kind=slo.kind,
        objective=slo.objective,
        period_s=slo.period_s,
        metrics=[sli.total, sli.part] if isinstance(sli, EventRatio) else [sli.metric],
        burns=[BurnBody.model_validate(burn) for burn in standing.burns],
        budget_left=standing.budget_left,
        measured_s=standing.measured_s,
        source=standing.source,
        at=standing.at,
        unknown=standing.unknown,
    )
