"""Keys to the API: made, revoked, and looked up by what is shown at the door."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from aiops.app.incidents.acts import words
from aiops.errors import InvalidInput, NotKept, WrongState
from aiops.model.access import RANK, Role, Token
from aiops.model.investigation import AuditEntry
from aiops.model.tool import CAPABILITIES, Capability
from aiops.ports.access import TokenRepo
from aiops.ports.clock import Clock
from aiops.ports.ids import Ids

PREFIX = "aiops_"
ENTROPY_BYTES = 32
_SCOPE: Final = re.compile(r"tools:([A-Za-z][A-Za-z0-9_-]*)(?::([a-z]+))?")


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
    scopes: tuple[str, ...] = (),
) -> Issued:
    """Make a token.

    Args:
        entropy: ENTROPY_BYTES random bytes.
        by: who makes it, for the audit log.
        lifetime: None: until it is revoked.
        scopes: toolsets that it opens over MCP, instead of the API.

    Raises:
        InvalidInput: no name, no such role, or no scope.
    """
    if len(entropy) < ENTROPY_BYTES:
        raise ValueError(f"a secret needs {ENTROPY_BYTES} random bytes")
    if role not in RANK:
        raise InvalidInput(f"role {role!r}: choose one of {', '.join(RANK)}")
    if lifetime is not None and lifetime <= timedelta(0):
        raise InvalidInput("a token must be valid for some time")
    for scope in scopes:
        _read_scope(scope)
    now = clock.now()
    secret = PREFIX + urlsafe_b64encode(entropy).decode().rstrip("=")
    token = Token(
        id=ids.new("tok"),
        name=words(name, "the name of a token", 100),
        role=role,
        digest=digest_of(secret),
        created_at=now,
        expires_at=None if lifetime is None else now + lifetime,
        scopes=scopes,
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
    """The valid token of the API whose secret this is; None where there is none."""
    token = _valid(repo, clock, secret)
    return None if token is None or token.scopes else token


def scoped_by(repo: TokenRepo, clock: Clock, secret: str) -> Token | None:
    """The valid token of tools whose secret this is; None where there is none."""
    token = _valid(repo, clock, secret)
    return token if token is not None and token.scopes else None


def capability_on(scopes: Sequence[str], toolset: str) -> Capability | None:
    """The most that scopes allow on a toolset: "observer" where they say no more."""
    read = [_read_scope(scope) for scope in scopes]
    given = [capability for name, capability in read if name == toolset]
    return max(given, key=CAPABILITIES.index, default=None)


def _read_scope(scope: str) -> tuple[str, Capability]:
    matched = _SCOPE.fullmatch(scope)
    said = None if matched is None else matched[2] or "observer"
    capability = next((each for each in CAPABILITIES if each == said), None)
    if matched is None or capability is None:
        raise InvalidInput(
            f"scope {scope!r}: give tools:TOOLSET or tools:TOOLSET:CAPABILITY, where the "
            f"capability is one of {', '.join(CAPABILITIES)}"
        )
    return matched[1], capability


def _valid(repo: TokenRepo, clock: Clock, secret: str) -> Token | None:
    digest = digest_of(secret)
    token = repo.by_digest(digest)
    # The lookup goes by a digest, whose timing says nothing about a secret of 256 random bits.
    if token is None or not hmac.compare_digest(token.digest, digest):
        return None
    return token if token.valid(clock.now()) else None


def digest_of(secret: str) -> str:
    """What is kept of a secret: sha256, hex. Random 256 bits need no slow hash."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
