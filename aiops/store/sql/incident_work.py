"""One transaction over incidents: reads in batches, writes down in bulk."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, false, func, insert, select, true, update

from aiops.errors import ChangedMeanwhile
from aiops.model.alert import AlertKey, AlertState, Delivery, Silence
from aiops.model.incident import Incident, TimelineEntry
from aiops.store.sql.columns import digest, insert_or_replace, parts
from aiops.store.sql.inbox import DELIVERY
from aiops.store.sql.incident_rows import (
    INCIDENT,
    SILENCE,
    STATE,
    Row,
    entry_row,
    incident_row,
    service_rows,
    silence_row,
    state_key,
    state_row,
)
from aiops.store.sql.operations_tables import (
    ALERTS,
    DELIVERIES,
    INCIDENT_SERVICES,
    INCIDENTS,
    SILENCES,
    TIMELINE,
)
from aiops.store.sql.turns import Turn

_INCIDENT = (INCIDENTS.c.id, INCIDENTS.c.revision, INCIDENTS.c.body)


class SqlWork:
    """An IncidentWork; see ``ports.incidents``.

    Writes are kept back until something is read or the transaction ends, and then written down
    together. An incident that was not read here before it is put is checked for its revision only
    then, so ChangedMeanwhile may come as late as that.

    Args:
        now: the time that deliveries taken are marked with.
    """

    def __init__(self, turn: Turn, now: datetime) -> None:
        self.told: list[tuple[str, str]] = []
        self._turn, self._now = turn, now
        self._known: dict[str, Incident] = {}  # as read, or as put since
        self._services: dict[str, tuple[str, ...]] = {}  # as in the database, where known
        self._incidents: dict[str, Incident] = {}  # put, not yet written
        self._bases: dict[str, int] = {}  # the revisions these were made from
        self._states: dict[AlertKey, AlertState] = {}
        self._silences: dict[str, Silence] = {}
        self._notes: list[TimelineEntry] = []
        self._taken: list[int] = []

    def take(self, limit: int) -> tuple[Delivery, ...]:
        """The oldest waiting deliveries."""
        oldest = (
            select(DELIVERIES.c.number, DELIVERIES.c.body)
            .where(DELIVERIES.c.taken_at.is_(None))
            .order_by(DELIVERIES.c.number)
            .limit(limit)
        )
        rows = self._read().execute(oldest).all()
        self._taken += [row.number for row in rows]
        return tuple(DELIVERY.read(row.body) for row in rows)

    def states(self, keys: Collection[AlertKey]) -> Mapping[AlertKey, AlertState]:
        """What is known of these alerts."""
        connection, found = self._read(), {}
        for part in parts({state_key(key) for key in keys}):
            for state in _states(connection, ALERTS.c.key.in_(part)):
                found[state.alert.key] = state
        return found

    def states_of(self, incident_id: str) -> tuple[AlertState, ...]:
        """The alerts of one incident, by first delivery."""
        return _oldest_first(_states(self._read(), ALERTS.c.incident_id == incident_id))

    def unsilenced(self, in_force: Collection[str], limit: int) -> tuple[AlertState, ...]:
        """Firing alerts that a silence no longer keeps quiet."""
        ended = (
            select(ALERTS.c.body)
            .where(ALERTS.c.quiet_by.is_not(None), ALERTS.c.quiet_by.not_in(in_force))
            .order_by(ALERTS.c.first_at, ALERTS.c.key)
            .limit(limit)
        )
        return _oldest_first(STATE.read(body) for body in self._read().scalars(ended))

    def incidents(self, ids: Collection[str]) -> Mapping[str, Incident]:
        """These incidents."""
        found = (
            each
            for part in parts(dict.fromkeys(ids))
            for each in self._found(select(*_INCIDENT).where(INCIDENTS.c.id.in_(part)))
        )
        return {each.id: each for each in found}

    def latest_of(self, groups: Collection[str]) -> Mapping[str, Incident]:
        """The newest incident of each group."""
        found: dict[str, Incident] = {}
        for part in parts({digest(group) for group in groups}):
            newest_first = (INCIDENTS.c.opened_at.desc(), INCIDENTS.c.id.desc())
            place = func.row_number().over(
                partition_by=INCIDENTS.c.group_key, order_by=newest_first
            )
            placed = (
                select(INCIDENTS.c.id, place.label("place"))
                .where(INCIDENTS.c.group_key.in_(part), INCIDENTS.c.merged == false())
                .subquery()
            )
            newest = (
                select(*_INCIDENT)
                .join(placed, placed.c.id == INCIDENTS.c.id)
                .where(placed.c.place == 1)
            )
            found.update((each.group, each) for each in self._found(newest))
        return found

    def nearby(self, services: Collection[str], since: datetime) -> tuple[Incident, ...]:
        """Open incidents about any of these services."""
        found: dict[str, Incident] = {}
        for part in parts({digest(service) for service in services}):
            about = select(INCIDENT_SERVICES.c.incident_id).where(
                INCIDENT_SERVICES.c.service_key.in_(part)
            )
            near = select(*_INCIDENT).where(
                INCIDENTS.c.id.in_(about),
                INCIDENTS.c.status != "resolved",
                INCIDENTS.c.last_alert_at >= since,
            )
            found.update((each.id, each) for each in self._found(near))
        return tuple(sorted(found.values(), key=lambda i: (i.opened_at, i.id), reverse=True))

    def flapping(self, quiet_since: datetime, limit: int) -> tuple[Incident, ...]:
        """Open incidents marked flapping that have been quiet."""
        return self._first(
            limit,
            INCIDENTS.c.last_alert_at,
            INCIDENTS.c.flaps == true(),
            INCIDENTS.c.last_alert_at < quiet_since,
        )

    def silences(self, at: datetime) -> tuple[Silence, ...]:
        """Those in force."""
        in_force = select(SILENCES.c.body).where(
            SILENCES.c.starts_at <= at, SILENCES.c.ends_at > at
        )
        return tuple(SILENCE.read(body) for body in self._read().scalars(in_force))

    def due(self, at: datetime, limit: int) -> tuple[Incident, ...]:
        """Incidents that an investigation is due for."""
        return self._first(limit, INCIDENTS.c.investigate_at, INCIDENTS.c.investigate_at <= at)

    def put_state(self, state: AlertState) -> None:
        """Keep it in place of what was known."""
        self._states[state.alert.key] = state

    def put_incident(self, incident: Incident) -> Incident:
        """Keep its next revision; raises ChangedMeanwhile."""
        known = self._known.get(incident.id)
        if known is not None and known.revision != incident.revision:
            raise ChangedMeanwhile("incident", incident.id)
        new = replace(incident, revision=incident.revision + 1)
        self._bases.setdefault(new.id, incident.revision)
        self._known[new.id] = self._incidents[new.id] = new
        return new

    def put_silence(self, silence: Silence) -> None:
        """Keep it, in place of one with its id."""
        self._silences[silence.id] = silence

    def note(self, entry: TimelineEntry) -> None:
        """Add to a timeline."""
        self._notes.append(entry)

    def tell(self, kind: str, about: str) -> None:
        """Publish an event with the commit."""
        self.told.append((kind, about))

    def write(self) -> None:
        """Write down what is kept back; raises ChangedMeanwhile."""
        if not (self._incidents or self._states or self._silences or self._notes or self._taken):
            return
        # Rows are made before the database is locked: deliveries wait for that lock.
        incidents = [incident_row(each) for each in self._incidents.values()]
        states = [state_row(each) for each in self._states.values()]
        silences = [silence_row(each) for each in self._silences.values()]
        notes = [entry_row(each) for each in self._notes]
        connection = self._turn.writes()
        self._write_incidents(connection, incidents)
        _put(connection, ALERTS, "key", states)
        _put(connection, SILENCES, "id", silences)
        if notes:
            connection.execute(insert(TIMELINE), notes)
        for part in parts(self._taken):
            taken = DELIVERIES.c.number.in_(part)
            connection.execute(update(DELIVERIES).where(taken).values(taken_at=self._now))
        self._states, self._silences, self._notes, self._taken = {}, {}, [], []

    def _write_incidents(self, connection: Connection, rows: Sequence[Row]) -> None:
        changed = tuple(self._incidents.values())
        kept = _revisions(connection, self._bases)
        for incident_id, base in self._bases.items():
            if kept.get(incident_id, 0) != base:
                raise ChangedMeanwhile("incident", incident_id)
        _put(connection, INCIDENTS, "id", rows)
        moved = [each for each in changed if self._services.get(each.id) != each.services]
        for part in parts([each.id for each in moved if each.id in kept]):
            of_these = INCIDENT_SERVICES.c.incident_id.in_(part)
            connection.execute(delete(INCIDENT_SERVICES).where(of_these))
        if services := [row for each in moved for row in service_rows(each)]:
            connection.execute(insert(INCIDENT_SERVICES), services)
        self._services.update((each.id, each.services) for each in changed)
        self._incidents, self._bases = {}, {}

    def _read(self) -> Connection:
        """A connection that sees what was written here."""
        self.write()
        return self._turn.connection

    def _found(self, statement: Any) -> Iterator[Incident]:
        """The incidents that are selected; those known in this revision need not be decoded."""
        for incident_id, revision, body in self._read().execute(statement).all():
            incident = self._known.get(incident_id)
            if incident is None or incident.revision != revision:
                incident = INCIDENT.read(body)
                self._known[incident_id] = incident
                self._services[incident_id] = incident.services
            yield incident

    def _first(self, limit: int, by: Any, *conditions: Any) -> tuple[Incident, ...]:
        found = select(*_INCIDENT).where(*conditions).order_by(by, INCIDENTS.c.id)
        return tuple(self._found(found.limit(limit)))


def _states(connection: Connection, condition: Any) -> list[AlertState]:
    bodies = connection.scalars(select(ALERTS.c.body).where(condition))
    return [STATE.read(body) for body in bodies]


def _oldest_first(states: Iterable[AlertState]) -> tuple[AlertState, ...]:
    return tuple(sorted(states, key=lambda state: (state.first_at, state.alert.key)))


def _revisions(connection: Connection, ids: Iterable[str]) -> dict[str, int]:
    columns = (INCIDENTS.c.id, INCIDENTS.c.revision)
    return {
        row.id: row.revision
        for part in parts(ids)
        for row in connection.execute(select(*columns).where(INCIDENTS.c.id.in_(part)))
    }


def _put(connection: Connection, table: Any, key: str, rows: Sequence[Row]) -> None:
    if rows:
        connection.execute(insert_or_replace(table, connection.dialect, key), rows)
