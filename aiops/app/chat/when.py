"""The time that a question names: "around 3am", "between 18:40 and 18:50", "in the last hour".

A time of day is the latest one that is over, in UTC, which answers say.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from aiops.app.chat.wording import Sentence
from aiops.model.ranking import Window

AROUND: Final = timedelta(minutes=15)
"""Looked at on both sides of a moment."""
BESIDE: Final = timedelta(minutes=30)
"""Looked at after, or before, where a question says only that."""
_DAY: Final = timedelta(days=1)
_UNITS: Final = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_CLOCK: Final = (
    r"(?P<{n}hour>\d{{1,2}})(?:[:.](?P<{n}minute>\d\d)(?::\d\d)?)?(?: ?(?P<{n}half>am|pm|uhr))?"
    r"(?:z| ?utc)?|(?P<{n}word>noon|midnight)"
)
_ON: Final = r"(?: (?:on )?(?P<day>today|yesterday|\d{4}-\d\d-\d\d))?"
_COUNT: Final = r"(?P<count>\d{1,4}|an?|few|couple(?: of)?)?"
_UNIT: Final = r"(?P<unit>m|mins?|minutes?|h|hrs?|hours?|d|days?|w|weeks?)"


def _clock(name: str = "") -> str:
    return f"(?:{_CLOCK.format(n=name)})"


_LAST: Final = re.compile(
    rf"\b(?:(?:in|for|over|during|within|from|of) )?(?:the )?(?:last|past|previous)"
    rf" {_COUNT} ?{_UNIT}\b"
)
_AGO: Final = re.compile(rf"\b{_COUNT} ?{_UNIT} ago\b")
_BETWEEN: Final = re.compile(
    rf"\b(?:between|from) {_clock()} (?:and|to|till|until) {_clock('end')}{_ON}(?!\S)"
)
_AT: Final = re.compile(
    rf"\b(?:(?P<day_before>today|yesterday|\d{{4}}-\d\d-\d\d) )?"
    rf"(?P<how>at|around|about|circa|near|since|after|before|from|by) {_clock()}{_ON}(?!\S)"
)
_PART: Final = re.compile(r"\b(?P<part>last night|tonight|this morning|\d{4}-\d\d-\d\d)(?!\S)")
_YESTERDAY: Final = re.compile(r"\b(?<!with )(?<!than )(?<!since )(?<!as )(?<!to )yesterday\b")
_COMPARES: Final = re.compile(r"\bcompar|\bdifferen|\bthan\b|\bversus\b|\bvs\b")


@dataclass(frozen=True, slots=True)
class When:
    """A stretch of time that was asked about.

    Attributes:
        window: UTC; never later than now.
        said: the words that say it.
        places: of these words.
    """

    window: Window
    said: str
    places: frozenset[int]


def when_of(words: Sentence, now: datetime) -> When | None:
    """The time that a question names; None where it names none, or none that is over.

    Args:
        now: UTC.
    """
    text = " ".join(words.said)
    for pattern, read in _FORMS:
        found = pattern.search(text)
        if found is None or (pattern is _YESTERDAY and _COMPARES.search(text)):
            continue
        try:
            window = read(found, now)
        except OverflowError:  # before the first day of the calendar
            continue
        if window is not None and window[0] < min(window[1], now):
            stretch = Window(window[0], min(window[1], now))
            return When(stretch, found[0], _places(text, *found.span()))
    return None


_Stretch = tuple[datetime, datetime] | None


def _last(found: re.Match[str], now: datetime) -> _Stretch:
    return now - _length(found), now


def _ago(found: re.Match[str], now: datetime) -> _Stretch:
    if found["count"] is None:
        return None
    return _around(now - _length(found))


def _between(found: re.Match[str], now: datetime) -> _Stretch:
    starts, ends = _time_of(found, ""), _time_of(found, "end")
    if starts is None or ends is None:
        return None
    start = _moment(starts, found["day"], now)
    return start, _next(ends, start)


def _at(found: re.Match[str], now: datetime) -> _Stretch:
    clock = _time_of(found, "")
    if clock is None:
        return None
    at = _moment(clock, found["day_before"] or found["day"], now)
    how = found["how"]
    if how in ("since", "from"):
        return at, now
    if how == "after":
        return at, at + BESIDE
    if how in ("before", "by"):
        return at - BESIDE, at
    return _around(at)


def _part(found: re.Match[str], now: datetime) -> _Stretch:
    part, midnight = found["part"], _midnight(now)
    if part == "last night":
        return midnight - timedelta(hours=6), midnight + timedelta(hours=6)
    if part == "tonight":
        return midnight + timedelta(hours=18), midnight + _DAY
    if part == "this morning":
        return midnight + timedelta(hours=6), midnight + timedelta(hours=12)
    day = _day(part, now)
    return None if day is None else (day, day + _DAY)


def _yesterday(found: re.Match[str], now: datetime) -> _Stretch:
    del found
    return _midnight(now) - _DAY, _midnight(now)


_FORMS: Final = (
    (_BETWEEN, _between),
    (_LAST, _last),
    (_AGO, _ago),
    (_AT, _at),
    (_PART, _part),
    (_YESTERDAY, _yesterday),
)


def _length(found: re.Match[str]) -> timedelta:
    said = found["count"] or "1"
    count = int(said) if said.isdecimal() else 1 if said in ("a", "an") else 3
    return timedelta(**{_UNITS[found["unit"][0]]: count})


def _time_of(found: re.Match[str], name: str) -> time | None:
    """A time of day; None for a bare number, which may be anything, or for none that there is."""
    word = found[f"{name}word"]
    if word is not None:
        return time(12 if word == "noon" else 0)
    hour, minute, half = (found[f"{name}{part}"] for part in ("hour", "minute", "half"))
    if minute is None and half is None:
        return None
    hours, minutes = int(hour), int(minute or 0)
    if half in ("am", "pm"):
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if half == "pm" else 0)
    return time(hours, minutes) if hours < 24 and minutes < 60 else None


def _moment(clock: time, day: str | None, now: datetime) -> datetime:
    of_day = None if day is None else _day(day, now)
    if of_day is not None:
        return datetime.combine(of_day.date(), clock, now.tzinfo)
    at = datetime.combine(now.date(), clock, now.tzinfo)
    return at if at <= now else at - _DAY


def _next(clock: time, start: datetime) -> datetime:
    at = datetime.combine(start.date(), clock, start.tzinfo)
    return at if at > start else at + _DAY


def _day(said: str, now: datetime) -> datetime | None:
    if said in ("today", "yesterday"):
        return _midnight(now) - (_DAY if said == "yesterday" else timedelta(0))
    try:
        return datetime.combine(date.fromisoformat(said), time(), now.tzinfo)
    except ValueError:
        return None


def _around(at: datetime) -> tuple[datetime, datetime]:
    return at - AROUND, at + AROUND


def _midnight(now: datetime) -> datetime:
    return datetime.combine(now.date(), time(), now.tzinfo)


def _places(text: str, start: int, end: int) -> frozenset[int]:
    first = text.count(" ", 0, start)
    return frozenset(range(first, first + text.count(" ", start, end) + 1))
