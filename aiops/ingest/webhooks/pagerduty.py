"""PagerDuty's webhooks, version 3 (developer documentation, "Webhooks: Overview")."""

from aiops.ingest.webhooks.compose import compose
from aiops.ingest.webhooks.fields import Fields, read
from aiops.model.alert import Alert
from aiops.ports.webhook import Push

_STATUSES = ("triggered", "acknowledged", "resolved")


def parse(push: Push) -> tuple[Alert, ...]:
    """See AlertParser. Events that are not about an incident itself, such as notes, carry none."""
    payload = read(push.body)
    if "event" not in payload:
        raise payload.refuse("event", "missing; subscribe a webhook of version 3")
    event = payload.inside("event")
    kind = event.required("event_type")
    incident = event.inside("data")
    if not kind.startswith("incident.") or incident.text("type") != "incident":
        return ()
    return (_alert(push, payload, event, incident, kind),)


def _alert(push: Push, payload: Fields, event: Fields, incident: Fields, kind: str) -> Alert:
    status = incident.required("status")
    if status not in _STATUSES:
        raise incident.refuse("status", f"{status[:40]!r}, not {', '.join(_STATUSES)}")
    resolved = status == "resolved"
    occurred = event.time("occurred_at")
    priority = incident.inside("priority").text("summary")
    urgency = incident.text("urgency")
    service = incident.inside("service").text("summary")
    title = incident.text("title")
    labels = {
        "service": service,
        "urgency": urgency,
        "priority": priority,
        "team": ", ".join(team.text("summary") for team in incident.each("teams")),
        "number": incident.text("number"),
    }
    return compose(
        push,
        payload,
        fingerprint=incident.required("id"),
        status="resolved" if resolved else "firing",
        name=title,
        labels={name: value for name, value in labels.items() if value},
        annotations={"status": status, "event_type": kind},
        starts=incident.time("created_at") or occurred,
        ends=(incident.time("resolved_at") or occurred) if resolved else None,
        severity=(priority, urgency),
        summary=title,
        link=incident.text("html_url"),
    )
