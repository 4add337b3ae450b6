"""Who asks, and whether they may: bearer tokens, the pages' session, and requests of strangers."""

from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import Depends, Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from aiops.app.tokens import opened_by
from aiops.model.access import RANK, Role
from aiops.web.errors import Refused, too_many
from aiops.web.site import Site, site_of

COOKIE: Final = "aiops_session"
SAFE: Final = ("GET", "HEAD", "OPTIONS")
_bearer = HTTPBearer(auto_error=False, description="A token made by `aiops token create`.")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        name: the actor in timelines and the audit log.
        client: whose allowance it uses up: the id of a token.
    """

    name: str
    role: Role
    client: str

    def may(self, role: Role) -> bool:
        """Whether their role is ``role`` or above."""
        return RANK.index(self.role) >= RANK.index(role)


DEVELOPER: Final = Caller("developer", "admin", "developer")
"""Whoever works at the machine of a service started with --dev."""


def sender(
    request: Request,
    site: Annotated[Site, Depends(site_of)],
    given: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
) -> Caller:
    """Who sends something, whatever they have asked for already.

    Raises:
        Refused: 401 without a valid token, 403 from another site's page, 429 for guesses.
    """
    cookie = None if given is not None else request.cookies.get(COOKIE)
    if given is None:  # a browser sends cookies, and reaches loopback, for whichever page asks
        must_be_same_site(request)
    if site.dev:
        return DEVELOPER
    return identified(request, site, cookie if given is None else given.credentials)


def caller(
    who: Annotated[Caller, Depends(sender)], site: Annotated[Site, Depends(site_of)]
) -> Caller:
    """Who asks; raises Refused as ``sender`` does, and 429 for too many requests."""
    _within(site, who.client)
    return who


def identified(request: Request, site: Site, secret: str | None) -> Caller:
    """Whose secret this is; raises Refused. Guesses use up an address's allowance."""
    address = f"address {address_of(request)}"
    token = None if secret is None else opened_by(site.service.tokens, site.service.clock, secret)
    if token is None:
        _within(site, address)
        said = "no token" if secret is None else "the token is not valid: unknown, expired, revoked"
        raise Refused(
            401,
            "not_authentic",
            f"{said}; send Authorization: Bearer <token> (made by 'aiops token create')",
            headers={"WWW-Authenticate": "Bearer"},
        )
    return Caller(token.name, token.role, token.id)


def needs(role: Role, told_by: Callable[..., Caller] = caller) -> Callable[[Caller], Caller]:
    """A dependency: the caller, whose role must be ``role`` or above."""

    def allowed(who: Annotated[Caller, Depends(told_by)]) -> Caller:
        if not who.may(role):
            raise Refused(
                403,
                "not_allowed",
                f"{who.name} is a {who.role}; this needs the role {role}. Use another token",
            )
        return who

    return allowed


Viewer = Annotated[Caller, Depends(needs("viewer"))]
Responder = Annotated[Caller, Depends(needs("responder"))]
Admin = Annotated[Caller, Depends(needs("admin"))]
Sender = Annotated[Caller, Depends(needs("responder", sender))]
"""A responder, or a program with such a token, that pushes; its bytes are limited, not its
requests."""


def must_be_same_site(request: Request) -> None:
    """Raises Refused for a request that changes something and comes from another site's page.

    Browsers name the page's origin on every such request; programs name none.
    """
    if request.method in SAFE:
        return
    origin, host = request.headers.get("origin"), request.headers.get("host", "")
    fetched = request.headers.get("sec-fetch-site", "same-origin")
    if (origin is not None and urlsplit(origin).netloc != host) or fetched == "cross-site":
        raise Refused(403, "other_site", "this was asked by a page of another site; not done")


def address_of(request: Request) -> str:
    """The client's address, as the server sees it."""
    return request.client.host if request.client is not None else "unknown"


def is_loopback(host: str) -> bool:
    """Whether a host name or address, with or without a port, is this machine's own."""
    name = urlsplit(f"//{host}").hostname or ""
    if name == "localhost":
        return True
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return False


def _within(site: Site, client: str) -> None:
    wait_s = site.limit.take(client)
    if wait_s:
        raise too_many(wait_s)
