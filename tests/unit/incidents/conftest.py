"""A small installation in memory, told of alerts at seconds from noon."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from aiops.app.incidents.grouping import Grouping, Neighbours
from aiops.app.incidents.intake import Taken, take_in
from aiops.events.in_process import InProcessEvents
from aiops.model import Call, Entity, ServiceGraph
from aiops.model.alert import Alert, Delivery, Matcher, Silence
from aiops.model.incident import Incident, IncidentQuery, TimelineEntry
from aiops.settings import IncidentSettings
from aiops.store.clock import ManualClock
from aiops.store.ids import CountedIds
from aiops.store.inbox import MemoryInbox
from aiops.store.incidents import MemoryIncidents

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class World:
    """Alerts go in; incidents come out."""

    def __init__(self) -> None:
        self.clock = ManualClock(NOON)
        self.ids = CountedIds()
        self.inbox = MemoryInbox()
        self.bus = InProcessEvents(self.clock)
        self.repo = MemoryIncidents(self.inbox, self.bus)
        self.rules = Grouping(**IncidentSettings().model_dump())
        self.graph: ServiceGraph | None = None
        self._numbers = count(1)

    # ---- what is told

    @staticmethod
    def at(seconds: float) -> datetime:
        return NOON + timedelta(seconds=seconds)

    @staticmethod
    def alert(service: str | None = "cart", name: str = "TooSlow", **changes: object) -> Alert:
        whole = Alert(
            source="prom",
            fingerprint=f"{service}/{name}",
            status="firing",
            name=name,
            labels=() if service is None else (("service", service),),
            annotations=(),
            starts_at=NOON,
            entity=None if service is None else Entity("service", service),
        )
        return replace(whole, **changes)  # type: ignore[arg-type]

    def deliver(self, *alerts: Alert, received_at: datetime | None = None) -> None:
        """Put one delivery without taking it in."""
        number = next(self._numbers)
        self.inbox.put([Delivery(f"dlv-{number}", "prom", received_at or self.clock.now(), alerts)])

    def take(self, limit: int = 500) -> Taken:
        neighbours = Neighbours(self.graph, self.rules.join_hops)
        return take_in(self.repo, neighbours, self.rules, self.clock, self.ids, limit=limit)

    def wait(self, seconds: float) -> None:
        self.clock.advance(seconds)

    def fire(self, service: str | None = "cart", name: str = "TooSlow", **changes: object) -> Taken:
        """An alert starts to fire now, and is taken in."""
        changes.setdefault("starts_at", self.clock.now())
        self.deliver(self.alert(service, name, **changes))
        return self.take()

    def end(self, service: str | None = "cart", name: str = "TooSlow", **changes: object) -> Taken:
        """An alert ends now, and that is taken in."""
        changes.setdefault("ends_at", self.clock.now())
        changes.setdefault("starts_at", self.clock.now() - timedelta(seconds=1))
        self.deliver(self.alert(service, name, status="resolved", **changes))
        return self.take()

    def silence(self, value: str, seconds: float, label: str = "service") -> Silence:
        """Alerts of a service are kept quiet from now on."""
        now = self.clock.now()
        made = Silence(
            self.ids.new("sil"),
            (Matcher(label, value),),
            now,
            now + timedelta(seconds=seconds),
            "ana",
            "planned",
        )
        with self.repo.work() as work:
            work.put_silence(made)
        return made

    def calls(self, *pairs: tuple[str, str]) -> None:
        """Who calls whom."""
        made = [Call(Entity("service", a), Entity("service", b)) for a, b in pairs]
        nodes = {entity for call in made for entity in (call.source, call.target)}
        self.graph = ServiceGraph(tuple(sorted(nodes)), tuple(made))

    # ---- what is seen

    def incidents(self) -> list[Incident]:
        """All, oldest first."""
        return sorted(
            self.repo.find(IncidentQuery(limit=10_000)), key=lambda each: int(each.id[4:])
        )

    def only(self) -> Incident:
        (incident,) = self.incidents()
        return incident

    def timeline(self, incident_id: str = "inc-1") -> list[TimelineEntry]:
        return list(self.repo.timeline(incident_id))

    def kinds(self, incident_id: str = "inc-1") -> list[str]:
        return [entry.kind for entry in self.timeline(incident_id)]

    def events(self) -> list[tuple[str, str]]:
        return [(event.kind, event.about) for event in self.bus.subscribe(idle_s=0)]


@pytest.fixture
def world() -> World:
    """Nothing has happened yet; it is noon."""
    return World()
