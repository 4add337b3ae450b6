"""When somebody would have been woken: a symptom rule on the service that users call. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lab.recording.shaping import ENTRY_ERRORS, ENTRY_RATE, ENTRY_SLOW

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

ERROR_RATIO = 0.05
SLOWER, SLOWER_S = 2.0, 0.1
FOR_ROWS = 3
Row = tuple[float, "Mapping[str, float]"]


@dataclass(frozen=True, slots=True)
class Alert:
    """What fired.

    Attributes:
        at: unix seconds.
        metric: of the entry service; "" where no rule fired.
        statement: the symptom in words.
    """

    at: float
    metric: str
    statement: str


def alert(rows: Sequence[Row], entry: str, broken_at: float, mended_at: float) -> Alert:
    """The first alert on the entry service between two times.

    A rule fires when it held in FOR_ROWS rows in a row: more than ERROR_RATIO of requests failed;
    or the p99 latency is more than SLOWER times the highest, and SLOWER_S above it, of the rows
    before ``broken_at``. The first is the fast burn of the Google SRE workbook (chapter 5,
    "Alerting on SLOs") shrunk to a case of a minute: an objective of 99 % burnt five times too
    fast. Where no rule fires users notice nothing: then somebody looks half-way through, in a
    healthy case as in a broken one, so that the time of the alert gives neither away.
    """
    slow = f"{entry}_{ENTRY_SLOW}"
    usual = max((row[slow] for at, row in rows if at < broken_at and slow in row), default=math.inf)
    held: dict[str, int] = {}
    for at, row in rows:
        if not broken_at <= at <= mended_at:
            continue
        now = dict(_broken(row, entry, usual))
        held = {metric: held.get(metric, 0) + 1 for metric in now}
        for metric, times in held.items():
            if times >= FOR_ROWS:
                return Alert(at, metric, now[metric])
    middle = round((broken_at + mended_at) / 2, 3)
    return Alert(middle, "", f"{entry} is looked at; none of its objectives is missed")


def _broken(row: Mapping[str, float], entry: str, usual: float) -> Iterator[tuple[str, str]]:
    """(metric, statement) of each rule that holds in a row."""
    errors, rate = row.get(f"{entry}_{ENTRY_ERRORS}", 0.0), row.get(f"{entry}_{ENTRY_RATE}", 0.0)
    if rate > 0 and errors / rate > ERROR_RATIO:
        yield ENTRY_ERRORS, f"{entry}: {errors / rate:.0%} of requests fail"
    slow = row.get(f"{entry}_{ENTRY_SLOW}", 0.0)
    if slow > max(SLOWER * usual, usual + SLOWER_S):
        yield ENTRY_SLOW, f"{entry}: p99 latency is {slow:.2g} s, at most {usual:.2g} s before"
