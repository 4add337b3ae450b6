"""Alerts that a person moves from one incident to another: merge and split."""

from collections.abc import Collection
from dataclasses import replace

from aiops.app.incidents import wording
from aiops.app.incidents.acts import (
    Done,
    Person,
    acting,
    must_be_open,
    must_not_be_merged,
    wrong_state,
)
from aiops.app.incidents.evidence import asked_for, worst
from aiops.app.incidents.grouping import Grouping
from aiops.errors import InvalidInput
from aiops.model.alert import AlertKey, AlertState
from aiops.model.incident import Incident
from aiops.ports.ids import Ids


def merge(person: Person, incident_id: str, into: str, rules: Grouping) -> Done:
    """Move all alerts of an incident into another, which goes on alone.

    Returns:
        The one that goes on.

    Raises:
        NotKept: one of them does not exist.
        WrongState: one was merged before, or the one that is to go on is resolved.
        InvalidInput: they are the same.
    """
    if incident_id == into:
        raise InvalidInput(f"incident {into!r} cannot be merged into itself; name another")
    with acting(person, incident_id) as act:
        gone, target = act.incident, act.other(into)
        must_not_be_merged(gone)
        must_be_open(target)
        act.keep(
            replace(
                gone,
                status="resolved",
                resolved_at=gone.resolved_at or act.at,
                merged_into=into,
                firing=0,
                flapping=False,
                investigate_at=None,
            ),
            "merged",
            f"Merged into {into} by {person.name}",
            ref=into,
        )
        for state in act.work.states_of(incident_id):
            act.work.put_state(replace(state, incident=into))
        united = replace(
            target,
            services=tuple(sorted({*target.services, *gone.services})),
            severity=(
                target.severity if target.severity_pinned else worst(target.severity, gone.severity)
            ),
            firing=target.firing + gone.firing,
            alerts=target.alerts + gone.alerts,
            last_alert_at=max(target.last_alert_at, gone.last_alert_at),
            runbook_url=target.runbook_url or gone.runbook_url,
        )
        return act.done(
            asked_for(united, act.at, rules),
            "merged",
            f"{incident_id} ({gone.title}) merged into this by {person.name}",
            ref=incident_id,
        )


def split(
    person: Person, ids: Ids, incident_id: str, keys: Collection[AlertKey], rules: Grouping
) -> Done:
    """Move some alerts of an open incident to a new one.

    The new one has a group of its own: alerts not seen before go on joining the first.

    Returns:
        The new one.

    Raises:
        NotKept: there is no such incident.
        WrongState: it is over, or all its alerts were chosen.
        InvalidInput: none was chosen, or one that is not part of it.
    """
    with acting(person, incident_id) as act:
        first = act.incident
        must_be_open(first)
        states = act.work.states_of(incident_id)
        moving = _chosen(incident_id, states, keys)
        if len(moving) == len(states):
            raise wrong_state(first, "would be left without alerts; leave it at least one")
        firing = sum(_heard(state) for state in moving)
        created = replace(_of(moving, ids.new("inc"), first), opened_at=act.at, firing=firing)
        act.keep(
            replace(first, firing=first.firing - firing, alerts=first.alerts - len(moving)),
            "split",
            f"{len(moving)} of its alerts split off to {created.id} by {person.name}",
            ref=created.id,
        )
        done = act.done(
            asked_for(created, act.at, rules),
            "split",
            f"{len(moving)} alerts split off from {incident_id} ({first.title}) by {person.name}",
            ref=incident_id,
        )
        for state in moving:
            act.work.put_state(replace(state, incident=created.id))
        act.work.tell("incident.opened", created.id)
        return done


def _chosen(
    incident_id: str, states: tuple[AlertState, ...], keys: Collection[AlertKey]
) -> tuple[AlertState, ...]:
    own = {state.alert.key for state in states}
    strange = sorted(set(keys) - own)
    if strange:
        raise InvalidInput(f"alert {wording.ref_of(strange[0])!r} is not part of {incident_id}")
    if not keys:
        raise InvalidInput("no alert was chosen to be split off; name at least one")
    return tuple(state for state in states if state.alert.key in set(keys))


def _heard(state: AlertState) -> bool:
    return state.firing and state.silence is None


def _of(moving: tuple[AlertState, ...], new_id: str, first: Incident) -> Incident:
    """An incident of these alerts, beside the one they come from."""
    alerts = [state.alert for state in moving]
    services = {alert.entity.service_name for alert in alerts if alert.entity is not None}
    guides = [alert.runbook_url for alert in alerts if alert.runbook_url is not None]
    return Incident(
        id=new_id,
        title=wording.title_of(alerts[0]),
        group=f"split={new_id}",
        severity=min(alert.severity for alert in alerts),
        status="triggered",
        opened_at=first.opened_at,
        last_alert_at=max(state.turns[-1] if state.turns else state.first_at for state in moving),
        services=tuple(sorted(services)),
        cluster=first.cluster,
        namespace=first.namespace,
        alerts=len(moving),
        runbook_url=guides[0] if guides else None,
    )
