"""Finished investigations in the database."""

from sqlalchemy import Engine, Select, select

from aiops.errors import AlreadyKept, NotKept
from aiops.model.investigation import Investigation
from aiops.store.codec import Codec
from aiops.store.sql.columns import insert_new
from aiops.store.sql.engine import reading, writing
from aiops.store.sql.operations_tables import INVESTIGATIONS

_INVESTIGATION = Codec(Investigation)


class SqlInvestigations:
    """An InvestigationRepo; see ``ports.repositories``. All of it raises StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def save(self, investigation: Investigation) -> None:
        """Keep it; raises AlreadyKept."""
        body = _INVESTIGATION.write(investigation)
        row = {
            "id": investigation.id,
            "about": investigation.about,
            "at": investigation.at,
            "body": body,
        }
        with writing(self._engine) as connection:
            connection.execute(insert_new(INVESTIGATIONS, connection.dialect, "id"), row)
            # Texts, because equal reports have equal texts and a NaN in one equals nothing.
            kept = connection.scalar(_body_of(investigation.id))
        if kept != body:
            raise AlreadyKept("investigation", investigation.id)

    def get(self, investigation_id: str) -> Investigation:
        """The one with this id; raises NotKept."""
        with reading(self._engine) as connection:
            body = connection.scalar(_body_of(investigation_id))
        if body is None:
            raise NotKept("investigation", investigation_id)
        return _INVESTIGATION.read(body)

    def newest(self, about: str | None = None, *, limit: int = 50) -> tuple[Investigation, ...]:
        """Those about one thing, or all, newest first."""
        found = (
            select(INVESTIGATIONS.c.body)
            .order_by(INVESTIGATIONS.c.at.desc(), INVESTIGATIONS.c.id.desc())
            .limit(limit)
        )
        if about is not None:
            found = found.where(INVESTIGATIONS.c.about == about)
        with reading(self._engine) as connection:
            return tuple(_INVESTIGATION.read(body) for body in connection.scalars(found))


def _body_of(investigation_id: str) -> Select[str]:
    return select(INVESTIGATIONS.c.body).where(INVESTIGATIONS.c.id == investigation_id)
