"""Keys to the API: made, revoked, and looked up by what is shown at the door."""

import hashlib
import hmac
from base64 import urlsafe_b64encode
from dataclasses import dataclass, replace
from datetime import timedelta

from aiops.app.incidents.acts import words
from aiops.errors import InvalidInput, NotKept, WrongState
from aiops.model.access import RANK, Role, Token
from aiops.model.investigation import AuditEntry
from aiops.ports.access import TokenRepo
from aiops.ports.clock import Clock
from aiops.ports.ids import Ids

PREFIX = "aiops_"
ENTROPY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Issued:
    """A new token.

    Attributes:
        secret: to be shown once; only its digest is kept.
        audit: to be appended to the audit log by the caller.
    """

    token: Token
    secret: str
    audit: AuditEntry


def issue(
    repo: TokenRepo,
    ids: Ids,
    clock: Clock,
    entropy: bytes,
    name: str,
    role: Role,
    *,
    by: str,
    lifetime: timedelta | None = None,
) -> Issued:
    """Make a token.

    Args:
        entropy: ENTROPY_BYTES random bytes.
        by: who makes it, for the audit log.
        lifetime: None: until it is revoked.

    Raises:
        InvalidInput: no name, or no such role.
    """
    if len(entropy) < ENTROPY_BYTES:
        raise ValueError(f"a secret needs {ENTROPY_BYTES} random bytes")
    if role not in RANK:
        raise InvalidInput(f"role {role!r}: choose one of {', '.join(RANK)}")
    if lifetime is not None and lifetime <= timedelta(0):
        raise InvalidInput("a token must be valid for some time")
    now = clock.now()
    secret = PREFIX + urlsafe_b64encode(entropy).decode().rstrip("=")
    token = Token(
        id=ids.new("tok"),
        name=words(name, "the name of a token", 100),
        role=role,
        digest=digest_of(secret),
        created_at=now,
        expires_at=None if lifetime is None else now + lifetime,
    )
    repo.save(token)
    return Issued(token, secret, AuditEntry(now, by, "token.created", token.id, "done"))


def revoke(repo: TokenRepo, clock: Clock, token_id: str, *, by: str) -> tuple[Token, AuditEntry]:
    """End a token now.

    Raises:
        NotKept: there is none with this id.
        WrongState: it was revoked before.
    """
    token = next((each for each in repo.all() if each.id == token_id), None)
    if token is None:
        raise NotKept("token", token_id)
    if token.revoked_at is not None:
        raise WrongState(f"token {token_id}", "was revoked before; nothing is left to do")
    now = clock.now()
    gone = replace(token, revoked_at=now)
    repo.save(gone)
    return gone, AuditEntry(now, by, "token.revoked", token_id, "done")


def opened_by(repo: TokenRepo, clock: Clock, secret: str) -> Token | None:
    """The valid token whose secret this is; None where there is none."""
    digest = digest_of(secret)
    token = repo.by_digest(digest)
    # The lookup goes by a digest, whose timing says nothing about a secret of 256 random bits.
    if token is None or not hmac.compare_digest(token.digest, digest):
        return None
    return token if token.valid(clock.now()) else None


def digest_of(secret: str) -> str:
    """What is kept of a secret: sha256, hex. Random 256 bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
