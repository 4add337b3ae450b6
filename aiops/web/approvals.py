"""Approvals of actions, how well people agree with shadow mode, and the kill switch.

Deciding is left to the desk: here a request becomes a verdict, and a refusal an answer.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field
from starlette.responses import JSONResponse

from aiops.app.approvals.agreement import agreement
from aiops.app.approvals.deciding import Decider, Desk, Verdict
from aiops.app.approvals.refusals import NotAsSeen
from aiops.bootstrap.deciding import brake_of, desk_of
from aiops.model.approval import OPEN, Approval, ApprovalState, Decision, Mode
from aiops.model.canonical import canonical
from aiops.model.tool import Risk
from aiops.web.bodies import Given, Id, Limit, Text, Told
from aiops.web.errors import CONFLICT, ERRORS, ErrorBody, refused
from aiops.web.security import Caller, Viewer
from aiops.web.site import AtSite, Site

router = APIRouter(tags=["approvals"], responses=ERRORS)


class TargetBody(Told):
    """An object that the action changes."""

    cluster: str
    namespace: str | None
    kind: str
    name: str


class RadiusBody(Told):
    """How much it touches: objects that change, replicas that stop, of so many that serve."""

    objects: int
    interrupted: int
    serving: int
    share: float


class UndoBody(Told):
    """The call that takes it back."""

    tool: str
    arguments: dict[str, Any]


class ApprovalBody(Told):
    """The question whether an action may be carried out, and its answer."""

    id: str
    state: ApprovalState
    mode: Mode
    tool: str
    arguments: dict[str, Any]
    action_hash: str = Field(description="to be stated by whoever decides")
    risk: Risk
    summary: str
    targets: list[TargetBody]
    diff: str
    radius: RadiusBody
    undo: UndoBody | None = Field(description="null: it cannot be taken back")
    warnings: list[str]
    reason: str
    requested_by: str
    run: str
    incident: str | None
    requested_at: datetime
    expires_at: datetime
    needed_role: Literal["responder", "admin"]
    decided_by: str | None
    decided_at: datetime | None
    decision_reason: str
    superseded_by: str | None
    used_at: datetime | None
    outcome: str | None
    revision: int


class AgreementBody(Told):
    """How often people would have done what shadow mode would have done."""

    agreed: int
    judged: int
    waiting: int
    lapsed: int
    share: float | None


class ApprovalsBody(Told):
    """Approvals, newest first; ``next`` is ``before`` of the page after, if any."""

    approvals: list[ApprovalBody]
    next: str | None
    shadow: AgreementBody


class Answer(Given):
    """What is decided about the action with this hash."""

    decision: Decision
    action_hash: str = Field(pattern=r"^[0-9a-f]{64}$", description="of the action looked at")
    reason: Text = Field(default="", max_length=10_000, description="needed unless approved")
    arguments: dict[str, Any] | None = Field(default=None, description="with modify: all of them")


class NotAsSeenAnswer(BaseModel):
    """Why it was not decided, and the approval to look at now."""

    error: ErrorBody
    approval: ApprovalBody | None = None


class SwitchBody(Told):
    """Whether all writes are stopped."""

    engaged: bool
    by: str | None = None
    reason: str | None = None
    at: datetime | None = None


class Switched(Given):
    """Stop all writes, or let them pass again."""

    engaged: bool
    reason: Text = Field(default="", max_length=1000, description="needed to stop")


_STALE: dict[int | str, dict[str, Any]] = {
    409: {
        "model": NotAsSeenAnswer,
        "description": "It is another action by now, or decided; look at the approval in here",
    }
}


def desk(site: Site) -> Desk:
    """Where this site's approvals are decided."""
    return desk_of(site.service, site.rehearsal)


def decider(who: Caller) -> Decider:
    """Who asks, as somebody who decides."""
    return Decider(who.name, who.role)


