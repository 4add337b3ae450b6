"""Log lines: searched by text and pattern, or counted by the statement that wrote them."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field

from aiops.analyze.logs.statements import level_of
from aiops.analyze.wording import plain
from aiops.errors import ToolFailed
from aiops.model import LogTable
from aiops.model.rows import LogLine, log_lines
from aiops.model.tool import Unread
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Result
from aiops_tools.tables import paragraphs, table
from aiops_tools.telemetry.gathering import Gathered, Readers, gather
from aiops_tools.telemetry.known import without_rows
from aiops_tools.telemetry.told import Services, Told, heading
from aiops_tools.windows import InWindow, stretch

LONGEST_LINE: Final = 500
Level = Literal["error", "warn"]
_GRAVITY: Final = {"info": 0, "warn": 1, "error": 2}


class LogSearch(InWindow):
    """Which lines; conditions that are given all hold."""

    services: Services = ()
    text: Annotated[
        str | None, Field(min_length=1, max_length=500, description="in it, whatever its case")
    ] = None
    pattern: Annotated[
        str | None,
        Field(min_length=1, max_length=500, description="regular expression (RE2), in the line"),
    ] = None
    level: Annotated[Level | None, Field(description="this grave or graver")] = None
    limit: Annotated[int, Field(ge=1, le=200, description="lines answered, the newest")] = 50


class Line(Result):
    """One line, or several equal ones of a service that follow each other."""

    at: datetime | None
    service: str
    instance: str | None
    level: str
    text: str
    times: int
    trace_id: str | None


class LinesFound(Told):
    """Lines in order of time; the newest that fit."""

    lines: list[Line]


def search(readers: Readers, asked: LogSearch) -> Answer:
    """The lines that meet every condition."""
    window = asked.window(readers.now())
    gathered = gather(readers, "logs", asked.services or None, window)
    unread = without_rows(readers, asked.services, gathered, "logs", window)
    found = matching(gathered, asked.text, asked.pattern)
    if asked.level is not None:
        least = _GRAVITY[asked.level]
        grave = [_GRAVITY[level_of(str(text))] >= least for text in found.messages]
        found = found.rows(np.array(grave, dtype=np.bool_))
    total = len(found.times)
    newest = found.rows(slice(max(0, total - asked.limit), total))
    lines = _folded(log_lines(newest))
    shown = len(newest.times)
    result = LinesFound(
        window=stretch(window),
        sources=list(gathered.sources),
        total=total,
        left_out=total - shown,
        lines=lines,
    )
    summary = paragraphs(
        heading("log lines", gathered, window, total, shown),
        table(
            ("at", "service", "level", "times", "text"),
            (
                ("" if r.at is None else f"{r.at:%H:%M:%S}", r.service, r.level, r.times, r.text)
                for r in lines
            ),
        ),
    )
    return Answer(result, summary, (*gathered.unread, *unread, *_cut(lines)))


def matching(gathered: Gathered, text: str | None, pattern: str | None) -> LogTable:
    """The gathered lines that hold ``text`` and match ``pattern``.

    By RE2, whose time is linear in the text whatever the pattern (Cox, "Regular Expression
    Matching Can Be Simple And Fast", 2007).

    Raises:
        ToolFailed: "invalid": no pattern that RE2 takes.
    """
    found = gathered.found.logs
    if found is None:
        return _none()
    if not len(found.times) or (text is None and pattern is None):
        return found
    import pyarrow as pa
    import pyarrow.compute as pc

    lines = [str(message).encode("utf-8", "replace").decode() for message in found.messages]
    column = pa.array(lines, type=pa.large_string())
    kept: npt.NDArray[np.bool_] = np.ones(len(lines), dtype=np.bool_)
    if text is not None:
        hits = pc.match_substring(column, text, ignore_case=True)
        kept &= hits.to_numpy(zero_copy_only=False)
    if pattern is not None:
        try:
            hits = pc.match_substring_regex(column, pattern)
        except pa.ArrowInvalid as error:
            reason = str(error).partition("\n")[0]
            raise ToolFailed("invalid", f"pattern {pattern!r} is not taken: {reason}") from error
        kept &= hits.to_numpy(zero_copy_only=False)
    return found.rows(kept)


def _none() -> LogTable:
    nothing = np.zeros(0, dtype=np.object_)
    return LogTable(np.zeros(0), (), np.zeros(0, dtype=np.int32), nothing)


def _folded(lines: Iterable[LogLine]) -> list[Line]:
    found: list[Line] = []
    for one in lines:
        text = plain(one.message)
        text = text if len(text) <= LONGEST_LINE else text[: LONGEST_LINE - 1] + "…"
        last = found[-1] if found else None
        if last is not None and (last.service, last.text) == (one.service, text):
            found[-1] = last.model_copy(update={"times": last.times + 1})
            continue
        found.append(
            Line(
                at=None if one.time is None else datetime.fromtimestamp(one.time, UTC),
                service=one.service,
                instance=one.instance or None,
                level=level_of(one.message),
                text=text,
                times=1,
                trace_id=one.trace_id or None,
            )
        )
    return found


def _cut(lines: list[Line]) -> tuple[Unread, ...]:
    cut = sum(line.text.endswith("…") and len(line.text) == LONGEST_LINE for line in lines)
    undated = sum(line.at is None for line in lines)
    told = []
    if cut:
        reason = f"they are longer than {LONGEST_LINE} characters"
        told.append(Unread(f"the ends of {cut} lines", reason))
    if undated:
        told.append(Unread(f"the times of {undated} lines", "nothing says when they were written"))
    return tuple(told)


SEARCH = Question(
    "logs",
    "Log lines that hold a text, match a pattern, or are of a level, of some services or of all.",
    LogSearch,
    LinesFound,
    search,
    ("Are there errors in the billing logs?", "Which lines mention a refused connection?"),
)
