"""Changes that somebody tells us of: kept as telemetry, and noted where they may matter."""

from collections.abc import Sequence
from datetime import timedelta

from aiops.app.incidents.wording import short
from aiops.model.case import TelemetryWindow
from aiops.model.change import Change
from aiops.model.incident import TimelineEntry
from aiops.ports.clock import Clock
from aiops.ports.incidents import IncidentRepo
from aiops.ports.telemetry import TelemetryStore

LOOK_BACK = timedelta(days=1)
"""An open incident without an alert for so long is not told of changes."""


def record(
    repo: IncidentRepo, telemetry: TelemetryStore, clock: Clock, changes: Sequence[Change]
) -> tuple[str, ...]:
    """Keep changes, and note each in the open incidents about its service.

    The same changes again change nothing.

    Returns:
        The ids of the incidents in which something was noted.

    Raises:
        StoreUnavailable: not all of it was done; do it again.
    """
    if not changes:
        return ()
    times = [change.at for change in changes]
    telemetry.append(TelemetryWindow(min(times), max(times) + timedelta(seconds=1)), changes)
    noted: list[str] = []
    services = {change.entity.service_name for change in changes}
    with repo.work() as work:
        now = clock.now()
        concerned = work.nearby(services, now - LOOK_BACK)
    known = {
        incident.id: {entry.text for entry in repo.timeline(incident.id) if entry.kind == "change"}
        for incident in concerned
    }
    with repo.work() as work:
        for incident in concerned:
            for change in changes:
                text = _told(change)
                about = change.entity.service_name in incident.services
                if not about or text in known[incident.id]:
                    continue
                actor = change.author or "changes"
                work.note(TimelineEntry(incident.id, now, "change", actor, text, change.ref))
                noted.append(incident.id)
        for incident_id in dict.fromkeys(noted):
            work.tell("incident.changed", incident_id)
    return tuple(dict.fromkeys(noted))


def _told(change: Change) -> str:
    return short(
        f"{change.kind} of {change.entity.service_name} at {change.at:%Y-%m-%d %H:%M:%S} UTC: "
        f"{change.description}",
        1000,
    )
