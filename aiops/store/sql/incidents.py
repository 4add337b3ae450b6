"""Incidents in the database: read by anybody at any time, changed one transaction at a time."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, get_args

from sqlalchemy import Connection, Engine, Select, func, select, type_coerce

from aiops.errors import NotKept
from aiops.model.alert import AlertState, Silence
from aiops.model.incident import Incident, IncidentQuery, IncidentStatus, TimelineEntry
from aiops.ports.clock import Clock
from aiops.store.sql.columns import digest
from aiops.store.sql.engine import reading
from aiops.store.sql.events import SqlEvents
from aiops.store.sql.incident_rows import ENTRY, INCIDENT, SILENCE, STATE
from aiops.store.sql.incident_work import SqlWork
from aiops.store.sql.operations_tables import (
    ALERTS,
    INCIDENT_SERVICES,
    INCIDENTS,
    SILENCES,
    TIMELINE,
)
from aiops.store.sql.turns import Turns


class SqlIncidents:
    """An IncidentRepo; see ``ports.incidents``. All of it raises StoreUnavailable.

    Args:
        clock: marks deliveries as taken.
        bus: where transactions publish their events, as part of them.
    """

    def __init__(self, engine: Engine, clock: Clock, bus: SqlEvents) -> None:
        self._engine, self._clock, self._bus = engine, clock, bus
        self._turns = Turns(engine)

    @contextmanager
    def work(self) -> Iterator[SqlWork]:
        """A transaction; see IncidentRepo. Raises ChangedMeanwhile."""
        last = 0
        with self._turns.take() as turn:
            work = SqlWork(turn, self._clock.now())
            yield work
            work.write()
            if work.told:
                last = self._bus.add(turn.writes(), work.told)[-1].number
        self._bus.wake(last)

    def get(self, incident_id: str) -> Incident:
        """The incident; raises NotKept."""
        with reading(self._engine) as connection:
            body = connection.scalar(select(INCIDENTS.c.body).where(INCIDENTS.c.id == incident_id))
        if body is None:
            raise NotKept("incident", incident_id)
        return INCIDENT.read(body)

    def find(self, query: IncidentQuery) -> tuple[Incident, ...]:
        """Those asked for, newest first."""
        with reading(self._engine) as connection:
            bodies = connection.scalars(_asked_for(query, connection.dialect.name)).all()
        return tuple(INCIDENT.read(body) for body in bodies)

    def counts(self) -> Mapping[str, int]:
        """How many have each status."""
        status, number = INCIDENTS.c.status, func.count().label("number")
        counted = select(status, number).group_by(status)
        with reading(self._engine) as connection:
            found = {row.status: row.number for row in connection.execute(counted)}
        return {name: found.get(name, 0) for name in get_args(IncidentStatus)}

    def timeline(self, incident_id: str) -> tuple[TimelineEntry, ...]:
        """What happened to it; raises NotKept."""
        noted = (
            select(TIMELINE.c.body)
            .where(TIMELINE.c.incident_id == incident_id)
            .order_by(TIMELINE.c.number)
        )
        with reading(self._engine) as connection:
            _must_be_kept(connection, incident_id)
            return tuple(ENTRY.read(body) for body in connection.scalars(noted))

    def alerts(self, incident_id: str | None = None, *, limit: int = 500) -> tuple[AlertState, ...]:
        """Alerts, last heard of first; raises NotKept."""
        newest = select(ALERTS.c.body).order_by(ALERTS.c.last_at.desc(), ALERTS.c.key).limit(limit)
        with reading(self._engine) as connection:
            if incident_id is not None:
                _must_be_kept(connection, incident_id)
                newest = newest.where(ALERTS.c.incident_id == incident_id)
            return tuple(STATE.read(body) for body in connection.scalars(newest))

    def silences(self) -> tuple[Silence, ...]:
        """All, the one that ends last first."""
        every = select(SILENCES.c.body).order_by(SILENCES.c.ends_at.desc(), SILENCES.c.id.desc())
        with reading(self._engine) as connection:
            return tuple(SILENCE.read(body) for body in connection.scalars(every))


def _must_be_kept(connection: Connection, incident_id: str) -> None:
    if connection.scalar(select(INCIDENTS.c.id).where(INCIDENTS.c.id == incident_id)) is None:
        raise NotKept("incident", incident_id)


def _asked_for(query: IncidentQuery, engine: str) -> Select[Any]:
    found = select(INCIDENTS.c.body).order_by(INCIDENTS.c.id.desc()).limit(query.limit)
    if query.statuses:
        found = found.where(INCIDENTS.c.status.in_(query.statuses))
    if query.severities:
        found = found.where(INCIDENTS.c.severity.in_(query.severities))
    if query.service is not None:
        about = select(INCIDENT_SERVICES.c.incident_id).where(
            INCIDENT_SERVICES.c.service_key == digest(query.service)
        )
        found = found.where(INCIDENTS.c.id.in_(about))
    if query.text:
        position = func.instr if engine == "sqlite" else func.strpos
        # The column's type goes with the text, which makes it one that both engines take.
        wanted = type_coerce(query.text.lower(), INCIDENTS.c.title.type)
        found = found.where(position(INCIDENTS.c.title, wanted) > 0)
    if query.before is not None:
        found = found.where(INCIDENTS.c.id < query.before)
    return found
