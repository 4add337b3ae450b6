"""Alerts that go on and off: counted, and damped until they are quiet."""

from datetime import datetime, timedelta

from aiops.app.incidents.grouping import Grouping
from aiops.model.alert import TURNS_KEPT, AlertState


def turned(state: AlertState, at: datetime) -> tuple[datetime, ...]:
    """The changes of status of an alert, with one more at ``at``; bounded."""
    return (*state.turns, at)[-TURNS_KEPT:]


def flaps(state: AlertState, at: datetime, rules: Grouping) -> bool:
    """Whether its status changed as often within the window before ``at`` as is flapping."""
    since = quiet_since(at, rules)
    return sum(turn >= since for turn in state.turns) >= rules.flapping_turns


def quiet_since(at: datetime, rules: Grouping) -> datetime:
    """An incident without a change since then has stopped flapping by ``at``."""
    return at - timedelta(seconds=rules.flapping_window_s)
