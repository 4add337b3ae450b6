"""Keys to the API in the database."""

from sqlalchemy import Engine, select

from aiops.model.access import Token
from aiops.store.codec import Codec
from aiops.store.sql.columns import insert_or_replace
from aiops.store.sql.engine import reading, writing
from aiops.store.sql.operations_tables import TOKENS

_TOKEN = Codec(Token)


class SqlTokens:
    """A TokenRepo; see ``ports.access``. All of it raises StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save(self, token: Token) -> None:
        """Keep it, in place of one with its id."""
        row = {
            "id": token.id,
            "digest": token.digest,
            "created_at": token.created_at,
            "body": _TOKEN.write(token),
        }
        with writing(self._engine) as connection:
            connection.execute(insert_or_replace(TOKENS, connection.dialect, "id"), row)

    def by_digest(self, digest: str) -> Token | None:
        """The token with this digest; None where there is none."""
        found = select(TOKENS.c.body).where(TOKENS.c.digest == digest).order_by(TOKENS.c.id)
        with reading(self._engine) as connection:
            body = connection.scalars(found.limit(1)).first()
        return None if body is None else _TOKEN.read(body)

    def all(self) -> tuple[Token, ...]:
        """Every token, oldest first."""
        every = select(TOKENS.c.body).order_by(TOKENS.c.created_at, TOKENS.c.id)
        with reading(self._engine) as connection:
            return tuple(_TOKEN.read(body) for body in connection.scalars(every))
