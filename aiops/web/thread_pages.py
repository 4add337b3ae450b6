"""The pages of conversations: a question in a form, its answer under it with what it rests on."""

from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from typing import Final

from fastapi import APIRouter, Response

from aiops.errors import AiopsError, NotKept
from aiops.model.incident import Incident
from aiops.model.thread import Cited, Reply
from aiops.web.answering import Answering
from aiops.web.bodies import Id
from aiops.web.errors import Refused, refused
from aiops.web.page import Form, page, redirect
from aiops.web.security import Caller, Viewer
from aiops.web.site import AtSite, Site
from aiops.web.threads import AtDesk

router = APIRouter()
SHOWN: Final = 50
PATIENCE_S: Final = 5.0
"""How long a form waits for the answer; a slower one appears on the page when it is there."""
STARTERS: Final = ("why?", "since when?", "what changed?", "who is affected?", "what should I do?")
_KINDS: Final = {"incidents": "/incidents/", "approvals": "/approvals/"}


@router.get("/threads")
def threads(who: Viewer, site: AtSite) -> Response:
    """The latest conversations, and a form that begins another."""
    found = site.service.threads.newest(limit=SHOWN)
    return page(site, "threads.html", who=who, threads=found, problem=None)


@router.post("/threads")
def begin(who: Viewer, site: AtSite, desk: AtDesk, form: Form) -> Response:
    """Begin a conversation with its first question."""
    thread = desk.desk.open(who.name, form.get("incident") or None)
    return _asked(site, who, desk, thread.id, form)


@router.get("/threads/{thread_id}")
def thread(who: Viewer, site: AtSite, thread_id: Id) -> Response:
    """What was said, the newest last, and a form to go on."""
    return _thread(site, who, thread_id)


@router.post("/threads/{thread_id}")
def ask(who: Viewer, site: AtSite, desk: AtDesk, thread_id: Id, form: Form) -> Response:
    """Ask; then the conversation again, with the answer where it came soon."""
    return _asked(site, who, desk, thread_id, form)


def address_of(cited: Cited) -> str | None:
    """Where the pages show what an answer cites; None where none does."""
    if cited.of in _KINDS:
        return f"{_KINDS[cited.of]}{cited.id}"
    return f"/reports/{cited.of}" if cited.of.startswith("inv-") else None


def _asked(
    site: Site, who: Caller, desk: Answering, thread_id: str, form: dict[str, str]
) -> Response:
    try:
        asked = desk.desk.take(thread_id, who.name, who.role, form.get("text", ""))
    except NotKept:
        raise
    except AiopsError as error:
        return _thread(site, who, thread_id, refused(error))
    _wait(desk.begin(asked))
    return redirect(f"/threads/{thread_id}#m{asked.number}")


def _wait(answer: "Future[Reply]") -> None:
    with suppress(NotYet):
        answer.result(PATIENCE_S)


def _thread(site: Site, who: Caller, thread_id: str, problem: Refused | None = None) -> Response:
    service = site.service
    found = service.threads.get(thread_id)
    shown = page(
        site,
        "thread.html",
        who=who,
        thread=found,
        incident=_incident(site, found.incident),
        exchanges=service.threads.exchanges(thread_id, limit=SHOWN),
        starters=STARTERS,
        address_of=address_of,
        problem=None if problem is None else problem.body.message,
    )
    if problem is not None:
        shown.status_code = problem.status
    return shown


def _incident(site: Site, incident_id: str | None) -> Incident | None:
    """The incident that it was opened about, unless that is forgotten."""
    if incident_id is None:
        return None
    try:
        return site.service.incidents.get(incident_id)
    except NotKept:
        return None