def told(approval: Approval) -> ApprovalBody:
    """An approval as the API shows it."""
    action, preview = approval.action, approval.action.preview
    given = {
        **{name: getattr(approval, name) for name in ApprovalBody.model_fields.keys() & _OWN},
        "tool": action.tool,
        "arguments": json.loads(_sound(action.arguments)),
        "risk": action.risk,
        "summary": _sound(preview.summary),
        "targets": [TargetBody.model_validate(each) for each in preview.targets],
        "diff": _sound(preview.diff),
        "radius": RadiusBody.model_validate(preview.radius),
        "undo": preview.undo
        and UndoBody(tool=preview.undo.tool, arguments=json.loads(_sound(preview.undo.arguments))),
        "warnings": [_sound(each) for each in preview.warnings],
        "reason": _sound(approval.reason),
    }
    return ApprovalBody(**given)


_OWN = set(Approval.__slots__)


def _sound(text: str) -> str:
    """Without halves of characters, which no encoding of an answer has room for."""
    return text.encode("utf-8", "replace").decode()


@router.get("/approvals", summary="Find approvals")
def find(
    who: Viewer,
    site: AtSite,
    state: Annotated[list[ApprovalState | Literal["open"]], Query()] = [],  # noqa: B006
    incident: Annotated[Text | None, Query(max_length=200)] = None,
    before: Annotated[Text | None, Query(max_length=200, description="Go on below it.")] = None,
    limit: Limit = 50,
) -> ApprovalsBody:
    """Repeat ``state`` for several; ``state=open``: those that wait for a decision."""
    del who
    approvals = site.service.approvals
    found = approvals.listed(
        states_of(state), incident=incident, before=before or None, limit=limit + 1
    )
    page = found[:limit]
    return ApprovalsBody(
        approvals=[told(each) for each in page],
        next=page[-1].id if len(found) > limit else None,
        shadow=AgreementBody.model_validate(agreement(approvals)),
    )


def states_of(given: Iterable[ApprovalState | Literal["open"]]) -> tuple[ApprovalState, ...]:
    """The states that a filter means."""
    states: dict[ApprovalState, None] = {}
    for each in given:
        states.update(dict.fromkeys(OPEN if each == "open" else (each,)))
    return tuple(states)


@router.get("/approvals/{approval_id}", summary="One approval")
def get(who: Viewer, site: AtSite, approval_id: Id) -> ApprovalBody:
    """With the whole diff of what would be done."""
    del who
    return told(site.service.approvals.get(approval_id))


@router.post(
    "/approvals/{approval_id}",
    summary="Decide about an action",
    response_model=ApprovalBody,
    responses=_STALE,
)
async def decide(
    who: Viewer, site: AtSite, approval_id: Id, body: Answer
) -> ApprovalBody | Response:
    """Approve, modify, reject or escalate it; "modify" answers with the approval to be given anew.

    What it would do is looked at again first: where that has changed, nothing is approved, and the
    409 holds the approval that stands in its place.
    """
    arguments = None if body.arguments is None else canonical(body.arguments)
    verdict = Verdict(body.decision, body.action_hash, body.reason, arguments)
    try:
        return told(await desk(site).decide(decider(who), approval_id, verdict))
    except NotAsSeen as error:
        answer = NotAsSeenAnswer(error=refused(error).body, approval=told(error.current))
        return JSONResponse(answer.model_dump(mode="json"), 409)


@router.get("/switch", summary="Whether all writes are stopped")
def switch(who: Viewer, site: AtSite) -> SwitchBody:
    """Read anew each time."""
    del who
    stop = site.service.switch.state()
    return SwitchBody(engaged=False) if stop is None else SwitchBody(engaged=True, **asdict(stop))


@router.post("/switch", summary="Stop all writes, or let them pass again", responses=CONFLICT)
def turn(who: Viewer, site: AtSite, body: Switched) -> SwitchBody:
    """Responders stop; admins let pass. Who stopped first stays, however often it is asked."""
    brake = brake_of(site.service)
    if not body.engaged:
        brake.resume(decider(who), body.reason)
        return SwitchBody(engaged=False)
    return SwitchBody(engaged=True, **asdict(brake.stop(decider(who), body.reason)))
