"""Silences and maintenance windows: alerts that are to open no incident for a while."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, status
from pydantic import Field

from aiops.app.incidents import silences
from aiops.app.incidents.acts import Person
from aiops.errors import NotKept
from aiops.model.alert import Matcher
from aiops.web.bodies import Given, Id, Moment, Text, Told
from aiops.web.errors import CONFLICT, ERRORS
from aiops.web.security import Admin, Viewer
from aiops.web.site import AtSite

router = APIRouter(prefix="/silences", tags=["silences"], responses=ERRORS)


class NewMatcher(Given):
    """One condition on a label: equality, or a regular expression over the whole value."""

    label: Text = Field(min_length=1, max_length=200)
    value: Text = Field(max_length=silences.LONGEST_VALUE)
    regex: bool = False
    negative: bool = False


class MatcherBody(Told):
    """One condition on a label."""

    label: str
    value: str
    regex: bool
    negative: bool


class SilenceBody(Told):
    """One silence."""

    id: str
    matchers: list[MatcherBody]
    starts_at: datetime
    ends_at: datetime
    author: str
    comment: str
    maintenance: bool


class SilencesBody(Told):
    """Silences, the one that ends last first."""

    silences: list[SilenceBody]


class NewSilence(Given):
    """What to keep quiet, how long, and why. Planned work is a silence with ``maintenance``."""

    matchers: list[NewMatcher] = Field(min_length=1, max_length=silences.MOST_MATCHERS)
    starts_at: Moment | None = Field(default=None, description="now, where it is not given")
    ends_at: Moment
    comment: Text = Field(min_length=1, max_length=10_000)
    maintenance: bool = False


def meant(matchers: list[NewMatcher]) -> tuple[Matcher, ...]:
    """The matchers of a request."""
    return tuple(Matcher(each.label, each.value, each.regex, each.negative) for each in matchers)


@router.get("", summary="Silences and maintenance windows")
def find(
    who: Viewer,
    site: AtSite,
    maintenance: Annotated[bool | None, Query(description="Only planned work, or none.")] = None,
    active: Annotated[bool, Query(description="Only those in force.")] = False,
) -> SilencesBody:
    """The one that ends last first."""
    del who
    now = site.service.clock.now()
    found = [
        SilenceBody.model_validate(each)
        for each in site.service.incidents.silences()
        if maintenance in (None, each.maintenance)
        and (not active or each.starts_at <= now < each.ends_at)
    ]
    return SilencesBody(silences=found)


@router.get("/{silence_id}", summary="One silence")
def get(who: Viewer, site: AtSite, silence_id: Id) -> SilenceBody:
    """In force or over."""
    del who
    for each in site.service.incidents.silences():
        if each.id == silence_id:
            return SilenceBody.model_validate(each)
    raise NotKept("silence", silence_id)


@router.post("", summary="Keep alerts quiet", status_code=status.HTTP_201_CREATED)
def create(who: Admin, site: AtSite, body: NewSilence) -> SilenceBody:
    """Incidents that are open stay."""
    service = site.service
    made = silences.create(
        Person(service.incidents, service.clock, who.name),
        service.ids,
        meant(body.matchers),
        body.starts_at or service.clock.now(),
        body.ends_at,
        body.comment,
        maintenance=body.maintenance,
    )
    service.audit.append(made.audit)
    return SilenceBody.model_validate(made.silence)


@router.delete("/{silence_id}", summary="End a silence", responses=CONFLICT)
def expire(who: Admin, site: AtSite, silence_id: Id) -> SilenceBody:
    """Now; alerts that still fire are taken in. It stays to be read."""
    service = site.service
    ended = silences.expire(Person(service.incidents, service.clock, who.name), silence_id)
    service.audit.append(ended.audit)
    return SilenceBody.model_validate(ended.silence)
