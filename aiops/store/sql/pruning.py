"""Forgetting incidents, and what was kept for their sake, by age. The audit log is never pruned."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Table, delete, or_, select

from aiops.store.sql.engine import writing
from aiops.store.sql.operations_tables import (
    ALERTS,
    APPROVALS,
    BLOBS,
    CALLS,
    DELIVERIES,
    EVENTS,
    INCIDENTS,
    INVESTIGATIONS,
    REFUSED,
    SILENCES,
    SPENT,
)
from aiops.store.sql.progress_tables import PROGRESS
from aiops.store.sql.turns import Turns

AT_ONCE = 500
"""Rows deleted in one transaction: others wait for milliseconds, not for the whole of it."""


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many rows of each kind were forgotten. Timelines go with their incidents."""

    incidents: int = 0
    alerts: int = 0
    investigations: int = 0
    silences: int = 0
    deliveries: int = 0
    refused: int = 0
    blobs: int = 0


def prune_incidents(engine: Engine, before: datetime) -> Pruned:
    """Forget what was over before then, a little at a time.

    That is: incidents resolved before, with their timelines, alerts and investigations; alerts
    of no incident and investigations of no incident that are as old; silences that ended,
    deliveries taken in or refused; blobs last put before that no refused delivery names.
    What is open, waits or fires stays, whatever its age.

    Raises:
        StoreUnavailable: what was forgotten until then stays forgotten; do it again.
    """
    turns = Turns(engine)
    resolved = (INCIDENTS.c.status == "resolved") & (INCIDENTS.c.resolved_at < before)
    over = select(INCIDENTS.c.id).where(resolved).limit(AT_ONCE)
    incidents = alerts = investigations = 0
    while True:
        with turns.take() as turn:
            ids = turn.connection.scalars(over).all()
            if not ids:
                break
            writes = turn.writes()
            alerts += writes.execute(delete(ALERTS).where(ALERTS.c.incident_id.in_(ids))).rowcount
            about = INVESTIGATIONS.c.about.in_(ids)
            investigations += writes.execute(delete(INVESTIGATIONS).where(about)).rowcount
            incidents += writes.execute(delete(INCIDENTS).where(INCIDENTS.c.id.in_(ids))).rowcount
    return Pruned(
        incidents=incidents,
        alerts=alerts + _forget(engine, ALERTS, ALERTS.c.key, _stale_alert(before)),
        investigations=investigations
        + _forget(engine, INVESTIGATIONS, INVESTIGATIONS.c.id, _stale_investigation(before)),
        silences=_forget(engine, SILENCES, SILENCES.c.id, SILENCES.c.ends_at < before),
        deliveries=_forget(engine, DELIVERIES, DELIVERIES.c.number, DELIVERIES.c.taken_at < before),
        refused=_forget(engine, REFUSED, REFUSED.c.number, REFUSED.c.received_at < before),
        blobs=_forget(engine, BLOBS, BLOBS.c.digest, _stale_blob(before)),
    )


def prune_events(engine: Engine, before: datetime) -> int:
    """Forget events told before then; returns how many.

    Readers that are further behind are told so by EventsForgotten.

    Raises:
        StoreUnavailable: what was forgotten until then stays forgotten; do it again.
    """
    # By number: were the clock set back, a gap in the middle could not be told from the beginning.
    newest = select(EVENTS.c.number).where(EVENTS.c.at < before).order_by(EVENTS.c.number.desc())
    with writing(engine) as connection:
        last = connection.scalar(newest.limit(1))
    return 0 if last is None else _forget(engine, EVENTS, EVENTS.c.number, EVENTS.c.number <= last)


def prune_progress(engine: Engine, before: datetime) -> int:
    """Forget what investigations did before then, step by step; returns how many steps.

    Their reports stay.

    Raises:
        StoreUnavailable: what was forgotten until then stays forgotten; do it again.
    """
    return _forget(engine, PROGRESS, PROGRESS.c.number, PROGRESS.c.at < before)


def prune_actions(engine: Engine, before: datetime, oldest_kept: str) -> int:
    """Forget approvals that are over, calls that ended, and what runs spent; returns how many.

    What is open, usable or under way stays, whatever its age; the audit log keeps all of it.

    Args:
        before: calls begun before then, and runs whose last call was.
        oldest_kept: approvals with lesser ids; ids sort by time.

    Raises:
        StoreUnavailable: what was forgotten until then stays forgotten; do it again.
    """
    open_or_usable = or_(APPROVALS.c.open_as.is_not(None), APPROVALS.c.lapses_at.is_not(None))
    over = (APPROVALS.c.id < oldest_kept) & ~open_or_usable
    ended = (CALLS.c.begun_at < before) & CALLS.c.outcome.is_not(None)
    silent = or_(SPENT.c.last_at < before, SPENT.c.last_at.is_(None))
    return (
        _forget(engine, APPROVALS, APPROVALS.c.id, over)
        + _forget(engine, CALLS, CALLS.c.key, ended)
        + _forget(engine, SPENT, SPENT.c.run, silent)
    )


def _stale_alert(before: datetime) -> ColumnElement[bool]:
    """Of no incident; those of an incident go with it."""
    kept = select(INCIDENTS.c.id)
    of_none = or_(ALERTS.c.incident_id.is_(None), ALERTS.c.incident_id.not_in(kept))
    return (ALERTS.c.last_at < before) & ALERTS.c.quiet_by.is_(None) & of_none


def _stale_investigation(before: datetime) -> ColumnElement[bool]:
    """Of a recorded case; those of an incident go with it."""
    return (INVESTIGATIONS.c.at < before) & INVESTIGATIONS.c.about.not_in(select(INCIDENTS.c.id))


def _stale_blob(before: datetime) -> ColumnElement[bool]:
    return (BLOBS.c.kept_at < before) & BLOBS.c.digest.not_in(select(REFUSED.c.blob))


def _forget(engine: Engine, table: Table, key: Any, condition: ColumnElement[bool]) -> int:
    """Delete rows, some in each transaction; returns how many."""
    total, some = 0, select(key).where(condition).limit(AT_ONCE)
    # The condition again: a row that was changed since it was selected is looked at anew.
    forget = delete(table).where(key.in_(some), condition)
    while True:
        with writing(engine) as connection:
            total += (deleted := connection.execute(forget).rowcount)
        if deleted == 0:
            return total
