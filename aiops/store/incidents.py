"""Incidents in this process: the twin of the SQL repository, with transactions that are undone."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime
from itertools import islice
from threading import RLock
from typing import get_args

from aiops.errors import ChangedMeanwhile, NotKept
from aiops.model.alert import AlertKey, AlertState, Delivery, Silence
from aiops.model.incident import Incident, IncidentQuery, IncidentStatus, TimelineEntry
from aiops.ports.events import EventBus
from aiops.store.inbox import MemoryInbox

_Ordered = dict[str, None]


class MemoryIncidents:
    """An IncidentRepo; see ``ports.incidents``. Reads wait for a transaction to end.

    Args:
        inbox: where transactions take deliveries from.
        bus: where they publish their events.
    """

    def __init__(self, inbox: MemoryInbox, bus: EventBus) -> None:
        self._inbox, self._bus = inbox, bus
        self._tables = _Tables()
        self._lock = RLock()

    @contextmanager
    def work(self) -> Iterator["_Work"]:
        """A transaction; see IncidentRepo."""
        with self._lock:
            work = _Work(self._tables, self._inbox)
            with ExitStack() as failing:
                failing.callback(work.undo)
                yield work
                failing.pop_all()
            for kind, about in work.told:
                self._bus.publish(kind, about)

    def get(self, incident_id: str) -> Incident:
        """The incident; raises NotKept."""
        with self._lock:
            return self._tables.incident(incident_id)

    def find(self, query: IncidentQuery) -> tuple[Incident, ...]:
        """Those asked for, newest first."""
        with self._lock:
            newest = sorted(self._tables.incidents.values(), key=_id, reverse=True)
        return tuple(islice((each for each in newest if _asked_for(each, query)), query.limit))

    def counts(self) -> Mapping[str, int]:
        """How many have each status."""
        counted: dict[str, int] = dict.fromkeys(get_args(IncidentStatus), 0)
        with self._lock:
            for incident in self._tables.incidents.values():
                counted[incident.status] += 1
        return counted

    def timeline(self, incident_id: str) -> tuple[TimelineEntry, ...]:
        """What happened to it; raises NotKept."""
        with self._lock:
            self._tables.incident(incident_id)
            return tuple(self._tables.timelines[incident_id])

    def alerts(self, incident_id: str | None = None, *, limit: int = 500) -> tuple[AlertState, ...]:
        """Alerts, last heard of first; raises NotKept."""
        with self._lock:
            if incident_id is None:
                states: Iterable[AlertState] = tuple(self._tables.states.values())
            else:
                self._tables.incident(incident_id)
                states = self._tables.states_of(incident_id)
        newest = sorted(states, key=lambda state: (state.last_at, state.alert.key), reverse=True)
        return tuple(newest[:limit])

    def silences(self) -> tuple[Silence, ...]:
        """All, the one that ends last first."""
        with self._lock:
            kept = tuple(self._tables.silences.values())
        return tuple(sorted(kept, key=lambda each: (each.ends_at, each.id), reverse=True))


class _Tables:
    """What is kept, with the indices that transactions need; every change goes through here."""

    def __init__(self) -> None:
        self.incidents: dict[str, Incident] = {}
        self.states: dict[AlertKey, AlertState] = {}
        self.silences: dict[str, Silence] = {}
        self.timelines: defaultdict[str, list[TimelineEntry]] = defaultdict(list)
        self.of_group: defaultdict[str, _Ordered] = defaultdict(dict)
        self.open_about: defaultdict[str, _Ordered] = defaultdict(dict)
        self.awaiting: _Ordered = {}
        self.flapping: _Ordered = {}
        self.of_incident: defaultdict[str, dict[AlertKey, None]] = defaultdict(dict)
        self.quiet: dict[AlertKey, None] = {}

    def incident(self, incident_id: str) -> Incident:
        if incident_id not in self.incidents:
            raise NotKept("incident", incident_id)
        return self.incidents[incident_id]

    def states_of(self, incident_id: str) -> tuple[AlertState, ...]:
        own = [self.states[key] for key in self.of_incident.get(incident_id, ())]
        return tuple(sorted(own, key=lambda state: (state.first_at, state.alert.key)))

    def set_incident(self, incident_id: str, new: Incident | None) -> None:
        old = self.incidents.pop(incident_id, None)
        if old is not None:
            for index in self._indices(old):
                index.pop(incident_id, None)
        if new is not None:
            self.incidents[incident_id] = new
            for index in self._indices(new):
                index[incident_id] = None

    def _indices(self, incident: Incident) -> Iterator[_Ordered]:
        if incident.merged_into is None:
            yield self.of_group[incident.group]
        if incident.investigate_at is not None:
            yield self.awaiting
        if incident.open:
            yield from (self.open_about[service] for service in incident.services)
            if incident.flapping:
                yield self.flapping

    def set_state(self, key: AlertKey, new: AlertState | None) -> None:
        old = self.states.pop(key, None)
        if old is not None and old.incident is not None:
            self.of_incident[old.incident].pop(key, None)
        self.quiet.pop(key, None)
        if new is not None:
            self.states[key] = new
            if new.incident is not None:
                self.of_incident[new.incident][key] = None
            if new.firing and new.silence is not None:
                self.quiet[key] = None

    def set_silence(self, silence_id: str, new: Silence | None) -> None:
        if new is None:
            self.silences.pop(silence_id, None)
        else:
            self.silences[silence_id] = new


class _Work:
    """An IncidentWork. Writes at once and remembers how to take each write back."""

    def __init__(self, tables: _Tables, inbox: MemoryInbox) -> None:
        self.told: list[tuple[str, str]] = []
        self._tables, self._inbox = tables, inbox
        self._undo: list[Callable[[], object]] = []

    def undo(self) -> None:
        """Take every write back, the last one first."""
        while self._undo:
            self._undo.pop()()

    def take(self, limit: int) -> tuple[Delivery, ...]:
        taken = self._inbox.take(limit)
        self._undo.append(lambda: self._inbox.give_back(taken))
        return taken

    def states(self, keys: Collection[AlertKey]) -> Mapping[AlertKey, AlertState]:
        kept = self._tables.states
        return {key: kept[key] for key in keys if key in kept}

    def states_of(self, incident_id: str) -> tuple[AlertState, ...]:
        return self._tables.states_of(incident_id)

    def incidents(self, ids: Collection[str]) -> Mapping[str, Incident]:
        kept = self._tables.incidents
        return {each: kept[each] for each in ids if each in kept}

    def latest_of(self, groups: Collection[str]) -> Mapping[str, Incident]:
        found = {}
        for group in groups:
            if ids := self._tables.of_group.get(group):
                found[group] = max((self._tables.incidents[each] for each in ids), key=_age)
        return found

    def nearby(self, services: Collection[str], since: datetime) -> tuple[Incident, ...]:
        ids = {each for name in services for each in self._tables.open_about.get(name, ())}
        found = (self._tables.incidents[each] for each in ids)
        return tuple(
            sorted((each for each in found if each.last_alert_at >= since), key=_age, reverse=True)
        )

    def silences(self, at: datetime) -> tuple[Silence, ...]:
        kept = self._tables.silences.values()
        return tuple(each for each in kept if each.starts_at <= at < each.ends_at)

    def unsilenced(self, in_force: Collection[str], limit: int) -> tuple[AlertState, ...]:
        quiet = (self._tables.states[key] for key in self._tables.quiet)
        found = [state for state in quiet if state.silence not in in_force]
        return tuple(sorted(found, key=lambda state: (state.first_at, state.alert.key))[:limit])

    def flapping(self, quiet_since: datetime, limit: int) -> tuple[Incident, ...]:
        marked = (self._tables.incidents[each] for each in self._tables.flapping)
        found = [each for each in marked if each.last_alert_at < quiet_since]
        return tuple(sorted(found, key=lambda each: (each.last_alert_at, each.id))[:limit])

    def due(self, at: datetime, limit: int) -> tuple[Incident, ...]:
        waiting = (self._tables.incidents[each] for each in self._tables.awaiting)
        dated = ((each.investigate_at, each.id, each) for each in waiting if each.investigate_at)
        return tuple(each for when, _, each in sorted(dated, key=_due)[:limit] if when <= at)

    def put_state(self, state: AlertState) -> None:
        key, old = state.alert.key, self._tables.states.get(state.alert.key)
        self._undo.append(lambda: self._tables.set_state(key, old))
        self._tables.set_state(key, state)

    def put_incident(self, incident: Incident) -> Incident:
        old = self._tables.incidents.get(incident.id)
        if incident.revision != (0 if old is None else old.revision):
            raise ChangedMeanwhile("incident", incident.id)
        new = replace(incident, revision=incident.revision + 1)
        self._undo.append(lambda: self._tables.set_incident(new.id, old))
        self._tables.set_incident(new.id, new)
        return new

    def put_silence(self, silence: Silence) -> None:
        old = self._tables.silences.get(silence.id)
        self._undo.append(lambda: self._tables.set_silence(silence.id, old))
        self._tables.set_silence(silence.id, silence)

    def note(self, entry: TimelineEntry) -> None:
        timeline = self._tables.timelines[entry.incident]
        self._undo.append(timeline.pop)
        timeline.append(entry)

    def tell(self, kind: str, about: str) -> None:
        self.told.append((kind, about))


def _id(incident: Incident) -> str:
    return incident.id


def _age(incident: Incident) -> tuple[datetime, str]:
    return incident.opened_at, incident.id


def _due(dated: tuple[datetime, str, Incident]) -> tuple[datetime, str]:
    return dated[:2]


def _asked_for(incident: Incident, query: IncidentQuery) -> bool:
    return (
        (not query.statuses or incident.status in query.statuses)
        and (not query.severities or incident.severity in query.severities)
        and query.service in (None, *incident.services)
        and (query.text or "").lower() in incident.title.lower()
        and (query.before is None or incident.id < query.before)
    )
