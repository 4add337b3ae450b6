"""What an incident's investigation does, while it does it: read at once, or as it comes."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from functools import partial
from typing import Annotated, Final

from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from aiops.errors import StoreUnavailable
from aiops.model.progress import Progress
from aiops.model.run import MomentKind
from aiops.web.bodies import Id, Told, faces
from aiops.web.errors import ERRORS
from aiops.web.events import HEARTBEAT_S, QUIET, RETRY_MS, LastSeen, streamed
from aiops.web.security import Viewer
from aiops.web.site import AtSite, Site

router = APIRouter(prefix="/incidents", tags=["incidents"], responses=ERRORS)
MOST: Final = 1000
"""Moments in one answer: more than most runs have."""


class MomentBody(Told):
    """One step, or a piece of what a model says; pieces that follow one another are one text.

    ``number`` grows from moment to moment, with gaps.
    """

    number: int
    run: str
    at: datetime
    node: str
    kind: MomentKind
    text: str


class ProgressBody(Told):
    """Moments, the oldest first; ``next`` is ``after`` of the page after, if any."""

    moments: list[MomentBody]
    next: int | None


def told(progress: Progress) -> MomentBody:
    """A moment as an answer."""
    one = progress.moment
    return MomentBody(
        number=progress.number,
        run=one.run,
        at=one.at,
        node=one.node,
        kind=one.kind,
        text=one.text,
    )


@router.get("/{incident_id}/progress", summary="What its investigation did so far")
def find(
    who: Viewer,
    site: AtSite,
    incident_id: Id,
    after: Annotated[
        int | None,
        Query(ge=0, lt=10**15, description="Above this number; without it, all of the latest run."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=MOST, description="At most so many.")] = MOST,
) -> ProgressBody:
    """Plan, tool calls, findings and what models say; kept for as long as events are."""
    del who
    site.service.incidents.get(incident_id)
    found = site.service.progress.after(
        incident_id, _start(site, incident_id, after), limit=limit + 1
    )
    page = [told(each) for each in found[:limit]]
    return ProgressBody(moments=page, next=page[-1].number if len(found) > limit else None)


@router.get(
    "/{incident_id}/progress/events",
    summary="What its investigation does, as it happens",
    response_class=StreamingResponse,
    responses=faces("text/event-stream"),
)
def stream(
    who: Viewer, site: AtSite, incident_id: Id, last_event_id: LastSeen = None
) -> StreamingResponse:
    """First all of the latest run, then what comes; with ``Last-Event-ID``, what is above it.

    Each has its number as id, its kind as event and ``{"run", "at", "node", "text"}`` as data.
    ``words`` are pieces of a model's answer: put together they are what it said. A run ends with
    ``ended``; the stream goes on with the next. A comment comes while nothing happens.
    """
    del who
    site.service.incidents.get(incident_id)
    after = _start(site, incident_id, None if last_event_id is None else int(last_event_id))
    return streamed(site, written(site, incident_id, after))


async def written(site: Site, incident: str, after: int) -> AsyncIterator[str]:
    """The stream as text."""
    yield f"retry: {RETRY_MS}\n\n"
    read = partial(site.service.progress.after, incident)
    try:
        async for found in site.feed.follow(read, after, HEARTBEAT_S):
            yield _text(found)
    except StoreUnavailable:
        return  # the client comes again, with the last number it saw


def _start(site: Site, incident: str, after: int | None) -> int:
    return site.service.progress.before_latest(incident) if after is None else after


def _text(found: Sequence[Progress]) -> str:
    return "".join(map(_event, found)) or QUIET


def _event(progress: Progress) -> str:
    one = progress.moment
    data = json.dumps(
        {"run": one.run, "at": one.at.isoformat(), "node": one.node, "text": one.text}
    )
    return f"id: {progress.number}\nevent: {one.kind}\ndata: {data}\n\n"
