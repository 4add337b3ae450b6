"""Events as they happen, as server-sent events (WHATWG HTML, section 9.2)."""

import json
from collections.abc import AsyncIterator
from typing import Annotated, Final

from fastapi import APIRouter, Header
from starlette.responses import StreamingResponse

from aiops.errors import EventsForgotten, StoreUnavailable
from aiops.model.event import Event
from aiops.web.bodies import faces
from aiops.web.errors import ERRORS, Refused
from aiops.web.feed import Feed
from aiops.web.security import Viewer
from aiops.web.site import AtSite, Site

router = APIRouter(prefix="/events", tags=["events"], responses=ERRORS)
HEARTBEAT_S: Final = 15.0
"""Proxies cut a connection that says nothing; most wait 30 s or more."""
QUIET: Final = ": nothing happened\n\n"
RETRY_MS: Final = 2000
MOST_CLIENTS: Final = 500
LastSeen = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        max_length=20,
        pattern=r"^[0-9]{1,15}$",
        description="Go on after this number; without it, with what comes.",
    ),
]


@router.get(
    "",
    summary="Events as they happen",
    response_class=StreamingResponse,
    responses=faces("text/event-stream"),
)
async def stream(who: Viewer, site: AtSite, last_event_id: LastSeen = None) -> StreamingResponse:
    """Each has its number as id, its kind as event and ``{"about": id, "at": time}`` as data.

    An event ``reset`` says that some were lost: read the current state anew. A comment comes while
    nothing happens.
    """
    del who
    after = None if last_event_id is None else int(last_event_id)
    return streamed(site, written(site.feed, after))


def streamed(site: Site, text: AsyncIterator[str]) -> StreamingResponse:
    """``text`` as server-sent events; raises Refused where too many streams are open."""
    if site.feed.clients >= MOST_CLIENTS:
        raise Refused(503, "too_many_streams", "too many streams", headers={"Retry-After": "30"})
    return StreamingResponse(
        text, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
    )


async def written(feed: Feed, after: int | None) -> AsyncIterator[str]:
    """The stream as text."""
    yield f"retry: {RETRY_MS}\n\n"
    while not feed.ended:
        try:
            async for events in feed.after(after, HEARTBEAT_S):
                yield "".join(map(_told, events)) or QUIET
        except EventsForgotten as error:
            after = error.oldest - 1
            yield f'id: {after}\nevent: reset\ndata: {{"missed": {after - error.after}}}\n\n'
        except StoreUnavailable:
            return  # the client comes again, with the last number it saw


def _told(event: Event) -> str:
    data = json.dumps({"about": event.about, "at": event.at.isoformat()})
    return f"id: {event.number}\nevent: {event.kind}\ndata: {data}\n\n"
