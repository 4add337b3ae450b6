"""Who may do what."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Role = Literal["viewer", "responder", "admin"]
"""Each may do what the one before may: read; handle incidents; manage tokens and silences."""

RANK: tuple[Role, ...] = ("viewer", "responder", "admin")


@dataclass(frozen=True, slots=True)
class Token:
    """A key to the API. The secret itself is shown once and never kept.

    Attributes:
        name: whose it is; the actor in timelines and the audit log.
        digest: sha256 of the secret, 64 hex digits.
        scopes: where there are any it opens tools over MCP and nothing else:
            "tools:<toolset>[:<capability>]".
    """

    id: str
    name: str
    role: Role
    digest: str
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    scopes: tuple[str, ...] = ()

    def valid(self, now: datetime) -> bool:
        """Whether it opens anything at ``now``."""
        return self.revoked_at is None and (self.expires_at is None or now < self.expires_at)

    def may(self, role: Role) -> bool:
        """Whether its role is ``role`` or above."""
        return RANK.index(self.role) >= RANK.index(role)
