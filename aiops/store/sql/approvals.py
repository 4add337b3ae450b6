"""Approvals in the database; whoever changes one changes what they have read, or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, get_args

from sqlalchemy import Connection, Engine, func, select, update

from aiops.errors import AlreadyKept, NotKept
from aiops.model.approval import OPEN, Approval, ApprovalState, Mode
from aiops.store.approvals import event_of
from aiops.store.codec import Codec
from aiops.store.sql.columns import digest, insert_new
from aiops.store.sql.engine import reading, writing
from aiops.store.sql.events import SqlEvents
from aiops.store.sql.operations_tables import APPROVALS

_APPROVAL = Codec(Approval)


class SqlApprovals:
    """An ApprovalStore; see ``ports.approvals``. All of it raises StoreUnavailable.

    Args:
        bus: where changes are told, in the transaction that makes them.
    """

    def __init__(self, engine: Engine, bus: SqlEvents) -> None:
        self._engine, self._bus = engine, bus

    def file(self, approval: Approval) -> Approval:
        """Keep it, or say which one is asked already; raises AlreadyKept."""
        row, last = _row(approval), 0
        with writing(self._engine) as connection:
            kept = None
            while kept is None:  # the one that is in its way may be decided just now
                if (other := _with_id(connection, approval.id)) is not None:
                    if other != approval:
                        raise AlreadyKept("approval", approval.id)
                    return other
                new = insert_new(APPROVALS, connection.dialect, "open_as")
                if connection.scalar(new.returning(APPROVALS.c.id), row) is not None:
                    event = f"approval.{approval.state}"
                    last = self._bus.add(connection, [(event, approval.id)])[-1].number
                    kept = approval
                else:
                    kept = _open_as(connection, row["open_as"])
        self._bus.wake(last)
        return kept

    def get(self, approval_id: str) -> Approval:
        """The approval; raises NotKept."""
        with reading(self._engine) as connection:
            kept = _with_id(connection, approval_id)
        if kept is None:
            raise NotKept("approval", approval_id)
        return kept

    def listed(
        self,
        states: Sequence[ApprovalState] = (),
        *,
        incident: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> tuple[Approval, ...]:
        """Those asked for, newest first."""
        found = select(APPROVALS.c.body).order_by(APPROVALS.c.id.desc()).limit(limit)
        if states:
            found = found.where(APPROVALS.c.state.in_(states))
        if incident is not None:
            found = found.where(APPROVALS.c.incident_id == incident)
        if before is not None:
            found = found.where(APPROVALS.c.id < before)
        return self._read(found)

    def due(self, now: datetime, *, limit: int = 100) -> tuple[Approval, ...]:
        """Those whose time is over."""
        over = select(APPROVALS.c.body).where(APPROVALS.c.lapses_at <= now)
        return self._read(over.order_by(APPROVALS.c.lapses_at, APPROVALS.c.id).limit(limit))

    def swap(self, was: Approval, to: Approval) -> bool:
        """Compare and swap."""
        if was.id != to.id:
            raise ValueError(f"approval {to.id} cannot stand for {was.id}")
        row, last = _row(replace(to, revision=was.revision + 1)), 0
        unchanged = (APPROVALS.c.id == was.id, APPROVALS.c.revision == was.revision)
        with writing(self._engine) as connection:
            swapped = connection.execute(update(APPROVALS).where(*unchanged).values(row)).rowcount
            if swapped and (change := event_of(was, to)) is not None:
                last = self._bus.add(connection, [(change, to.id)])[-1].number
        self._bus.wake(last)
        return swapped == 1

    def counts(self, mode: Mode) -> Mapping[ApprovalState, int]:
        """How many are in each state."""
        state, number = APPROVALS.c.state, func.count().label("number")
        counted = select(state, number).where(APPROVALS.c.mode == mode).group_by(state)
        with reading(self._engine) as connection:
            found = {row.state: row.number for row in connection.execute(counted)}
        return {name: found.get(name, 0) for name in get_args(ApprovalState)}

    def _read(self, bodies: Any) -> tuple[Approval, ...]:
        with reading(self._engine) as connection:
            return tuple(_APPROVAL.read(body) for body in connection.scalars(bodies))


def _row(approval: Approval) -> dict[str, Any]:
    open_as = (approval.action_hash, approval.run, approval.mode)
    return {
        "id": approval.id,
        "state": approval.state,
        "mode": approval.mode,
        "incident_id": approval.incident,
        "open_as": digest(*open_as) if approval.state in OPEN else None,
        "lapses_at": approval.expires_at if approval.lapses else None,
        "revision": approval.revision,
        "body": _APPROVAL.write(approval),
    }


def _with_id(connection: Connection, approval_id: str) -> Approval | None:
    kept = select(APPROVALS.c.body).where(APPROVALS.c.id == approval_id)
    body = connection.scalar(kept)
    return None if body is None else _APPROVAL.read(body)


def _open_as(connection: Connection, name: str) -> Approval | None:
    body = connection.scalar(select(APPROVALS.c.body).where(APPROVALS.c.open_as == name))
    return None if body is None else _APPROVAL.read(body)
