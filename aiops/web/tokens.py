"""Keys to the API, and the record of who did what; for admins."""

import secrets
from datetime import datetime, timedelta
from itertools import islice
from typing import Annotated

from fastapi import APIRouter, Query, status
from pydantic import Field

from aiops.app import tokens
from aiops.model.access import Role
from aiops.web.bodies import Given, Id, Text, Told
from aiops.web.errors import CONFLICT, ERRORS
from aiops.web.security import Admin
from aiops.web.site import AtSite

router = APIRouter(tags=["access"], responses=ERRORS)


class TokenBody(Told):
    """A token without its secret."""

    id: str
    name: str
    role: Role
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


class TokensBody(Told):
    """Tokens, oldest first."""

    tokens: list[TokenBody]


class NewToken(Given):
    """Whose it is, what it may do, and how long."""

    name: Text = Field(min_length=1, max_length=100)
    role: Role
    expires_days: float | None = Field(default=None, gt=0, le=3660)


class IssuedBody(Told):
    """A new token; its secret is shown this once."""

    token: TokenBody
    secret: str


class AuditEntryBody(Told):
    """One thing that was done, or refused."""

    number: int
    at: datetime
    actor: str
    action: str
    target: str
    outcome: str


class AuditBody(Told):
    """Entries, oldest first; ``next`` is ``after`` of the page after, if any."""

    entries: list[AuditEntryBody]
    next: int | None


@router.get("/tokens", summary="Tokens")
def find(who: Admin, site: AtSite) -> TokensBody:
    """All, also those expired or revoked."""
    del who
    found = site.service.tokens.all()
    return TokensBody(tokens=[TokenBody.model_validate(each) for each in found])


@router.post("/tokens", summary="Make a token", status_code=status.HTTP_201_CREATED)
def create(who: Admin, site: AtSite, body: NewToken) -> IssuedBody:
    """The secret is in this answer and nowhere else."""
    service = site.service
    days = body.expires_days
    issued = tokens.issue(
        service.tokens,
        service.ids,
        service.clock,
        secrets.token_bytes(tokens.ENTROPY_BYTES),
        body.name,
        body.role,
        by=who.name,
        lifetime=None if days is None else timedelta(days=days),
    )
    service.audit.append(issued.audit)
    return IssuedBody(token=TokenBody.model_validate(issued.token), secret=issued.secret)


@router.delete("/tokens/{token_id}", summary="Revoke a token", responses=CONFLICT)
def revoke(who: Admin, site: AtSite, token_id: Id) -> TokenBody:
    """At once and for ever."""
    service = site.service
    gone, audit = tokens.revoke(service.tokens, service.clock, token_id, by=who.name)
    service.audit.append(audit)
    return TokenBody.model_validate(gone)


@router.get("/audit", summary="Who did what")
def audit(
    who: Admin,
    site: AtSite,
    after: Annotated[int, Query(ge=0, le=2**53)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 200,
) -> AuditBody:
    """Oldest first; nothing in it is ever changed."""
    del who
    found = list(islice(site.service.audit.entries(after), limit + 1))
    page = [
        AuditEntryBody(
            number=number,
            at=entry.at,
            actor=entry.actor,
            action=entry.action,
            target=entry.target,
            outcome=entry.outcome,
        )
        for number, entry in found[:limit]
    ]
    return AuditBody(entries=page, next=page[-1].number if len(found) > limit else None)
