"""What one round of triage has read and decided, before it is written down."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import datetime

from aiops.model.alert import AlertKey, AlertState
from aiops.model.incident import Incident, TimelineEntry
from aiops.ports.incidents import IncidentWork


class Ledger:
    """Alerts and incidents in memory, found the ways triage asks for them; remembers changes."""

    def __init__(self) -> None:
        self._states: dict[AlertKey, AlertState] = {}
        self._incidents: dict[str, Incident] = {}
        self._latest: dict[str, str] = {}
        self._open_about: defaultdict[str, dict[str, None]] = defaultdict(dict)
        self._kept_quiet_by: defaultdict[str, dict[AlertKey, None]] = defaultdict(dict)
        self._flapping: dict[str, None] = {}
        self._changed_states: dict[AlertKey, None] = {}
        self._changed_incidents: dict[str, None] = {}
        self._notes: list[TimelineEntry] = []
        self._told: dict[tuple[str, str], None] = {}

    def load(
        self,
        states: Iterable[AlertState],
        incidents: Iterable[Incident],
        latest: Mapping[str, Incident],
    ) -> None:
        """Start from what is kept: ``latest`` has the newest incident of each group asked for."""
        for state in states:
            self._set_state(state)
        for incident in (*incidents, *latest.values()):
            self._set_incident(incident)
        self._latest.update((group, incident.id) for group, incident in latest.items())

    def state(self, key: AlertKey) -> AlertState | None:
        """What is known of an alert."""
        return self._states.get(key)

    def states_of(self, incident_id: str, before: Iterable[AlertState]) -> list[AlertState]:
        """The alerts of an incident as they are now.

        Args:
            before: those of it that were kept when the round began.
        """
        known = {state.alert.key: state for state in before} | self._states
        return [state for state in known.values() if state.incident == incident_id]

    def incident(self, incident_id: str | None) -> Incident | None:
        """The incident with this id."""
        return None if incident_id is None else self._incidents.get(incident_id)

    def newest_of(self, group: str) -> Incident | None:
        """The newest incident of a group, open or resolved."""
        return self.incident(self._latest.get(group))

    def near(self, services: Mapping[str, int], since: datetime) -> list[tuple[int, Incident]]:
        """Open incidents about any of ``services`` with an alert since then.

        Args:
            services: each with its distance.

        Returns:
            Each with the distance of its nearest service.
        """
        distances: dict[str, int] = {}
        for service, distance in services.items():
            for each in self._open_about.get(service, ()):
                distances[each] = min(distance, distances.get(each, distance))
        found = ((distance, self._incidents[each]) for each, distance in distances.items())
        return [(distance, each) for distance, each in found if each.last_alert_at >= since]

    def unsilenced(self, in_force: Collection[str]) -> tuple[AlertState, ...]:
        """Firing alerts kept quiet by a silence that is none of ``in_force`` (ids)."""
        ended = (by for by in self._kept_quiet_by if by not in in_force)
        return tuple(self._states[key] for by in ended for key in self._kept_quiet_by[by])

    def flapping(self, quiet_since: datetime) -> tuple[Incident, ...]:
        """Open incidents marked flapping without a change since then."""
        marked = (self._incidents[each] for each in self._flapping)
        return tuple(each for each in marked if each.last_alert_at < quiet_since)

    def incidents(self) -> tuple[Incident, ...]:
        """All, in the order they became known."""
        return tuple(self._incidents.values())

    def keep_state(self, state: AlertState) -> None:
        """What is known of an alert from now on."""
        self._set_state(state)
        self._changed_states[state.alert.key] = None

    def keep(self, incident: Incident) -> None:
        """How an incident is from now on; a new one is the newest of its group."""
        if incident.id not in self._incidents:
            self._latest[incident.group] = incident.id
        self._set_incident(incident)
        self._changed_incidents[incident.id] = None

    def note(self, entry: TimelineEntry) -> None:
        """Add to a timeline."""
        self._notes.append(entry)

    def tell(self, kind: str, about: str) -> None:
        """Publish an event, once a round."""
        self._told[kind, about] = None

    @property
    def told(self) -> tuple[tuple[str, str], ...]:
        """Kind and subject of each event of the round."""
        return tuple(self._told)

    def write(self, work: IncidentWork) -> None:
        """Write down every change, each record once."""
        for incident_id in self._changed_incidents:
            work.put_incident(self._incidents[incident_id])
        for key in self._changed_states:
            work.put_state(self._states[key])
        for entry in self._notes:
            work.note(entry)
        for kind, about in self._told:
            work.tell(kind, about)

    def _set_state(self, state: AlertState) -> None:
        key, old = state.alert.key, self._states.get(state.alert.key)
        if old is not None and old.silence is not None:
            self._kept_quiet_by[old.silence].pop(key, None)
        if state.firing and state.silence is not None:
            self._kept_quiet_by[state.silence][key] = None
        self._states[key] = state

    def _set_incident(self, incident: Incident) -> None:
        old = self._incidents.get(incident.id)
        for index in () if old is None else self._indices(old):
            index.pop(incident.id, None)
        self._incidents[incident.id] = incident
        for index in self._indices(incident):
            index[incident.id] = None

    def _indices(self, incident: Incident) -> Iterator[dict[str, None]]:
        if incident.open:
            yield from (self._open_about[service] for service in incident.services)
            if incident.flapping:
                yield self._flapping
