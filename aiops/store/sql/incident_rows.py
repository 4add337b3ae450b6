"""Alerts, incidents and silences as rows."""

from typing import Any

from aiops.model.alert import AlertKey, AlertState, Silence
from aiops.model.incident import Incident, TimelineEntry
from aiops.store.codec import Codec
from aiops.store.sql.columns import digest

INCIDENT = Codec(Incident)
STATE = Codec(AlertState)
SILENCE = Codec(Silence)
ENTRY = Codec(TimelineEntry)
Row = dict[str, Any]


def incident_row(incident: Incident) -> Row:
    """A row of ``incidents``."""
    return {
        "id": incident.id,
        "group_key": digest(incident.group),
        "title": incident.title.lower(),
        "severity": incident.severity,
        "status": incident.status,
        "opened_at": incident.opened_at,
        "last_alert_at": incident.last_alert_at,
        "resolved_at": incident.resolved_at,
        "investigate_at": incident.investigate_at,
        "flaps": incident.flapping and incident.open,
        "merged": incident.merged_into is not None,
        "revision": incident.revision,
        "body": INCIDENT.write(incident),
    }


def service_rows(incident: Incident) -> list[Row]:
    """Its rows of ``incident_services``."""
    return [
        {"service_key": digest(service), "incident_id": incident.id}
        for service in dict.fromkeys(incident.services)
    ]


def state_row(state: AlertState) -> Row:
    """A row of ``alerts``."""
    return {
        "key": state_key(state.alert.key),
        "incident_id": state.incident,
        "first_at": state.first_at,
        "last_at": state.last_at,
        "quiet_by": state.silence if state.firing else None,
        "body": STATE.write(state),
    }


def state_key(key: AlertKey) -> str:
    """What an alert is found by."""
    return digest(key.source, key.fingerprint)


def silence_row(silence: Silence) -> Row:
    """A row of ``silences``."""
    return {
        "id": silence.id,
        "starts_at": silence.starts_at,
        "ends_at": silence.ends_at,
        "body": SILENCE.write(silence),
    }


def entry_row(entry: TimelineEntry) -> Row:
    """A row of ``timeline``."""
    return {"incident_id": entry.incident, "body": ENTRY.write(entry)}
