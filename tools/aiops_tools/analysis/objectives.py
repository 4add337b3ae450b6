"""How service level objectives stand."""

from datetime import datetime

from aiops.app.slo_standing import Standing, Standings
from aiops.model.tool import Unread
from aiops_tools.names import ServiceName
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Arguments, Result
from aiops_tools.tables import paragraphs, rounded, table


class Objectives(Arguments):
    """Whose objectives; none given: all."""

    service: ServiceName | None = None


class BurnRow(Result):
    """How many times faster than allowed the budget was used in the last ``window_s`` seconds."""

    window_s: float
    rate: float | None


class ObjectiveRow(Result):
    """One objective; ``budget_left`` is a share, below 0 where more than all of it is used."""

    name: str
    service: str
    kind: str
    objective: float
    period_s: float
    budget_left: float | None
    burns: list[BurnRow]
    measured_s: float
    source: str | None
    at: datetime | None
    unknown: str | None


class ObjectivesFound(Result):
    """In the order of their file."""

    objectives: list[ObjectiveRow]


def stand(standings: Standings, asked: Objectives) -> Answer:
    """How the objectives of a service, or all, stand now."""
    every = standings()
    found = [one for one in every if asked.service in (None, one.slo.service)]
    rows = [_row(one) for one in found]
    unread = [Unread(f"objective {one.name}", one.unknown) for one in rows if one.unknown]
    if not rows:
        whose = "" if asked.service is None else f" of {asked.service}"
        have = sorted({one.slo.service for one in every})
        reason = f"only {', '.join(have)} have any" if have else "no file of them is set ('slos')"
        unread.append(Unread(f"objectives{whose}", reason))
    summary = paragraphs(
        f"{len(rows)} of {len(every)} objectives",
        table(
            ("objective", "service", "good", "budget left", "fastest burn", "from"),
            ((r.name, r.service, r.objective, r.budget_left, _fastest(r), r.source) for r in rows),
        ),
    )
    return Answer(ObjectivesFound(objectives=rows), summary, tuple(unread))


def _row(standing: Standing) -> ObjectiveRow:
    left = standing.budget_left
    return ObjectiveRow(
        name=standing.slo.name,
        service=standing.slo.service,
        kind=standing.slo.kind,
        objective=standing.slo.objective,
        period_s=standing.slo.period_s,
        budget_left=None if left is None else rounded(left),
        burns=[
            BurnRow(window_s=one.window_s, rate=None if one.rate is None else rounded(one.rate))
            for one in standing.burns
        ],
        measured_s=standing.measured_s,
        source=standing.source,
        at=standing.at,
        unknown=standing.unknown,
    )


def _fastest(row: ObjectiveRow) -> float | None:
    return max((one.rate for one in row.burns if one.rate is not None), default=None)


STAND = Question(
    "slo_state",
    "How service level objectives stand: burn rates by window, and how much error budget is left.",
    Objectives,
    ObjectivesFound,
    stand,
    ("Is any error budget burning?", "How much budget does checkout have left?"),
)
