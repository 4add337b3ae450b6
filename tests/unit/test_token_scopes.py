"""Tokens of tools open tools, and nothing else; tokens of the API open no tools."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aiops.app.tokens import ENTROPY_BYTES, capability_on, issue, opened_by, revoke, scoped_by
from aiops.errors import InvalidInput
from aiops.store.clock import ManualClock
from aiops.store.ids import CountedIds
from aiops.store.tokens import MemoryTokens

CLOCK = ManualClock(datetime(2026, 11, 20, 12, tzinfo=UTC))


def made(repo: MemoryTokens, *scopes: str, **more: Any) -> Any:
    entropy = bytes(ENTROPY_BYTES)
    return issue(
        repo, CountedIds(), CLOCK, entropy, "ann", "viewer", by="test", scopes=scopes, **more
    )


def test_a_token_with_a_scope_does_not_open_the_api() -> None:
    repo = MemoryTokens()
    secret = made(repo, "tools:kubernetes:probe").secret
    assert opened_by(repo, CLOCK, secret) is None
    assert scoped_by(repo, CLOCK, secret) is not None


def test_a_token_of_the_api_opens_no_tools() -> None:
    repo = MemoryTokens()
    secret = made(repo).secret
    assert scoped_by(repo, CLOCK, secret) is None
    assert opened_by(repo, CLOCK, secret) is not None


def test_a_revoked_or_expired_token_opens_nothing() -> None:
    repo = MemoryTokens()
    issued = made(repo, "tools:kubernetes", lifetime=timedelta(seconds=1))
    later = ManualClock(CLOCK.now() + timedelta(seconds=2))
    assert scoped_by(repo, later, issued.secret) is None
    revoke(repo, CLOCK, issued.token.id, by="test")
    assert scoped_by(repo, CLOCK, issued.secret) is None


@pytest.mark.parametrize(
    ("scopes", "toolset", "may"),
    [
        (("tools:kubernetes",), "kubernetes", "observer"),
        (("tools:kubernetes:probe",), "kubernetes", "probe"),
        (("tools:kubernetes", "tools:kubernetes:executor"), "kubernetes", "executor"),
        (("tools:kubernetes:executor",), "aws", None),
        (("tools:kubernetes",), "Kubernetes", None),
        ((), "kubernetes", None),
    ],
)
def test_a_scope_is_for_one_toolset(scopes: tuple[str, ...], toolset: str, may: str | None) -> None:
    assert capability_on(scopes, toolset) == may


@pytest.mark.parametrize(
    "scope",
    ["", "tools", "tools:", "tools:*", "tools:k8s:admin", "tools:k8s:probe:x", "all", "tools:k8s:"],
)
def test_what_is_no_scope_is_refused(scope: str) -> None:
    with pytest.raises(InvalidInput, match="tools:TOOLSET"):
        made(MemoryTokens(), scope)
