"""The pages of approvals: what waits, what exactly would be done, and the buttons that decide."""

import json
from typing import Final, cast, get_args
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response

from aiops.app.approvals.agreement import agreement
from aiops.app.approvals.deciding import Verdict
from aiops.app.approvals.picture import touches
from aiops.app.approvals.refusals import NotAsSeen
from aiops.bootstrap.deciding import brake_of
from aiops.errors import AiopsError, InvalidInput, NotKept
from aiops.model.approval import OPEN, Approval, ApprovalState, Decision
from aiops.model.canonical import canonical
from aiops.web.approvals import decider, desk
from aiops.web.bodies import Id
from aiops.web.errors import Refused, refused
from aiops.web.page import Form, page, redirect
from aiops.web.security import Caller, Viewer
from aiops.web.site import AtSite, Site

router = APIRouter()
PAGE: Final = 50
_VIEWS: Final[dict[str, tuple[ApprovalState, ...]]] = {
    "open": OPEN,
    **{state: (state,) for state in get_args(ApprovalState) if state not in OPEN},
    "all": (),
}
_MARKS: Final = {"+": "add", "-": "del", "@": "hunk"}


@router.get("/approvals")
def approvals(request: Request, who: Viewer, site: AtSite) -> Response:
    """What waits for a decision, the switch, and how well people agree with shadow mode."""
    return _list(site, who, request.query_params.get("state", "open"), request)


@router.get("/approvals/{approval_id}")
def approval(who: Viewer, site: AtSite, approval_id: Id) -> Response:
    """One action: its diff, and what whoever decides has to know."""
    return _one(site, who, site.service.approvals.get(approval_id))


@router.post("/approvals/{approval_id}/{button}")
async def decide(who: Viewer, site: AtSite, approval_id: Id, button: str, form: Form) -> Response:
    """What a button decides; then the approval again, with the reason where it was refused."""
    if button not in get_args(Decision):
        raise NotKept("button", button)
    decision = cast("Decision", button)
    try:
        given = _arguments(form.get("arguments", "")) if decision == "modify" else None
        verdict = Verdict(decision, form.get("action_hash", ""), form.get("reason", ""), given)
        answered = await desk(site).decide(decider(who), approval_id, verdict)
    except NotAsSeen as error:
        return _one(site, who, error.current, refused(error))
    except AiopsError as error:
        return _one(site, who, site.service.approvals.get(approval_id), refused(error))
    return redirect(f"/approvals/{answered.id}")


@router.post("/switch/{button}")
def turn(request: Request, who: Viewer, site: AtSite, button: str, form: Form) -> Response:
    """Stop all writes, or let them pass again."""
    brake, reason = brake_of(site.service), form.get("reason", "")
    acts = {"stop": brake.stop, "resume": brake.resume}
    if button not in acts:
        raise NotKept("button", button)
    try:
        acts[button](decider(who), reason)
    except AiopsError as error:
        return _list(site, who, "open", request, refused(error))
    return redirect("/approvals")


def diff_lines(diff: str) -> list[tuple[str, str]]:
    """The lines of a unified diff with the class of each; no line of it can begin another."""
    lines = diff.rstrip("\n").split("\n")
    return [
        ("head" if number < 2 else _MARKS.get(line[:1], ""), line)
        for number, line in enumerate(lines)
    ]


def _arguments(text: str) -> str:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"the arguments are no JSON: {error}") from error
    if not isinstance(given, dict):
        raise InvalidInput("the arguments are no JSON object; change values, not its form")
    return canonical(given)


def _list(
    site: Site, who: Caller, view: str, request: Request, problem: Refused | None = None
) -> Response:
    if view not in _VIEWS:
        raise Refused(422, "invalid", "no such filter")
    kept = site.service.approvals
    before = request.query_params.get("before") or None
    found = kept.listed(_VIEWS[view], before=before, limit=PAGE + 1)
    more = {"state": view, "before": found[PAGE - 1].id} if len(found) > PAGE else None
    shown = page(
        site,
        "approvals.html",
        who=who,
        approvals=found[:PAGE],
        view=view,
        views=tuple(_VIEWS),
        stop=site.service.switch.state(),
        score=agreement(kept),
        more=urlencode(more) if more else None,
        problem=None if problem is None else problem.body.message,
        may_stop=who.may("responder"),
        may_resume=who.may("admin"),
    )
    if problem is not None:
        shown.status_code = problem.status
    return shown


def _one(site: Site, who: Caller, asked: Approval, problem: Refused | None = None) -> Response:
    action = asked.action
    needs_admin = asked.needed_role == "admin" or action.risk == "high"
    shown = page(
        site,
        "approval.html",
        who=who,
        approval=asked,
        lines=diff_lines(action.preview.diff),
        arguments=json.dumps(json.loads(action.arguments), indent=2).split("\n"),
        touches=touches(action.preview.radius),
        stop=site.service.switch.state(),
        over=asked.expires_at <= site.service.clock.now(),
        problem=None if problem is None else problem.body.message,
        may_act=who.may("responder"),
        may_approve=who.may("admin" if needs_admin else "responder"),
        own=who.name.strip().casefold() == asked.requested_by.casefold(),
        may_modify=site.rehearsal is not None and asked.mode == "approve",
    )
    if problem is not None:
        shown.status_code = problem.status
    return shown
