"""Windows of time as arguments: ISO 8601 with a time zone, or relative to now."""

import re
from datetime import datetime, timedelta
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from aiops.errors import ToolFailed
from aiops.model import Window
from aiops_tools.spec import Arguments, Result

LONGEST: Final = timedelta(days=1)
"""Longer windows answer no question about an incident, and cost what all of its reads cost."""
_RELATIVE: Final = re.compile(r"-(\d{1,6})([smhd])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Moment = Annotated[
    str,
    StringConstraints(
        pattern=(
            r"^(now|-\d{1,6}[smhd]"
            r"|\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2}))$"
        )
    ),
    Field(
        description='ISO 8601 with a time zone ("2026-11-20T12:00:00Z"), or before now ("-30m")',
        json_schema_extra={"format": "moment"},
    ),
]


class InWindow(Arguments):
    """What every question about a stretch of time takes."""

    start: Moment = "-30m"
    end: Moment = "now"

    def window(self, now: datetime) -> Window:
        """The stretch that is meant; raises ToolFailed."""
        return between(self.start, self.end, now)


class Stretch(Result):
    """A window of time, UTC; its end is not part of it."""

    start: datetime
    end: datetime


def stretch(window: Window) -> Stretch:
    """``window`` as part of a result."""
    return Stretch(start=window.start, end=window.end)


def between(start: str, end: str, now: datetime) -> Window:
    """The window from one moment to another.

    Raises:
        ToolFailed: "invalid": a moment that cannot be read, an end that is not after the start, or
            a window longer than LONGEST.
    """
    window = Window(moment(start, now), moment(end, now))
    if window.end <= window.start:
        raise ToolFailed("invalid", f"the window from {start} to {end} ends before it begins")
    if window.end - window.start > LONGEST:
        raise ToolFailed(
            "invalid", f"the window from {start} to {end} is longer than a day; ask for less"
        )
    return window


def moment(text: str, now: datetime) -> datetime:
    """The time that ``text`` says, in the zone of ``now``; raises ToolFailed, "invalid"."""
    relative = _RELATIVE.fullmatch(text)
    try:
        if relative is not None:
            return now - timedelta(**{_UNITS[relative[2]]: int(relative[1])})
        found = now if text == "now" else datetime.fromisoformat(text)
        if found.tzinfo is not None:
            return found.astimezone(now.tzinfo)
    except (ValueError, OverflowError) as error:
        raise ToolFailed("invalid", f"{text!r} is no time: {error}") from error
    raise ToolFailed("invalid", f"{text!r} has no time zone; add one, such as Z")


def told(window: Window) -> str:
    """ "2026-11-20 12:00:00 to 12:30:00 UTC"."""
    same_day = window.start.date() == window.end.date()
    end = f"{window.end:%H:%M:%S}" if same_day else f"{window.end:%Y-%m-%d %H:%M:%S}"
    return f"{window.start:%Y-%m-%d %H:%M:%S} to {end} {window.end:%Z}"
