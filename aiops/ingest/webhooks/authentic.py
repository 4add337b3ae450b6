"""Whether a request comes from whom it says: by signature, token, password, or SNS certificate.

Comparisons take the same time wherever two texts differ. No reason ever holds a secret, nor what
was sent in place of one.
"""

import binascii
import hashlib
import hmac
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal

from aiops.errors import BadPayload, NotAuthentic
from aiops.ingest.webhooks.moments import moment
from aiops.ingest.webhooks.sns import envelope
from aiops.ingest.webhooks.sns_signature import check_signature

Scheme = Literal["hmac", "bearer", "basic", "sns", "none"]
Fetch = Callable[[str], bytes]
"""Gets the body of an https address; raises SourceUnavailable where it cannot."""

TOLERANCE = timedelta(minutes=5)
"""How far a signed time may lie from ours: what was recorded longer ago is a replay."""
SNS_TOLERANCE = timedelta(hours=1)
"""The same for SNS, which signs once and repeats that message while we do not answer."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a webhook's requests must prove.

    Attributes:
        kind: whose payload, as configured: decides where a signature is looked for.
        secret: key of the HMAC, token, "user:password"; for SNS the topic's ARN, since everybody
            with an account there can have SNS sign a message of theirs.
        former: a secret that holds as well, while senders are given the new one.
    """

    kind: str
    auth: Scheme
    secret: str | None = field(default=None, repr=False)
    former: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class _Signed:
    """Where a sender puts the HMAC-SHA256 of a body, as hex.

    Attributes:
        header: in lower case.
        prefix: stands before the digest.
        timestamp: header of a time in seconds; where it is sent, "<time>:<body>" is signed.
    """

    header: str
    prefix: str = ""
    timestamp: str | None = None


_BY_KIND: dict[str, tuple[_Signed, ...]] = {
    "pagerduty": (_Signed("x-pagerduty-signature", "v1="),),
    "sentry": (_Signed("sentry-hook-signature"),),
    "grafana": (_Signed("x-grafana-alerting-signature", "", "x-grafana-alerting-timestamp"),),
    "github": (_Signed("x-hub-signature-256", "sha256="),),
}
_ANY_KIND = (
    _Signed("x-signature", "", "x-signature-timestamp"),
    _Signed("x-hub-signature-256", "sha256="),
)


def authentic(
    credentials: Credentials,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    *,
    fetch: Fetch | None = None,
) -> None:
    """Return if the request proves where it comes from.

    Args:
        headers: names in lower case.
        body: the bytes as they came; a signature covers exactly these.
        now: UTC.
        fetch: gets the certificate of SNS; asked only for addresses of SNS. Worth caching.

    Raises:
        NotAuthentic: it does not; says why without the secret.
        SourceUnavailable: it could not be checked now; the sender should come again.
    """
    if credentials.auth == "none":
        return
    if not credentials.secret:
        raise NotAuthentic("this webhook has no secret; set webhooks.<name>.secret")
    try:
        _proved(credentials, credentials.secret, headers, body, now, fetch)
    except NotAuthentic:
        if not credentials.former:
            raise
        _proved(credentials, credentials.former, headers, body, now, fetch)


def _proved(
    credentials: Credentials,
    secret: str,
    headers: Mapping[str, str],
    body: bytes,
    now: datetime,
    fetch: Fetch | None,
) -> None:
    if credentials.auth == "hmac":
        _hmac(credentials.kind, secret, headers, body, now)
    elif credentials.auth == "bearer":
        _bearer(secret, headers)
    elif credentials.auth == "basic":
        _basic(secret, headers)
    else:
        _sns(secret, body, now, fetch)


def _hmac(kind: str, secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> None:
    known = (*_BY_KIND.get(kind, ()), *_ANY_KIND)
    signed = next((one for one in known if headers.get(one.header)), None)
    if signed is None:
        raise NotAuthentic(f"no signature; it is expected in the header {known[0].header}")
    covered = body
    said = headers.get(signed.timestamp) if signed.timestamp else None
    if said is not None:
        covered = said.encode("utf-8", "replace") + b":" + body
    digest = hmac.new(secret.encode(), covered, hashlib.sha256).hexdigest()
    # Several signatures stand beside each other while a key is being replaced.
    offered = [one.strip().lower() for one in headers[signed.header].split(",")]
    if not any(_same(digest, one.removeprefix(signed.prefix or "sha256=")) for one in offered):
        raise NotAuthentic(f"the signature in {signed.header} does not match the body and our key")
    if said is not None:
        _refuse_replay(said, now, TOLERANCE)


def _bearer(secret: str, headers: Mapping[str, str]) -> None:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    given = token.strip() if scheme.lower() == "bearer" else headers.get("x-gitlab-token", "")
    if not given:
        raise NotAuthentic("no token; it is expected as Authorization: Bearer <token>")
    if not _same(secret, given):
        raise NotAuthentic("the token is not the one set for this webhook")


def _basic(secret: str, headers: Mapping[str, str]) -> None:
    scheme, _, encoded = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise NotAuthentic("no user and password; they are expected as Authorization: Basic")
    try:
        given = b64decode(encoded.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise NotAuthentic("user and password are not in base64") from error
    if not hmac.compare_digest(secret.encode(), given):
        raise NotAuthentic("user or password is not the one set for this webhook")


def _sns(topic: str, body: bytes, now: datetime, fetch: Fetch | None) -> None:
    try:
        message = envelope(body)
    except BadPayload as error:
        raise NotAuthentic(f"no message of SNS: {error}") from error
    if not _same(topic, message.topic):
        raise NotAuthentic("it comes from another topic than the one set as this webhook's secret")
    check_signature(message, now, fetch)
    if message.at is None or abs(now - message.at) > SNS_TOLERANCE:
        raise NotAuthentic(f"signed more than {SNS_TOLERANCE} ago or hence; is a clock wrong?")


def _refuse_replay(said: str, now: datetime, tolerance: timedelta) -> None:
    try:
        at = moment(said)
    except ValueError as error:
        raise NotAuthentic("the signed timestamp is no time") from error
    if abs(now.astimezone(UTC) - at) > tolerance:
        raise NotAuthentic(f"signed more than {tolerance} ago or hence; is a clock wrong?")


def _same(ours: str, given: str) -> bool:
    return hmac.compare_digest(ours.encode(), given.encode("utf-8", "replace"))
