"""An Alert from what a vendor's parser read: bounded, with a note of everything that was cut."""

import json
from collections.abc import Mapping
from datetime import datetime

from aiops.ingest.webhooks.fields import Fields
from aiops.ingest.webhooks.labels import MOST_ANNOTATION, bounded, entity_of, identity
from aiops.ingest.webhooks.moments import settled
from aiops.ingest.webhooks.severity import severity_of
from aiops.model.alert import Alert, AlertStatus
from aiops.ports.webhook import Push

MOST_EXTRA = 8_192
"""Characters of ``Alert.extra``."""
MOST_SUMMARY = 300
MOST_URL = 2_048

_SUMMARIES = ("summary", "title", "message", "description")
_RUNBOOKS = ("runbook_url", "runbookURL", "runbook_URL", "runbook", "playbook_url")
_SEVERITIES = ("severity", "priority", "level", "urgency")


def compose(
    push: Push,
    fields: Fields,
    *,
    status: AlertStatus,
    labels: Mapping[str, str],
    starts: datetime | None,
    fingerprint: str = "",
    name: str = "",
    annotations: Mapping[str, str] | None = None,
    ends: datetime | None = None,
    severity: tuple[str, ...] = (),
    service: str = "",
    summary: str = "",
    runbook: str = "",
    link: str = "",
    envelope: Mapping[str, object] | None = None,
) -> Alert:
    """One alert.

    Args:
        fields: the object it was read from; what nobody read of it goes to ``extra`` as "fields",
            its notes as "notes".
        fingerprint: the source's own; "" where it has none.
        severity: words for it, the weightiest first; labels are asked after them.
        service: the service it is about, where no label says so.
        envelope: what the payload says beside its alerts; goes to ``extra`` as "payload".
    """
    notes = list(fields.notes)
    prose = {key: text for key, text in (annotations or {}).items() if text}
    starts_at, ends_at = settled(status, starts, ends, push.received_at, notes)
    kept = bounded(labels, "labels", notes)
    kept_prose = bounded(prose, "annotations", notes, MOST_ANNOTATION)
    short = dict(kept)
    title = one_line(name) or one_line(summary) or "unnamed alert"
    said = summary or next((prose[key] for key in _SUMMARIES if key in prose), "")
    guide = runbook or next((prose[key] for key in _RUNBOOKS if key in prose), "")
    return Alert(
        source=push.source,
        fingerprint=identity(fingerprint, labels),
        status=status,
        name=title,
        labels=kept,
        annotations=kept_prose,
        starts_at=starts_at,
        ends_at=ends_at,
        severity=severity_of(*severity, *(short[key] for key in _SEVERITIES if key in short)),
        entity=entity_of(short, service),
        summary=one_line(said) or title,
        runbook_url=url(guide),
        link=url(link),
        extra=_extra(fields.rest(), envelope or {}, notes),
    )


def one_line(text: str) -> str:
    """A text on one line of at most ``MOST_SUMMARY`` characters."""
    return " ".join(text[: 4 * MOST_SUMMARY].split())[:MOST_SUMMARY]


def url(text: str) -> str | None:
    """A web address; None for anything else, such as a script that a page would run."""
    shown = text.strip()
    plain = shown.lower().startswith(("https://", "http://")) and len(shown) <= MOST_URL
    return shown if plain else None


def _extra(fields: Mapping[str, object], payload: Mapping[str, object], notes: list[str]) -> str:
    if not (fields or payload or notes):
        return "{}"
    parts = {"fields": fields, "payload": payload, "notes": notes}
    whole = _json({name: part for name, part in parts.items() if part})
    if len(whole) <= MOST_EXTRA:
        return whole
    room = MOST_EXTRA // 4
    few = [note[:MOST_SUMMARY] for note in notes][: room // MOST_SUMMARY]
    kept = {
        "fields": _fitting(fields, 2 * room - 100, few),
        "payload": _fitting(payload, room - 100, few),
        "notes": few,
    }
    return _json(kept)


def _fitting(members: Mapping[str, object], room: int, notes: list[str]) -> dict[str, object]:
    kept: dict[str, object] = {}
    for name, value in members.items():
        size = len(_json({name: value}))
        if size <= room:
            kept[name] = value
            room -= size
    left = [name for name in members if name not in kept]
    if left:
        shown = ", ".join(name[:40] for name in left[:3])
        notes.append(f"{len(left)} unknown fields too large to keep ({shown})")
    return kept


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
