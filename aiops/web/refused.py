"""Webhook bodies that could not be understood, for a person to look at."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response

from aiops.web.bodies import Limit, Told, faces
from aiops.web.errors import ERRORS
from aiops.web.security import Responder, Viewer
from aiops.web.site import AtSite

router = APIRouter(prefix="/webhooks/refused", tags=["webhooks"], responses=ERRORS)
Digest = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="sha256 of the body.")]


class RefusedBody(Told):
    """One request; ``body`` is the sha256 of what was sent."""

    id: str
    source: str
    received_at: datetime
    reason: str
    body: str


class RefusedListBody(Told):
    """Requests, newest first."""

    refused: list[RefusedBody]


@router.get("", summary="What could not be understood")
def find(who: Viewer, site: AtSite, limit: Limit = 50) -> RefusedListBody:
    """Newest first, with the reason and the place."""
    del who
    found = site.service.inbox.refused(limit=limit)
    return RefusedListBody(refused=[RefusedBody.model_validate(each) for each in found])


@router.get(
    "/{digest}",
    summary="The body of one",
    response_class=Response,
    responses=faces("application/octet-stream"),
)
def body_of(who: Responder, site: AtSite, digest: Digest) -> Response:
    """As it came; to be saved, never to be shown as a page."""
    del who
    return Response(
        site.service.blobs.get(digest),
        media_type="application/octet-stream",
        headers={"Content-Disposition": f'attachment; filename="{digest[:12]}.body"'},
    )
