"""How incidents and their timelines are worded. Alerts come from outside: bounded, on one line."""

from datetime import datetime

from aiops.analyze.wording import plain
from aiops.model.alert import Alert, AlertKey

LONGEST_TITLE = 200


def short(text: str, most: int = LONGEST_TITLE) -> str:
    """``text`` on one line, at most ``most`` characters."""
    line = " ".join(plain(text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def title_of(alert: Alert) -> str:
    """What an incident that this alert opens is called."""
    return short(alert.summary or subject_of(alert)) or "Alert without a name"


def subject_of(alert: Alert) -> str:
    """ "TooSlow on billing"."""
    if alert.entity is None:
        return short(alert.name)
    return short(f"{alert.name} on {alert.entity.service_name}")


def fires(alert: Alert) -> str:
    """ "TooSlow on billing fires since 2026-11-20 12:00:03 UTC (SEV2)"."""
    return f"{subject_of(alert)} fires since {moment(alert.starts_at)} ({alert.severity})"


def ended(alert: Alert) -> str:
    """ "TooSlow on billing ended at 2026-11-20 12:10:00 UTC"."""
    when = f" at {moment(alert.ends_at)}" if alert.ends_at is not None else ""
    return f"{subject_of(alert)} ended{when}"


def moment(at: datetime) -> str:
    """ "2026-11-20 12:00:03 UTC"."""
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"


def ref_of(key: AlertKey) -> str:
    """How a timeline entry refers to an alert."""
    return f"{key.source}/{key.fingerprint}"
