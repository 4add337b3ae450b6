"""What was changed lately: the first question of every incident."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pydantic import Field

from aiops.model.tool import Unread
from aiops_tools.kubernetes.changes import EDITED, REVISED, Changed, changes
from aiops_tools.kubernetes.kinds import EVENT, kind_named
from aiops_tools.kubernetes.probes.events import iso
from aiops_tools.kubernetes.probes.places import InNamespace, there
from aiops_tools.kubernetes.probes.probe import Answer, Question, View
from aiops_tools.kubernetes.reader import Reader
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.spec import Result

MOST = 40
PARALLEL = 6


class RecentAsked(InNamespace):
    """Arguments of recent_changes."""

    minutes: int = Field(default=60, ge=1, le=10080, description="how far back")


class ChangeRow(Result):
    """One change."""

    at: str
    kind: str
    name: str
    what: str
    by: str


class RecentFound(Result):
    """Answer of recent_changes, the latest first."""

    total: int
    changes: list[ChangeRow]


def recent(view: View, asked: RecentAsked) -> Answer:
    """What was changed in a namespace in the last minutes; never a value."""
    unread: list[Unread] = []
    there(view, asked.namespace)
    objects = read_objects(view.reader, asked.namespace, unread)
    events = view.reader.some(EVENT, unread, asked.namespace)
    since = view.now.timestamp() - 60 * asked.minutes
    found = [one for one in changes(objects, events) if one.at >= since][::-1]
    result = RecentFound(total=len(found), changes=[_row(one) for one in found[:MOST]])
    said = [f"{r.at} {r.kind} {r.name} {r.what}{_by(r)}" for r in result.changes]
    nothing = [f"Nothing was changed in the last {asked.minutes} minutes."]
    return Answer(result, "\n".join(said or nothing), tuple(unread))


def read_objects(
    reader: Reader, namespace: str | None, unread: list[Unread]
) -> dict[str, list[Api]]:
    """Everything that tells of changes, by kind."""
    kinds = (*EDITED, *REVISED)
    with ThreadPoolExecutor(PARALLEL) as pool:
        found = pool.map(lambda kind: reader.some(kind_named(kind), unread, namespace), kinds)
        return dict(zip(kinds, found, strict=True))


def _row(one: Changed) -> ChangeRow:
    return ChangeRow(at=iso(one.at), kind=one.kind, name=one.name, what=one.what, by=one.by)


def _by(row: ChangeRow) -> str:
    return f" by {row.by}" if row.by else ""


QUESTIONS: tuple[Question[Any], ...] = (
    Question(
        "recent_changes",
        "What was changed in a namespace in the last minutes: rollouts, edits, new objects, "
        "scalings, with who did it. Names only, no values.",
        RecentAsked,
        RecentFound,
        recent,
        ("what changed before the incident", "did anybody deploy in the last hour"),
    ),
)
