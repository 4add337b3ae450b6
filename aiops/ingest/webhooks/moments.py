"""Times as senders write them, and what holds where they are absurd."""

import re
from datetime import UTC, datetime, timedelta

from aiops.model.alert import AlertStatus

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
"""Times before are placeholders: year 1 is "never" in Go, 1970 an unset counter."""

_MOST_CHARACTERS = 64
_NUMBER = re.compile(r"-?\d{1,30}(\.\d{1,30})?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BEFORE_ALL = datetime.min.replace(tzinfo=UTC)
_AFTER_ALL = datetime.max.replace(tzinfo=UTC)
# Magnitudes below which a number counts seconds, milli-, micro- or nanoseconds: those of the year
# 5138 in each unit, which start above all magnitudes of this century in the unit before.
_UNITS = ((1e11, 1.0), (1e14, 1e3), (1e17, 1e6), (float("inf"), 1e9))


def moment(value: object) -> datetime:
    """A time as a datetime in UTC.

    Args:
        value: RFC 3339 with or without a zone (then UTC) and fraction, or a number (also as text)
            of seconds, milli-, micro- or nanoseconds since 1970.

    Raises:
        ValueError: it is neither; the text says so in one clause.
    """
    if isinstance(value, str):
        said = value.strip()[:_MOST_CHARACTERS]
        if not _NUMBER.fullmatch(said):
            return _written(said)
        return _counted(float(said))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _counted(float(value))
    raise ValueError("neither text nor a number where a time is expected")


def settled(
    status: AlertStatus,
    starts: datetime | None,
    ends: datetime | None,
    received: datetime,
    notes: list[str],
) -> tuple[datetime, datetime | None]:
    """When an alert started and ended, with times that cannot be replaced by that of receipt.

    Args:
        notes: gets a sentence for every replacement.
    """
    start = _credible("start", starts, received, notes)
    if status == "firing":
        return start, None
    end = received if ends is None else _credible("end", ends, received, notes)
    if end < start:
        notes.append(f"ended at {end.isoformat()}, before it started at {start.isoformat()}")
        start = end
    return start, end


def _written(said: str) -> datetime:
    try:
        read = datetime.fromisoformat(said.removesuffix(" UTC"))
    except ValueError as error:
        raise ValueError(f"{said!r} is no time; send RFC 3339 or seconds since 1970") from error
    if read.tzinfo is None:
        return read.replace(tzinfo=UTC)
    try:
        return read.astimezone(UTC)
    except OverflowError:  # a zone that reaches over the first or last day of the calendar
        return _BEFORE_ALL if read.year == 1 else _AFTER_ALL


def _counted(number: float) -> datetime:
    per_second = next(
        unit for below, unit in _UNITS if abs(number) < below or below == _UNITS[-1][0]
    )
    try:
        return _EPOCH + timedelta(seconds=number / per_second)
    except OverflowError:
        return _BEFORE_ALL if number < 0 else _AFTER_ALL


def _credible(what: str, at: datetime | None, received: datetime, notes: list[str]) -> datetime:
    if at is None:
        notes.append(f"no time of {what}: that of receipt stands in")
        return received
    if at > received:
        notes.append(f"{what} {at.isoformat()} is after receipt: that of receipt stands in")
        return received
    if at < EARLIEST:
        notes.append(f"{what} {at.isoformat()} is no real time: that of receipt stands in")
        return received
    return at
