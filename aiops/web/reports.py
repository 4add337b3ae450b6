"""Reports as JSON, Markdown or a page, and drafts of postmortems."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response

from aiops.app.incidents.postmortem import draft
from aiops.app.kept_cases import case_behind
from aiops.app.rendering import as_json, html, markdown, postmortem
from aiops.errors import NotKept
from aiops.model.report import Report
from aiops.web.bodies import Id, faces
from aiops.web.errors import ERRORS
from aiops.web.security import Viewer
from aiops.web.site import AtSite, Site

router = APIRouter(tags=["reports"], responses=ERRORS)
Format = Literal["json", "md", "html"]
AsFormat = Annotated[Format, Query(alias="format", description="Which face of the report.")]
PAGE_POLICY = "frame-ancestors 'none'"
"""The page carries its own policy, with the hashes of its one style and one script."""
_FACES = faces("application/json", "text/markdown", "text/html")


@router.get("/reports/{investigation_id}", summary="A report", responses=_FACES)
def get(who: Viewer, site: AtSite, investigation_id: Id, face: AsFormat = "json") -> Response:
    """Of one investigation; JSON is the schema "aiops.report/1"."""
    del who
    return rendered(site, site.service.investigations.get(investigation_id).report, face)


@router.get("/incidents/{incident_id}/report", summary="Its newest report", responses=_FACES)
def of_incident(who: Viewer, site: AtSite, incident_id: Id, face: AsFormat = "json") -> Response:
    """404 until an investigation has finished."""
    del who
    incident = site.service.incidents.get(incident_id)
    if incident.report is None:
        raise NotKept("report of incident", incident_id)
    return rendered(site, site.service.investigations.get(incident.report).report, face)


@router.get(
    "/incidents/{incident_id}/postmortem.md",
    summary="Draft of its postmortem",
    responses=faces("text/markdown"),
)
def postmortem_of(who: Viewer, site: AtSite, incident_id: Id) -> Response:
    """What timeline and report say, as Markdown to go on from."""
    del who
    service = site.service
    incident, report = service.incidents.get(incident_id), None
    if incident.report is not None:
        report = service.investigations.get(incident.report).report
    made = draft(incident, service.incidents.timeline(incident_id), report)
    return _text(postmortem.render(made), "text/markdown")


def rendered(site: Site, report: Report, face: Format, back: str | None = None) -> Response:
    """A report with the face asked for.

    Args:
        back: where a page leads back to.
    """
    if face == "json":
        return _text(as_json.dumps(report), "application/json")
    if face == "md":
        return _text(markdown.render(report), "text/markdown")
    case = case_behind(report, site.service.telemetry)
    page = _text(html.render(report, case, back=back), "text/html")
    page.headers["Content-Security-Policy"] = PAGE_POLICY
    return page


def _text(text: str, kind: str) -> Response:
    return Response(text, media_type=kind)
