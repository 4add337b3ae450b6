"""What one alert does: count, be quiet, join, open, open again, escalate, end an incident.

Pure but for the ledger it decides in, so that a preview of a rule runs the very same code.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal

from aiops.app.incidents import wording
from aiops.app.incidents.evidence import asked_for, worst
from aiops.app.incidents.flapping import flaps, quiet_since, turned
from aiops.app.incidents.grouping import Grouping, Neighbours, group_of
from aiops.app.incidents.ledger import Ledger
from aiops.app.incidents.silences import Silencing
from aiops.app.incidents.turns import late
from aiops.model.alert import Alert, AlertState
from aiops.model.incident import Incident, TimelineEntry, TimelineKind

Outcome = Literal[
    "repeated", "late", "unknown", "silenced", "opened", "joined", "reopened", "resolved"
]
MOST_RELATED: Final = 10
"""Incidents that one points to: with more, nobody reads them."""
ALERTS: Final = "alerts"
"""The actor of what alerts do by themselves."""


class Triage:
    """Takes alerts into a ledger at one moment.

    Args:
        new_id: makes the id of an incident.
        now: what a silence is in force at, and what an investigation waits from.
    """

    def __init__(
        self,
        ledger: Ledger,
        rules: Grouping,
        neighbours: Neighbours,
        silencing: Silencing,
        new_id: Callable[[], str],
        now: datetime,
    ) -> None:
        self._ledger, self._rules, self._neighbours = ledger, rules, neighbours
        self._silencing, self._new_id, self._now = silencing, new_id, now
        self._eased: dict[str, datetime] = {}

    def take(self, alert: Alert, received_at: datetime) -> Outcome:
        """Take in one alert of a delivery.

        The order of deliveries decides, not their times: a clock may jump. An arrival in the
        future counts as now, one before what is known as together with it.
        """
        known = self._ledger.state(alert.key)
        at = min(received_at if known is None else max(received_at, known.last_at), self._now)
        if known is None:
            first = AlertState(alert, None, at, at)
            if alert.status == "firing":
                return self._place(first, at)
            self._ledger.keep_state(first)  # remembered, should its beginning come late
            return "unknown"
        heard = replace(known, last_at=at, deliveries=known.deliveries + 1)
        if late(alert, known, at):
            self._ledger.keep_state(heard)
            return "late"
        if alert.status == known.alert.status:
            return self._repeated(heard, alert, at)
        turn = replace(heard, alert=alert, turns=turned(known, at))
        return self._place(turn, at) if turn.firing else self._ended(known, turn, at)

    def sweep(self) -> None:
        """Take in what silences no longer keep quiet; end the damping of what is quiet again."""
        for state in self._ledger.unsilenced(self._silencing.in_force(self._now)):
            self._place(state, self._now)
        for incident in self._ledger.flapping(quiet_since(self._now, self._rules)):
            calm = replace(incident, flapping=False)
            self._note(calm, "flapping", self._now, "Its alerts no longer flap")
            if calm.firing == 0:
                self._resolve(calm, self._now)
            else:
                self._eased[calm.id] = self._now
                self._keep(asked_for(calm, self._now, self._rules))

    def settle(self, alerts: Callable[[str], Iterable[AlertState]]) -> None:
        """Let severities follow the worst alert that still fires, where a worse one does no more.

        Once a round, since it takes all alerts of an incident. Not while one flaps, nor where a
        person chose.

        Args:
            alerts: those of an incident before this round, by its id.
        """
        for incident_id, at in self._eased.items():
            incident = self._ledger.incident(incident_id)
            if incident is None or not incident.open or incident.flapping:
                continue
            states = self._ledger.states_of(incident_id, alerts(incident_id))
            firing = [each.alert.severity for each in states if each.firing and not each.silence]
            severity = min(firing, default=incident.severity)
            if severity > incident.severity and not incident.severity_pinned:
                text = f"{incident.severity} to {severity}: nothing worse fires any more"
                self._note(incident, "severity", at, text)
                self._keep(replace(incident, severity=severity))
        self._eased.clear()

    def _repeated(self, heard: AlertState, alert: Alert, at: datetime) -> Outcome:
        # What is newer explains better; an old one that comes late explains nothing.
        newer = alert if alert.starts_at >= heard.alert.starts_at else heard.alert
        state = replace(heard, alert=newer)
        if state.firing and state.silence is not None:
            return self._place(state, at)
        self._ledger.keep_state(state)
        incident = self._ledger.incident(state.incident)
        if state.firing and incident is not None and incident.open:
            if newer.severity > heard.alert.severity:
                self._eased[incident.id] = at
            escalated = self._escalated(incident, newer, at)
            if escalated is not incident:
                self._keep(self._investigated(escalated, worse=True))
        return "repeated"

    def _ended(self, known: AlertState, state: AlertState, at: datetime) -> Outcome:
        self._ledger.keep_state(replace(state, silence=None))
        incident = self._ledger.incident(known.incident)
        if incident is None or known.silence is not None:
            return "resolved"
        incident = replace(incident, firing=incident.firing - 1, last_alert_at=at)
        if not incident.flapping:
            self._note(incident, "alert_resolved", at, wording.ended(state.alert), state)
        incident = self._damped(incident, state, at)
        if incident.firing == 0 and incident.open and not incident.flapping:
            self._resolve(incident, at)
        else:
            if known.alert.severity <= incident.severity:
                self._eased[incident.id] = at
            self._keep(incident)
        return "resolved"

    def _place(self, state: AlertState, at: datetime) -> Outcome:
        """Find the incident of an alert that begins to be heard."""
        silence = self._silencing.of(state.alert, self._now)
        own = self._ledger.incident(state.incident)
        if silence is not None:
            if own is not None and state.silence is None:
                text = f"{wording.subject_of(state.alert)} fires, kept quiet by {silence.id}"
                self._note(own, "silenced", at, text, state)
            self._ledger.keep_state(replace(state, silence=silence.id))
            return "silenced"
        state = replace(state, silence=None)
        group = group_of(state.alert, self._rules.group_by)
        newest = self._ledger.newest_of(group)
        for incident in (own, newest):
            if incident is not None and incident.open:
                return self._join(incident, state, at, "joined")
        for incident in (own, newest):
            if incident is not None and self._just_resolved(incident, at):
                return self._join(self._reopened(incident, state, at), state, at, "reopened")
        beside = self._beside(state.alert, at)
        if beside:
            nearest = self._related(beside[0], beside[1:], state, at)
            return self._join(nearest, state, at, "joined")
        return self._join(self._opened(state.alert, group, at), state, at, "opened")

    def _just_resolved(self, incident: Incident, at: datetime) -> bool:
        return (
            incident.resolved_at is not None
            and incident.merged_into is None
            and (at - incident.resolved_at).total_seconds() <= self._rules.reopen_window_s
        )

    def _beside(self, alert: Alert, at: datetime) -> list[Incident]:
        """Open incidents of neighbouring services that alerted lately, the nearest first."""
        if alert.entity is None:
            return []
        services = self._neighbours.of(alert.entity.service_name)
        since = at - timedelta(seconds=self._rules.join_window_s)
        cluster = alert.entity.cluster
        found = [
            (distance, at - incident.last_alert_at, incident.id, incident)
            for distance, incident in self._ledger.near(services, since)
            if cluster is None or incident.cluster in (None, cluster)
        ]
        return [incident for *_, incident in sorted(found)]

    def _related(
        self, incident: Incident, others: Sequence[Incident], state: AlertState, at: datetime
    ) -> Incident:
        """As related to the others that the same alert could have joined; both are told.

        They are not merged: whoever is on one of them would lose sight of it, and an alert of a
        service that everybody calls would merge everything that is open.
        """
        subject = wording.subject_of(state.alert)
        for other in others[: MOST_RELATED - len(incident.related)]:
            if other.id in incident.related:
                continue
            for one, far in ((incident, other), (other, incident)):
                text = f"{subject} may also belong to {far.id} ({far.title}): one fault? Merge them"
                self._note(one, "related", at, text, state)
            self._keep(replace(other, related=(*other.related, incident.id)))
            incident = replace(incident, related=(*incident.related, other.id))
        return incident

    def _opened(self, alert: Alert, group: str, at: datetime) -> Incident:
        entity = alert.entity
        incident = Incident(
            id=self._new_id(),
            title=wording.title_of(alert),
            group=group,
            severity=alert.severity,
            status="triggered",
            opened_at=at,
            last_alert_at=at,
            cluster=None if entity is None else entity.cluster,
            namespace=None if entity is None else entity.namespace,
        )
        self._note(incident, "opened", at, f"Opened: {incident.title}")
        self._ledger.tell("incident.opened", incident.id)
        return incident

    def _reopened(self, incident: Incident, state: AlertState, at: datetime) -> Incident:
        text = f"Opened again: {wording.subject_of(state.alert)} fires"
        self._note(incident, "reopened", at, text, state)
        self._eased[incident.id] = at
        self._ledger.tell("incident.reopened", incident.id)
        return replace(incident, status="triggered", acknowledged_at=None, resolved_at=None)

    def _join(self, incident: Incident, state: AlertState, at: datetime, how: Outcome) -> Outcome:
        alert, fresh = state.alert, state.incident != incident.id
        services = {*incident.services, *([alert.entity.service_name] if alert.entity else [])}
        joined = replace(
            incident,
            services=tuple(sorted(services)),
            firing=incident.firing + 1,
            alerts=incident.alerts + fresh,
            last_alert_at=at,
            runbook_url=incident.runbook_url or alert.runbook_url,
        )
        if not joined.flapping:
            self._note(joined, "alert", at, wording.fires(alert), state)
        escalated = self._escalated(joined, alert, at)
        damped = self._damped(escalated, state, at)
        if fresh or how != "joined" or escalated is not joined:
            damped = self._investigated(damped, worse=escalated is not joined)
        self._ledger.keep_state(replace(state, incident=incident.id))
        self._keep(damped)
        return how

    def _escalated(self, incident: Incident, alert: Alert, at: datetime) -> Incident:
        """With the alert's severity where that is worse and nobody chose one."""
        severity = worst(incident.severity, alert.severity)
        if incident.severity_pinned or severity == incident.severity:
            return incident
        text = f"{incident.severity} to {severity}: {wording.subject_of(alert)}"
        self._note(incident, "severity", at, text)
        return replace(incident, severity=severity)

    def _damped(self, incident: Incident, state: AlertState, at: datetime) -> Incident:
        """Marked flapping where this turn of an alert makes it so."""
        if incident.flapping or not incident.open or not flaps(state, at, self._rules):
            return incident
        text = f"{wording.subject_of(state.alert)} flaps: kept open until it is quiet"
        self._note(incident, "flapping", at, text, state)
        return replace(incident, flapping=True)

    def _investigated(self, incident: Incident, *, worse: bool = False) -> Incident:
        if incident.flapping:
            return incident
        return asked_for(incident, self._now, self._rules, worse=worse)

    def _resolve(self, incident: Incident, at: datetime) -> None:
        self._note(incident, "resolved", at, "Resolved: none of its alerts fires")
        self._ledger.tell("incident.resolved", incident.id)
        self._ledger.keep(replace(incident, status="resolved", resolved_at=at))

    def _keep(self, incident: Incident) -> None:
        self._ledger.keep(incident)
        self._ledger.tell("incident.changed", incident.id)

    def _note(
        self,
        incident: Incident,
        kind: TimelineKind,
        at: datetime,
        text: str,
        state: AlertState | None = None,
    ) -> None:
        ref = None if state is None else wording.ref_of(state.alert.key)
        self._ledger.note(TimelineEntry(incident.id, at, kind, ALERTS, text, ref))
