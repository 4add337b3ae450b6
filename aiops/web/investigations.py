"""Finished investigations."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query

from aiops.bootstrap.resuming import resumptions_of
from aiops.model.investigation import Investigation
from aiops.model.ranking import Verdict
from aiops.web.bodies import Id, Limit, Text, Told
from aiops.web.errors import ERRORS
from aiops.web.security import Responder, Viewer
from aiops.web.site import AtSite

router = APIRouter(prefix="/investigations", tags=["investigations"], responses=ERRORS)


class InvestigationBody(Told):
    """One investigation in short; its report is at /reports/{id}."""

    id: str
    about: str
    at: datetime
    verdict: Verdict
    summary: str
    cause: str | None
    confidence: float | None
    seconds: float


class InvestigationsBody(Told):
    """Investigations, newest first."""

    investigations: list[InvestigationBody]


def told(investigation: Investigation) -> InvestigationBody:
    """An investigation as an answer."""
    report = investigation.report
    accused = report.root_causes[:1] if report.verdict == "root_cause" else ()
    return InvestigationBody(
        id=investigation.id,
        about=investigation.about,
        at=investigation.at,
        verdict=report.verdict,
        summary=report.summary,
        cause=accused[0].entity.name if accused else None,
        confidence=accused[0].confidence if accused else None,
        seconds=report.timings.total_s,
    )


@router.get("", summary="Investigations, newest first")
def find(
    who: Viewer,
    site: AtSite,
    about: Annotated[Text | None, Query(max_length=200, description="Of one incident.")] = None,
    limit: Limit = 50,
) -> InvestigationsBody:
    """Of one incident, or of all."""
    del who
    found = site.service.investigations.newest(about, limit=limit)
    return InvestigationsBody(investigations=[told(each) for each in found])


@router.get("/{investigation_id}", summary="One investigation")
def get(who: Viewer, site: AtSite, investigation_id: Id) -> InvestigationBody:
    """In short."""
    del who
    return told(site.service.investigations.get(investigation_id))


class ResumedBody(Told):
    """Whether the run was queued by this request; else it was before, or is over."""

    queued: bool


@router.post("/{investigation_id}/resume", summary="Let a run go on whose actions are settled")
def resume(who: Responder, site: AtSite, investigation_id: Id) -> ResumedBody:
    """Only for whoever does not want to wait: the service does so by itself every two seconds."""
    del who
    return ResumedBody(queued=resumptions_of(site.service).resume(investigation_id))
