"""Deliveries that come late: what they say is over already."""

from datetime import datetime
from typing import Final

from aiops.model.alert import Alert, AlertState

LATE_S: Final = 300.0
"""Senders repeat a delivery for minutes. Beyond, an alert whose start says it is an old one is
heard all the same: a source may keep the start over a restart, and a lost alert is worse."""

_FIRST_YEAR: Final = 2000
"""Times before it say that the source knew none ("0001-01-01")."""


def late(alert: Alert, known: AlertState, at: datetime) -> bool:
    """Whether a change of status is older than what is known, and so none.

    The end of an earlier firing does not end this one; a beginning that was over when the end
    came does not begin again.

    Args:
        alert: as delivered now.
        known: what was known before.
        at: when it was received.
    """
    turned_at = known.turns[-1] if known.turns else known.first_at
    if alert.status == known.alert.status:
        return False
    if alert.status == "resolved":
        ended = _known(alert.ends_at)
        if ended is None or ended < alert.starts_at:
            ended = _known(alert.starts_at)
        # A start in the future would outlive every end: it began when it was heard of.
        return ended is not None and ended < min(known.alert.starts_at, turned_at)
    began, over = _known(alert.starts_at), _known(known.alert.ends_at)
    if began is None or (at - turned_at).total_seconds() > LATE_S:
        return False
    return began < over if over is not None else began <= known.alert.starts_at


def _known(moment: datetime | None) -> datetime | None:
    return moment if moment is not None and moment.year >= _FIRST_YEAR else None
