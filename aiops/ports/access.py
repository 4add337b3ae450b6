"""The door to the keys of the API."""

from typing import Protocol

from aiops.model.access import Token


class TokenRepo(Protocol):
    """Keeps tokens, by the digest of their secret."""

    def save(self, token: Token) -> None:
        """Keep it, in place of one with its id."""
        ...

    def by_digest(self, digest: str) -> Token | None:
        """The token with this digest, valid or not; None where there is none."""
        ...

    def all(self) -> tuple[Token, ...]:
        """Every token, oldest first."""
        ...
