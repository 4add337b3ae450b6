"""Tokens in this process: the twin of the SQL one."""

from aiops.model.access import Token


class MemoryTokens:
    """A TokenRepo; see ``ports.access``."""

    def __init__(self) -> None:
        self._kept: dict[str, Token] = {}

    def save(self, token: Token) -> None:
        """Keep it, in place of one with its id."""
        self._kept[token.id] = token

    def by_digest(self, digest: str) -> Token | None:
        """The token with this digest; None where there is none."""
        return next((each for each in self._kept.values() if each.digest == digest), None)

    def all(self) -> tuple[Token, ...]:
        """Every token, oldest first."""
        return tuple(sorted(self._kept.values(), key=lambda each: (each.created_at, each.id)))
