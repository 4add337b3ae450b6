"""When an incident is worth an investigation, and how bad it is."""

from dataclasses import replace
from datetime import datetime, timedelta

from aiops.app.incidents.grouping import Grouping
from aiops.model.alert import Severity
from aiops.model.incident import Incident


def asked_for(
    incident: Incident, now: datetime, rules: Grouping, *, worse: bool = False
) -> Incident:
    """With an investigation due: once its alerts have settled, and the last one cooled down.

    One that is due already stays due when it was: a flood of alerts cannot put it off for ever.

    Args:
        worse: it has just become more severe, which no cooldown holds up: what is found by the
            investigation that goes on was asked when less was broken.
    """
    when = now + timedelta(seconds=rules.settle_s)
    if incident.investigated_at is not None and not worse:
        when = max(when, incident.investigated_at + timedelta(seconds=rules.cooldown_s))
    if incident.investigate_at is not None:
        when = min(when, incident.investigate_at)
    return replace(incident, investigate_at=when)


def worst(first: Severity, second: Severity) -> Severity:
    """The worse of two severities."""
    return min(first, second)
