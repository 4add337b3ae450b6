"""The doors to alerts and incidents: an inbox that is safe before it answers, and transactions."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from aiops.model.alert import AlertKey, AlertState, Delivery, RefusedDelivery, Silence
from aiops.model.incident import Incident, IncidentQuery, TimelineEntry


class AlertInbox(Protocol):
    """Keeps deliveries until they are taken in. Safe for many threads."""

    def put(self, deliveries: Sequence[Delivery]) -> None:
        """Keep them; returns once they would survive a crash.

        A known id is kept once, also where the first was taken in already.

        Raises:
            StoreUnavailable: they are not kept; the sender must be told to come again.
        """
        ...

    def refuse(self, delivery: RefusedDelivery) -> None:
        """Keep what could not be understood."""
        ...

    def refused(self, *, limit: int = 50) -> tuple[RefusedDelivery, ...]:
        """What could not be understood, newest first."""
        ...

    def waiting(self) -> int:
        """How many deliveries have not been taken in yet."""
        ...

    def oldest_waiting(self) -> datetime | None:
        """When the oldest of them was received; None where none waits."""
        ...


class IncidentWork(Protocol):
    """One transaction: everything below happens, or nothing does. Reads see its own writes."""

    def take(self, limit: int) -> tuple[Delivery, ...]:
        """The oldest waiting deliveries; they are taken in when the transaction commits."""
        ...

    def states(self, keys: Collection[AlertKey]) -> Mapping[AlertKey, AlertState]:
        """What is known of these alerts; unknown ones are absent."""
        ...

    def states_of(self, incident_id: str) -> tuple[AlertState, ...]:
        """The alerts of one incident, by first delivery."""
        ...

    def incidents(self, ids: Collection[str]) -> Mapping[str, Incident]:
        """These incidents; unknown ids are absent."""
        ...

    def latest_of(self, groups: Collection[str]) -> Mapping[str, Incident]:
        """The newest incident of each group, open or resolved; merged ones are left out."""
        ...

    def nearby(self, services: Collection[str], since: datetime) -> tuple[Incident, ...]:
        """Open incidents about any of these services with an alert since then, newest first."""
        ...

    def silences(self, at: datetime) -> tuple[Silence, ...]:
        """Those in force."""
        ...

    def unsilenced(self, in_force: Collection[str], limit: int) -> tuple[AlertState, ...]:
        """Firing alerts kept quiet by a silence that is none of ``in_force`` (ids), oldest first.

        They have to be taken in now: what kept them out of an incident has ended.
        """
        ...

    def flapping(self, quiet_since: datetime, limit: int) -> tuple[Incident, ...]:
        """Open incidents marked flapping whose ``last_alert_at`` is before then, oldest first."""
        ...

    def due(self, at: datetime, limit: int) -> tuple[Incident, ...]:
        """Incidents whose ``investigate_at`` is not after ``at``, oldest first."""
        ...

    def put_state(self, state: AlertState) -> None:
        """Keep it in place of what was known of that alert."""
        ...

    def put_incident(self, incident: Incident) -> Incident:
        """Keep it in place of its last revision; returns it with the next one.

        Raises:
            ChangedMeanwhile: its revision is not the one that is kept.
        """
        ...

    def put_silence(self, silence: Silence) -> None:
        """Keep it, in place of one with its id."""
        ...

    def note(self, entry: TimelineEntry) -> None:
        """Add to the timeline of an incident."""
        ...

    def tell(self, kind: str, about: str) -> None:
        """Publish an event on the bus when the transaction commits, and only then."""
        ...


class IncidentRepo(Protocol):
    """Keeps alerts, incidents, timelines and silences."""

    def work(self) -> AbstractContextManager[IncidentWork]:
        """A transaction that commits at the end of the block and is undone by an exception.

        One at a time in the whole installation: deciding which incident an alert joins must see
        all that was decided before.
        """
        ...

    def get(self, incident_id: str) -> Incident:
        """The incident with this id; raises NotKept."""
        ...

    def find(self, query: IncidentQuery) -> tuple[Incident, ...]:
        """The incidents asked for, newest first: in descending order of their ids.

        ``text`` is looked for in titles, whatever the case of its letters.
        """
        ...

    def counts(self) -> Mapping[str, int]:
        """How many incidents have each status; every status is named."""
        ...

    def timeline(self, incident_id: str) -> tuple[TimelineEntry, ...]:
        """What happened to it, oldest first; raises NotKept."""
        ...

    def alerts(self, incident_id: str | None = None, *, limit: int = 500) -> tuple[AlertState, ...]:
        """The alerts of one incident or of all, last heard of first; raises NotKept."""
        ...

    def silences(self) -> tuple[Silence, ...]:
        """All, the one that ends last first."""
        ...
