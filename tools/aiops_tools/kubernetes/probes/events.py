"""What components of the cluster said, repeated words told once."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import Field

from aiops.analyze.state.api import Api, number, part, text
from aiops.analyze.state.parse_objects import parse_stamp
from aiops_tools.kubernetes.kinds import EVENT
from aiops_tools.kubernetes.probes.places import InNamespace, ObjectName, there
from aiops_tools.kubernetes.probes.probe import Answer, Question, View
from aiops_tools.spec import Result

MESSAGE = 300
_GENERATED = re.compile(r"-[a-z0-9]{6,10}-[a-z0-9]{5}$|-[a-z0-9]{5}$|-[0-9]+$")
"""Ends of the names that controllers give to pods."""


class EventGroup(Result):
    """The same said again and again.

    Attributes:
        about: kind and name; the name's generated end is a star where several are meant.
        objects: about how many objects it was said.
        count: how often in all.
        first, last: UTC, as ISO 8601; "" where unknown.
    """

    about: str
    reason: str
    message: str
    warning: bool
    objects: int
    count: int
    first: str
    last: str


@dataclass(slots=True)
class _Said:
    names: set[str]
    message: str
    count: int = 0
    first: float | None = None
    last: float | None = None


def grouped(events: Iterable[Api], *, most: int, since: float | None = None) -> list[EventGroup]:
    """Events by object, reason and message, warnings first, then the latest; at most ``most``."""
    found: dict[tuple[str, str, str, str, bool], _Said] = {}
    for one in events:
        first, last = times(one)
        if since is not None and (last is None or last < since):
            continue
        about = part(one, "involvedObject") or part(one, "regarding")
        name, message = text(about, "name"), text(one, "message") or text(one, "note")
        key = (
            text(about, "kind"),
            _GENERATED.sub("", name),
            text(one, "reason"),
            _pattern(message, name),
            text(one, "type") != "Normal",
        )
        said = found.setdefault(key, _Said(set(), message))
        said.names.add(name)
        said.count += number(one, "count") or number(one, "series", "count") or 1
        said.first = min(filter(None, (said.first, first)), default=None)
        said.last = max(filter(None, (said.last, last)), default=None)
    order = sorted(found.items(), key=lambda item: (not item[0][4], -(item[1].last or 0), item[0]))
    return [_group(key, said) for key, said in order[:most]]


def times(event: Api) -> tuple[float | None, float | None]:
    """When it was said first and last, unix seconds."""
    last = (
        text(event, "lastTimestamp")
        or text(event, "series", "lastObservedTime")
        or text(event, "eventTime")
        or text(event, "metadata", "creationTimestamp")
    )
    first = text(event, "firstTimestamp") or text(event, "eventTime") or last
    return parse_stamp(first), parse_stamp(last)


def lines(groups: Iterable[EventGroup]) -> list[str]:
    """Groups in words."""
    return [
        f"{group.last or 'unknown time'} {group.about}: {group.reason} x{group.count}: "
        f"{group.message}"
        for group in groups
    ]


def iso(moment: float | None) -> str:
    """Unix seconds as ISO 8601 UTC; "" for None."""
    return "" if moment is None else datetime.fromtimestamp(moment, UTC).isoformat("T", "seconds")


def _pattern(message: str, name: str) -> str:
    plain = message.replace(name, "*") if name else message
    return re.sub(r"[0-9a-f]{8,}|\d+", "#", plain)


def _group(key: tuple[str, str, str, str, bool], said: _Said) -> EventGroup:
    kind, stem, reason, _, warning = key
    name = next(iter(said.names)) if len(said.names) == 1 else f"{stem}-*"
    return EventGroup(
        about=f"{kind}/{name}",
        reason=reason,
        message=" ".join(said.message.split())[:MESSAGE],
        warning=warning,
        objects=len(said.names),
        count=said.count,
        first=iso(said.first),
        last=iso(said.last),
    )


class EventsAsked(InNamespace):
    """Arguments of events."""

    minutes: int = Field(default=60, ge=1, le=1440, description="how far back")
    name: ObjectName | None = Field(default=None, description="about this object only")
    type: Literal["all", "warnings"] = "all"


class EventsFound(Result):
    """Answer of events."""

    read: int
    groups: list[EventGroup]
    left_out: int


def events(view: View, asked: EventsAsked) -> Answer:
    """What was said in a namespace lately."""
    about = f"involvedObject.name={asked.name}" if asked.name else ""
    found = view.reader.every(EVENT, asked.namespace, fields=about)
    if not found:
        there(view, asked.namespace)
    wanted = [one for one in found if asked.type == "all" or text(one, "type") != "Normal"]
    since = view.now.timestamp() - 60 * asked.minutes
    groups = grouped(wanted, most=len(wanted), since=since)
    result = EventsFound(read=len(found), groups=groups[:40], left_out=max(0, len(groups) - 40))
    said = lines(result.groups[:20]) or [f"Nothing was said in the last {asked.minutes} minutes."]
    return Answer(result, "\n".join(said))


QUESTIONS: tuple[Question[Any], ...] = (
    Question(
        "events",
        "Events of a namespace or one object, the same ones grouped with count, first and last.",
        EventsAsked,
        EventsFound,
        events,
        ("what happened in this namespace lately", "any warnings about this pod"),
    ),
)
