"""The service level objectives as they are defined."""

from fastapi import APIRouter

from aiops.model.slo import EventRatio, SliKind
from aiops.web.bodies import Told
from aiops.web.errors import ERRORS
from aiops.web.security import Viewer
from aiops.web.site import AtSite

router = APIRouter(prefix="/slos", tags=["slos"], responses=ERRORS)


class SloBody(Told):
    """One objective: which share must be good, over how long, judged by which metrics."""

    name: str
    service: str
    kind: SliKind
    objective: float
    period_s: float
    metrics: list[str]


class SlosBody(Told):
    """Objectives, in the order of their file."""

    slos: list[SloBody]


@router.get("", summary="Objectives")
def find(who: Viewer, site: AtSite) -> SlosBody:
    """Those of the file set as ``slos``."""
    del who
    told = []
    for slo in site.slos:
        sli = slo.sli
        metrics = [sli.total, sli.part] if isinstance(sli, EventRatio) else [sli.metric]
        told.append(
            SloBody(
                name=slo.name,
                service=slo.service,
                kind=slo.kind,
                objective=slo.objective,
                period_s=slo.period_s,
                metrics=metrics,
            )
        )
    return SlosBody(slos=told)
