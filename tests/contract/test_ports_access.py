"""What every keeper of tokens promises; a new adapter joins by one more param."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from aiops.model.access import Token
from aiops.ports.access import TokenRepo
from aiops.store.sql.tokens import SqlTokens
from aiops.store.tokens import MemoryTokens

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def tokens(request: pytest.FixtureRequest, engine_on: Callable[[str], Engine]) -> TokenRepo:
    """A repository without tokens."""
    return MemoryTokens() if request.param == "memory" else SqlTokens(engine_on(request.param))


def token(number: int) -> Token:
    return Token(
        f"tok-{number}",
        "ana",
        "responder",
        f"{number:064x}",
        NOON - timedelta(hours=number),
        expires_at=NOON + timedelta(days=1),
    )


def test_a_token_is_found_by_the_digest_of_its_secret(tokens: TokenRepo) -> None:
    tokens.save(token(1))
    tokens.save(token(2))
    assert tokens.by_digest(token(2).digest) == token(2)
    assert tokens.by_digest("f" * 64) is None
    assert tokens.by_digest("") is None


def test_a_revoked_token_is_kept_in_place_of_the_valid_one(tokens: TokenRepo) -> None:
    tokens.save(token(1))
    revoked = replace(token(1), revoked_at=NOON)
    tokens.save(revoked)
    assert tokens.by_digest(token(1).digest) == revoked
    assert tokens.all() == (revoked,)


def test_tokens_are_listed_oldest_first(tokens: TokenRepo) -> None:
    for number in (1, 3, 2):
        tokens.save(token(number))
    assert [each.id for each in tokens.all()] == ["tok-3", "tok-2", "tok-1"]
