"""Opsgenie's outgoing webhook (Opsgenie documentation, "Webhook integration")."""

from aiops.ingest.webhooks.compose import compose
from aiops.ingest.webhooks.fields import Fields, as_text, read
from aiops.model.alert import Alert
from aiops.ports.webhook import Push

# Others, such as a note or a tag, are sent for closed alerts too and say nothing of the status.
_OPEN = frozenset(
    {
        "Create",
        "Acknowledge",
        "UnAcknowledge",
        "Snooze",
        "SnoozeEnded",
        "Escalate",
        "EscalateNext",
        "UpdatePriority",
        "AssignOwnership",
        "TakeOwnership",
    }
)
_CLOSED = frozenset({"Close", "Delete"})


def parse(push: Push) -> tuple[Alert, ...]:
    """See AlertParser. Actions that do not say whether an alert is open carry none."""
    payload = read(push.body)
    action = payload.required("action")
    if action not in _OPEN | _CLOSED:
        return ()
    if "alert" not in payload:
        raise payload.refuse("alert", "missing")
    alert = payload.inside("alert")
    number = alert.required("alertId")
    closed = action in _CLOSED
    priority = alert.text("priority")
    return (
        compose(
            push,
            payload,
            # The alias is what Opsgenie itself finds repetitions by.
            fingerprint=alert.text("alias") or number,
            status="resolved" if closed else "firing",
            name=alert.text("message"),
            labels=_labels(alert, priority),
            annotations={"action": action, "description": alert.text("description")},
            starts=alert.time("createdAt"),
            ends=alert.time("updatedAt") if closed else None,
            severity=(priority,),
            service=alert.text("entity"),
            summary=alert.text("message"),
            runbook=alert.labels("details").get("runbook_url", ""),
        ),
    )


def _labels(alert: Fields, priority: str) -> dict[str, str]:
    tags = alert.raw("tags")
    texts = [as_text(tag) for tag in tags] if isinstance(tags, list) else []
    labels = alert.labels("details")
    labels |= dict(tag.split(":", 1) for tag in texts if ":" in tag)
    plain = ",".join(tag for tag in texts if ":" not in tag)
    own = {"tags": plain, "priority": priority, "source": alert.text("source")}
    return labels | {name: value for name, value in own.items() if value}
