"""What is remembered, in the database; whoever changes one changes what they have read."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, select, update

from aiops.errors import AlreadyKept, NotKept
from aiops.model.memory import Cue, PastIncident, Routine
from aiops.store.codec import Codec
from aiops.store.sql.columns import digest, insert_new
from aiops.store.sql.engine import reading, writing
from aiops.store.sql.memories_tables import PAST, ROUTINES

_PAST = Codec(PastIncident)
_ROUTINE = Codec(Routine)


class SqlMemories:
    """A Memory; see ``ports.memory``. All of it raises StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def remember(self, past: PastIncident) -> None:
        """Keep it; raises AlreadyKept."""
        row = _past_row(past)
        with writing(self._engine) as connection:
            connection.execute(insert_new(PAST, connection.dialect, "id"), row)
            kept = connection.scalar(select(PAST.c.body).where(PAST.c.id == past.id))
        if kept != row["body"]:
            raise AlreadyKept("past incident", past.id)

    def get(self, past_id: str) -> PastIncident:
        """The one with this id; raises NotKept."""
        with reading(self._engine) as connection:
            body = connection.scalar(select(PAST.c.body).where(PAST.c.id == past_id))
        if body is None:
            raise NotKept("past incident", past_id)
        return _PAST.read(body)

    def newest(self, *, limit: int = 1000) -> tuple[PastIncident, ...]:
        """Those that ended last, newest first."""
        found = select(PAST.c.body).order_by(PAST.c.at.desc(), PAST.c.id.desc()).limit(limit)
        with reading(self._engine) as connection:
            return tuple(_PAST.read(body) for body in connection.scalars(found))

    def revise(self, was: PastIncident, to: PastIncident) -> bool:
        """Compare and swap."""
        if was.id != to.id:
            raise ValueError(f"past incident {to.id} cannot stand for {was.id}")
        row = _past_row(replace(to, revision=was.revision + 1))
        unchanged = (PAST.c.id == was.id, PAST.c.revision == was.revision)
        with writing(self._engine) as connection:
            return connection.execute(update(PAST).where(*unchanged).values(row)).rowcount == 1

    def routine(self, cue: Cue) -> Routine | None:
        """What is known to help then."""
        kept = select(ROUTINES.c.body).where(ROUTINES.c.cue == digest(cue.key))
        with reading(self._engine) as connection:
            body = connection.scalar(kept)
        return None if body is None else _ROUTINE.read(body)

    def learn(self, was: Routine | None, to: Routine) -> bool:
        """Compare and swap, or be the first."""
        if was is not None and was.cue != to.cue:
            raise ValueError(f"a routine for {to.cue.key} cannot stand for one for {was.cue.key}")
        row = _routine_row(replace(to, revision=0 if was is None else was.revision + 1))
        with writing(self._engine) as connection:
            if was is None:
                new = insert_new(ROUTINES, connection.dialect, "cue").returning(ROUTINES.c.cue)
                return connection.scalar(new, row) is not None
            unchanged = (ROUTINES.c.cue == row["cue"], ROUTINES.c.revision == was.revision)
            return connection.execute(update(ROUTINES).where(*unchanged).values(row)).rowcount == 1

    def forget(self, before: datetime) -> int:
        """Forget what is older."""
        with writing(self._engine) as connection:
            past = connection.execute(delete(PAST).where(PAST.c.at < before)).rowcount
            unused = delete(ROUTINES).where(ROUTINES.c.used_at < before)
            return past + connection.execute(unused).rowcount


def _past_row(past: PastIncident) -> dict[str, Any]:
    return {"id": past.id, "at": past.at, "revision": past.revision, "body": _PAST.write(past)}


def _routine_row(routine: Routine) -> dict[str, Any]:
    return {
        "cue": digest(routine.cue.key),
        "used_at": routine.used_at,
        "revision": routine.revision,
        "body": _ROUTINE.write(routine),
    }
