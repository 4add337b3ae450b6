"""Alerts, deliveries and incidents to keep, at seconds from noon."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from aiops.model.alert import Alert, AlertState, Delivery, Matcher, Silence
from aiops.model.entity import Entity
from aiops.model.incident import Incident, TimelineEntry
from aiops.ports.incidents import IncidentRepo, IncidentWork

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)


class Undone(Exception):
    """Raised inside a transaction, to undo it."""


@contextmanager
def undone(repo: IncidentRepo) -> Iterator[IncidentWork]:
    """A transaction that is undone at its end."""
    with suppress(Undone), repo.work() as work:
        yield work
        raise Undone


def at(seconds: float) -> datetime:
    return NOON + timedelta(seconds=seconds)


def alert(fingerprint: str = "a", **changes: object) -> Alert:
    whole = Alert(
        source="prom",
        fingerprint=fingerprint,
        status="firing",
        name="TooSlow",
        labels=(("service", "cart"), ("ünïcode", "a'b\"c")),
        annotations=(("summary", "cart is slow"),),
        starts_at=NOON,
        severity="SEV2",
        entity=Entity("service", "cart", "shop", "eu-1"),
        summary="cart is slow",
        runbook_url="https://runbooks/slow",
        link="https://prom/graph",
        extra='{"groupKey": "{}"}',
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def delivery(number: int, *alerts: Alert) -> Delivery:
    return Delivery(f"dlv-{number}", "prom", at(number), alerts or (alert(),))


def incident(number: int, group: str = "service=cart", **changes: object) -> Incident:
    whole = Incident(
        id=f"inc-{number:03}",
        title="Cart is slow",
        group=group,
        severity="SEV2",
        status="triggered",
        opened_at=at(number),
        last_alert_at=at(number),
        services=("cart",),
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def silence(name: str, starts: float, ends: float) -> Silence:
    matchers = (Matcher("service", "cart|queue", regex=True), Matcher("env", "", negative=True))
    return Silence(name, matchers, at(starts), at(ends), "ana", "planned", maintenance=True)


def kept(repo: IncidentRepo, *incidents: Incident) -> tuple[Incident, ...]:
    with repo.work() as work:
        return tuple(work.put_incident(each) for each in incidents)


def kept_states(repo: IncidentRepo, *states: AlertState) -> None:
    with repo.work() as work:
        for each in states:
            work.put_state(each)


def note(of: str, seconds: float, text: str) -> TimelineEntry:
    return TimelineEntry(of, at(seconds), "comment", "ana", text, ref="x")
