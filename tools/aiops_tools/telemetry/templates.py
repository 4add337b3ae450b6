"""Log lines counted by the statement that wrote them: what is new, what surges, what stopped."""

from typing import Annotated, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from aiops.analyze.logs.counts import Tally, movements
from aiops.analyze.logs.lines import Lines, lines_of
from aiops.analyze.logs.statements import level_of
from aiops.analyze.logs.templates import Miner
from aiops.analyze.wording import plain
from aiops.model import LogTable, Window
from aiops.model.telemetry import IntArray
from aiops.model.tool import Unread
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Result
from aiops_tools.tables import paragraphs, rounded, table
from aiops_tools.telemetry.gathering import Readers, gather
from aiops_tools.telemetry.known import without_rows
from aiops_tools.telemetry.told import Services, Told, heading
from aiops_tools.windows import InWindow, Stretch, stretch

LONGEST_TEMPLATE = 200


class LogStatements(InWindow):
    """Whose lines; they are compared with as long a stretch right before the window."""

    services: Services = ()
    only: Annotated[
        Literal["all", "changed"],
        Field(description='"changed": those that are new, surge or vanished'),
    ] = "all"
    limit: Annotated[int, Field(ge=1, le=100, description="statements answered")] = 30


class TemplateRow(Result):
    """One statement of one service; ``<*>`` stands for what varies.

    ``lines`` of the window, ``before`` of the stretch before it; ``trend`` where the difference is
    no accident.
    """

    service: str
    template: str
    example: str
    level: str
    lines: int
    before: int
    trend: Literal["new", "surging", "vanished"] | None
    per_minute: float | None


class TemplatesFound(Told):
    """Statements: those that changed first, then the most frequent."""

    baseline: Stretch
    lines: int
    templates: list[TemplateRow]


def templates(readers: Readers, asked: LogStatements) -> Answer:
    """The statements behind the lines of a window, beside those of the stretch before it."""
    window = asked.window(readers.now())
    length = window.end - window.start
    baseline = Window(window.start - length, window.start)
    services = asked.services or None
    now, before = (gather(readers, "logs", services, each) for each in (window, baseline))
    unread = without_rows(readers, asked.services, now, "logs", window)
    rows = _rows(now.found.logs, before.found.logs, length.total_seconds() / 60)
    if asked.only == "changed":
        rows = [row for row in rows if row.trend is not None]
    shown = rows[: asked.limit]
    lines = 0 if now.found.logs is None else len(now.found.logs.times)
    result = TemplatesFound(
        window=stretch(window),
        sources=list(now.sources),
        total=len(rows),
        left_out=len(rows) - len(shown),
        baseline=stretch(baseline),
        lines=lines,
        templates=shown,
    )
    summary = paragraphs(
        heading(f"statements behind {lines} log lines", now, window, len(rows), len(shown)),
        table(
            ("service", "level", "trend", "lines", "before", "template"),
            ((r.service, r.level, r.trend, r.lines, r.before, r.template) for r in shown),
        ),
    )
    if not before.sources or before.found.logs is None:
        quiet = Unread("the stretch before", "no line of it is there, so every statement is new")
        unread = (*unread, quiet)
    missing = dict.fromkeys((*now.unread, *before.unread, *unread))
    return Answer(result, summary, tuple(missing))


def _rows(now: LogTable | None, before: LogTable | None, minutes: float) -> list[TemplateRow]:
    """One a service and statement that has a line."""
    tables = [lines_of(one) for one in (before, now) if one is not None and len(one.times)]
    if not tables:
        return []
    miner = Miner()
    services = tuple(sorted({name for lines in tables for name in lines.services}))
    coded = [(lines, miner.add(list(lines.texts))) for lines in tables]
    shape = len(services), len(miner.templates)
    earlier, later = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    if before is not None and len(before.times):
        earlier = _counts(*coded[0], services, shape)
    if now is not None and len(now.times):
        later = _counts(*coded[-1], services, shape)
    unknown = np.full(len(services), np.nan)
    reference = [Tally(earlier, minutes, unknown)] if earlier.any() else []
    moved = {
        (one.service, one.statement): one.trend
        for one in movements(Tally(later, minutes, unknown), reference)
    }
    rows = [
        TemplateRow(
            service=services[service],
            template=plain(miner.templates[statement].text())[:LONGEST_TEMPLATE],
            example=plain(miner.templates[statement].example)[:LONGEST_TEMPLATE],
            level=level_of(miner.templates[statement].example),
            lines=int(later[service, statement]),
            before=int(earlier[service, statement]),
            trend=moved.get((service, statement)),
            per_minute=rounded(later[service, statement] / minutes),
        )
        for service, statement in np.argwhere(later + earlier).tolist()
    ]
    return sorted(
        rows, key=lambda row: (row.trend is None, -abs(row.lines - row.before), -row.lines)
    )


def _counts(
    lines: Lines, statements: IntArray, services: tuple[str, ...], shape: tuple[int, int]
) -> npt.NDArray[np.int64]:
    place = np.array([services.index(name) for name in lines.services], dtype=np.intp)
    counts = np.zeros(shape, np.int64)
    np.add.at(counts, (place[lines.service_of], statements), 1)
    return counts


TEMPLATES = Question(
    "log_templates",
    "Statements behind the log lines of a window with their counts, and which of them are new, "
    "surge or vanished against the stretch before it.",
    LogStatements,
    TemplatesFound,
    templates,
    ("What do the logs say that they did not say before?", "Which messages are most frequent?"),
)
