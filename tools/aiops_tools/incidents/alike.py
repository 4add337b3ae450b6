"""Past incidents that resemble one: by services, words of the title, and what the cause was.

Scores are shares of what two incidents have in common (Jaccard, 1901), weighted: the service says
most, a common cause next; titles are worded by alert rules and say least.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import Field

from aiops.errors import ToolFailed
from aiops.model import FaultType
from aiops.model.incident import Incident, IncidentQuery
from aiops.model.report import Report
from aiops.model.tool import Unread
from aiops_tools.incidents.scene import IncidentId, IncidentRow, Scene, row_of
from aiops_tools.names import ServiceName
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Arguments, Result
from aiops_tools.tables import paragraphs, rounded, table

LOOKED_AT: Final = 1000
"""Past incidents, the newest, that are compared."""
CAUSES_READ: Final = 100
"""Of those, whose reports are read: the ones that are nearest without them."""
_SERVICES, _FAULT, _TITLE = 0.5, 0.3, 0.2
_WORD: Final = re.compile(r"[a-z]+|\d+")


class Alike(Arguments):
    """To which incident, or to which services, fault and title."""

    incident: IncidentId | None = None
    services: Annotated[tuple[ServiceName, ...], Field(max_length=20)] = ()
    fault_type: FaultType | None = None
    title: Annotated[str | None, Field(min_length=1, max_length=500)] = None
    limit: Annotated[int, Field(ge=1, le=50)] = 10


class AlikeRow(Result):
    """A past incident; ``likeness`` from 0 to 1, ``judged`` where a person confirmed the cause."""

    likeness: float | None
    incident: IncidentRow
    fault_type: str | None
    judged: bool


class AlikeFound(Result):
    """The most alike first; ``compared`` incidents were looked at."""

    compared: int
    incidents: list[AlikeRow]


@dataclass(frozen=True, slots=True)
class _Features:
    services: frozenset[str]
    fault: str | None
    words: frozenset[str]


def alike(scene: Scene, asked: Alike) -> Answer:
    """The past incidents that have most in common with what is asked."""
    wanted = _wanted(scene, asked)
    query = IncidentQuery(limit=LOOKED_AT)
    past = [
        one
        for one in scene.incidents.find(query)
        if one.id != asked.incident and one.merged_into is None
    ]
    near = sorted(past, key=lambda one: -_likeness(wanted, _features(one, None)))[:CAUSES_READ]
    rows = sorted(
        (_row(wanted, one, scene.report_of(one)) for one in near),
        key=lambda row: (-(row.likeness or 0.0), row.incident.id),
    )
    shown = [row for row in rows if row.likeness][: asked.limit]
    result = AlikeFound(compared=len(past), incidents=shown)
    summary = paragraphs(
        f"{len(shown)} of {len(past)} past incidents have something in common with it",
        table(
            ("likeness", "id", "services", "title", "cause", "judged"),
            (
                (
                    r.likeness,
                    r.incident.id,
                    ", ".join(r.incident.services),
                    r.incident.title,
                    r.incident.cause,
                    "by a person" if r.judged else "",
                )
                for r in shown
            ),
        ),
    )
    unread: tuple[Unread, ...] = ()
    if len(past) >= LOOKED_AT - 1:
        unread = (Unread("older incidents", f"the newest {LOOKED_AT} were compared"),)
    return Answer(result, summary, unread, tuple(r.incident.id for r in shown))


def _row(wanted: _Features, incident: Incident, report: Report | None) -> AlikeRow:
    features = _features(incident, report)
    return AlikeRow(
        likeness=rounded(_likeness(wanted, features)),
        incident=row_of(incident, report),
        fault_type=features.fault,
        judged=incident.verdict is not None,
    )


def _wanted(scene: Scene, asked: Alike) -> _Features:
    if asked.incident is not None:
        incident = scene.incidents.get(asked.incident)
        return _features(incident, scene.report_of(incident))
    if not asked.services and asked.title is None and asked.fault_type is None:
        raise ToolFailed("invalid", "give an 'incident', or 'services', 'fault_type' or 'title'")
    fault = None if asked.fault_type is None else asked.fault_type.value
    return _Features(frozenset(asked.services), fault, _words(asked.title or ""))


def _features(incident: Incident, report: Report | None) -> _Features:
    services, fault = set(incident.services), None
    if report is not None and report.verdict == "root_cause" and report.root_causes:
        first = report.root_causes[0]
        services.add(first.entity.service_name)
        fault = first.fault_type.value
    return _Features(frozenset(services), fault, _words(incident.title))


def _likeness(wanted: _Features, found: _Features) -> float:
    """From 0 to 1, over what is known of ``wanted``."""
    parts = (
        (_SERVICES, bool(wanted.services), _shared(wanted.services, found.services)),
        (_FAULT, wanted.fault is not None, float(wanted.fault == found.fault)),
        (_TITLE, bool(wanted.words), _shared(wanted.words, found.words)),
    )
    whole = sum(weight for weight, known, _ in parts if known)
    return sum(weight * share for weight, known, share in parts if known) / whole if whole else 0.0


def _shared(one: Collection[str], other: Collection[str]) -> float:
    together = {*one, *other}
    return len({*one} & {*other}) / len(together) if together else 0.0


def _words(title: str) -> frozenset[str]:
    return frozenset(word for word in _WORD.findall(title.casefold()) if len(word) > 2)


ALIKE = Question(
    "similar",
    "Past incidents that resemble one, or given services, fault and title, and what caused them.",
    Alike,
    AlikeFound,
    alike,
    ("Have we seen this before?", "What was it the last time billing ran out of memory?"),
)
