"""What responders do to incidents. Every act is a line in the timeline and one in the audit log."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Response
from pydantic import Field

from aiops.app.incidents import lifecycle, transfers
from aiops.app.incidents.acts import Done, Person
from aiops.app.incidents.grouping import Grouping
from aiops.errors import ChangedMeanwhile
from aiops.model.alert import AlertKey, Severity
from aiops.web.bodies import Given, Id, Text
from aiops.web.errors import CONFLICT, ERRORS, Refused
from aiops.web.incidents import IncidentBody, told
from aiops.web.security import Caller, Responder
from aiops.web.site import AtSite, Site

router = APIRouter(
    prefix="/incidents/{incident_id}", tags=["handling"], responses={**ERRORS, **CONFLICT}
)

IfMatch = Annotated[
    str,
    Header(
        pattern=r'^(\*|(W/)?"?[0-9]{1,15}"?)$',
        description='Act only on this revision of the incident, such as "3"; "*": on any.',
    ),
]


class Act(Given):
    """What every act may say."""

    revision: int | None = Field(
        default=None, ge=0, le=2**53, description="act only on this revision of the incident"
    )


class Assignment(Act):
    """Whose it is; null: nobody's."""

    assignee: Text | None = Field(max_length=200)


class Comment(Act):
    """What somebody has to say."""

    text: Text = Field(min_length=1, max_length=10_000)


class Ending(Act):
    """Why it is over."""

    reason: Text = Field(default="", max_length=10_000)


class ChosenSeverity(Act):
    """How bad it is, whatever the alerts say."""

    severity: Severity


class Judgement(Act):
    """Whether the newest report named the cause, and what it was where it did not."""

    right: bool
    cause: Text = Field(default="", max_length=10_000)


class Merging(Act):
    """The incident that goes on."""

    into: Text = Field(min_length=1, max_length=200)


class ChosenAlert(Given):
    """One alerting series."""

    source: Text = Field(min_length=1, max_length=500)
    fingerprint: Text = Field(min_length=1, max_length=1000)


class Splitting(Act):
    """The alerts that go to a new incident."""

    alerts: list[ChosenAlert] = Field(min_length=1, max_length=1000)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where one act is done.

    Attributes:
        response: gets the new revision as its ETag.
    """

    site: Site
    who: Caller
    incident_id: str
    if_match: str
    response: Response

    def do(self, body: Act | None, act: Callable[[Person, str], Done]) -> IncidentBody:
        """Do it and write it down.

        Raises:
            Refused: 409, with the current revision, where the incident is no longer as seen.
            AiopsError: what the act raises.
        """
        service = self.site.service
        revision = _seen(body, self.if_match)
        try:
            done = act(
                Person(service.incidents, service.clock, self.who.name, revision), self.incident_id
            )
        except ChangedMeanwhile as error:
            now = service.incidents.get(self.incident_id).revision
            raise Refused(409, "changed_meanwhile", str(error), revision=now) from error
        service.audit.append(done.audit)
        return told(done.incident, self.response)

    @property
    def rules(self) -> Grouping:
        """How alerts become incidents."""
        return Grouping(**self.site.service.settings.incidents.model_dump())


def desk(
    who: Responder, site: AtSite, incident_id: Id, response: Response, if_match: IfMatch = "*"
) -> Desk:
    """Where this request's act is done."""
    return Desk(site, who, incident_id, if_match, response)


AtDesk = Annotated[Desk, Depends(desk)]


def _seen(body: Act | None, if_match: str) -> int | None:
    """The revision that the request is about."""
    if if_match == "*":
        return None if body is None else body.revision
    return int(if_match.removeprefix("W/").strip('"'))


@router.post("/acknowledge", summary="Somebody is on it")
def acknowledge(desk: AtDesk, body: Act | None = None) -> IncidentBody:
    """409 where it is acknowledged or resolved."""
    return desk.do(body, lifecycle.acknowledge)


@router.post("/unacknowledge", summary="Nobody is on it any more")
def unacknowledge(desk: AtDesk, body: Act | None = None) -> IncidentBody:
    """409 where it is not acknowledged."""
    return desk.do(body, lifecycle.unacknowledge)


@router.post("/assign", summary="Whose it is")
def assign(desk: AtDesk, body: Assignment) -> IncidentBody:
    """409 where it is resolved."""
    return desk.do(body, lambda person, one: lifecycle.assign(person, one, body.assignee))


@router.post("/comment", summary="Add a comment")
def comment(desk: AtDesk, body: Comment) -> IncidentBody:
    """Also to an incident that is over."""
    return desk.do(body, lambda person, one: lifecycle.comment(person, one, body.text))


@router.post("/resolve", summary="End it")
def resolve(desk: AtDesk, body: Ending | None = None) -> IncidentBody:
    """Whether or not alerts still fire; the next one that begins opens it again."""
    reason = "" if body is None else body.reason
    return desk.do(body, lambda person, one: lifecycle.resolve(person, one, reason))


@router.post("/reopen", summary="Open it again")
def reopen(desk: AtDesk, body: Act | None = None) -> IncidentBody:
    """409 where it is open, was merged, or has an open successor."""
    return desk.do(body, lifecycle.reopen)


@router.post("/severity", summary="Choose its severity")
def severity(desk: AtDesk, body: ChosenSeverity) -> IncidentBody:
    """Alerts change it no more."""
    return desk.do(body, lambda person, one: lifecycle.set_severity(person, one, body.severity))


@router.post("/verdict", summary="Judge its report")
def verdict(desk: AtDesk, body: Judgement) -> IncidentBody:
    """Replaces an earlier verdict; 409 where there is no report."""
    return desk.do(
        body,
        lambda person, one: lifecycle.judge(person, one, right=body.right, cause=body.cause),
    )


@router.post("/investigate", summary="Investigate it now")
def investigate(desk: AtDesk, body: Act | None = None) -> IncidentBody:
    """Whatever the cooldown."""
    return desk.do(body, lifecycle.request_investigation)


@router.post("/merge", summary="Merge it into another")
def merge(desk: AtDesk, body: Merging) -> IncidentBody:
    """Answers the one that goes on."""
    return desk.do(body, lambda person, one: transfers.merge(person, one, body.into, desk.rules))


@router.post("/split", summary="Split alerts off")
def split(desk: AtDesk, body: Splitting) -> IncidentBody:
    """Answers the new incident."""
    keys = [AlertKey(each.source, each.fingerprint) for each in body.alerts]
    ids = desk.site.service.ids
    return desk.do(body, lambda person, one: transfers.split(person, ids, one, keys, desk.rules))
