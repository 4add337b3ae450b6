"""Calls and what they cost, in the database; a key stands for one call, whoever comes with it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Engine, Table, bindparam, select, update
from sqlalchemy.dialects import postgresql, sqlite

from aiops.errors import AlreadyKept
from aiops.model.tool import Outcome, Spent, ToolCall
from aiops.ports.approvals import Begun
from aiops.store.calls import begun, unknown
from aiops.store.codec import Codec
from aiops.store.sql.columns import digest, parts
from aiops.store.sql.engine import reading, writing
from aiops.store.sql.operations_tables import CALLS, SPENT

_BEGUN, _OUTCOME = Codec(Begun), Codec(Outcome)
_SPENT = (SPENT.c.calls, SPENT.c.writes, SPENT.c.seconds)
# Made once: SQLAlchemy takes longer to build a statement than SQLite to run it.
_END = (
    update(CALLS)
    .where(
        CALLS.c.key == bindparam("of"),
        CALLS.c.call_id == bindparam("by"),
        CALLS.c.outcome.is_(None),
    )
    .values(outcome=bindparam("ended"), seconds=bindparam("took"))
)


class SqlLedger:
    """A CallLedger; see ``ports.approvals``. All of it raises StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self, call: ToolCall, at: datetime) -> Outcome | None:
        """Note it, or say what became of the first one; raises AlreadyKept."""
        row = {
            "key": digest(call.key),
            "call_id": call.id,
            "same": digest(call.tool, call.arguments, call.caller.run),
            "begun_at": at,
            "begun": _BEGUN.write(begun(call, at)),
            "beats": 0,
        }
        with writing(self._engine) as connection:
            if connection.scalar(_beginning(connection.dialect.name), row) is not None:
                return None
            first = connection.execute(select(CALLS).where(CALLS.c.key == row["key"])).one()
        if first.same != row["same"]:
            raise AlreadyKept("call", call.key)
        return unknown(first.call_id) if first.outcome is None else _OUTCOME.read(first.outcome)

    def end(self, call: ToolCall, outcome: Outcome, seconds: float) -> None:
        """Note how it ended."""
        own = {"of": digest(call.key), "by": call.id}
        with writing(self._engine) as connection:
            connection.execute(_END, {**own, "ended": _OUTCOME.write(outcome), "took": seconds})

    def renew(self, calls: Sequence[ToolCall]) -> None:
        """A sign of life."""
        beat = update(CALLS).where(CALLS.c.outcome.is_(None)).values(beats=CALLS.c.beats + 1)
        with writing(self._engine) as connection:
            for some in parts(digest(call.key) for call in calls):
                connection.execute(beat.where(CALLS.c.key.in_(some)))

    def unfinished(self, before: datetime, *, limit: int = 1000) -> tuple[Begun, ...]:
        """Those begun and not ended."""
        found = (
            select(CALLS.c.begun, CALLS.c.beats)
            .where(CALLS.c.outcome.is_(None), CALLS.c.begun_at < before)
            .order_by(CALLS.c.begun_at, CALLS.c.key)
            .limit(limit)
        )
        with reading(self._engine) as connection:
            return tuple(
                replace(_BEGUN.read(body), beats=beats) for body, beats in connection.execute(found)
            )

    def count(self, run: str, at: datetime, *, write: bool, seconds: float) -> Spent:
        """Add one call; in one statement, so that none of many at once is lost."""
        one = {
            "run": digest(run),
            "calls": 1,
            "writes": int(write),
            "seconds": seconds,
            "last_at": at,
        }
        with writing(self._engine) as connection:
            row = connection.execute(_adding(connection.dialect.name), one).one()
        return Spent(*row)

    def spent(self, run: str) -> Spent:
        """What it has spent."""
        with reading(self._engine) as connection:
            row = connection.execute(select(*_SPENT).where(SPENT.c.run == digest(run))).first()
        return Spent() if row is None else Spent(*row)


def _into(engine: str, table: Table) -> Any:
    return (sqlite if engine == "sqlite" else postgresql).insert(table)


@cache
def _beginning(engine: str) -> Any:
    new = _into(engine, CALLS).on_conflict_do_nothing(index_elements=["key"])
    return new.returning(CALLS.c.key)


@cache
def _adding(engine: str) -> Any:
    statement = _into(engine, SPENT)
    sums = {column.name: column + statement.excluded[column.name] for column in _SPENT}
    sums["last_at"] = statement.excluded.last_at
    return statement.on_conflict_do_update(index_elements=["run"], set_=sums).returning(*_SPENT)
