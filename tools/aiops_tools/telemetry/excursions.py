"""Stretches in which metrics were not as usual."""

from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated, Final, Literal

import numpy as np
from pydantic import Field

from aiops.analyze.before_after import FEWEST_BEFORE, MOVED, divide
from aiops.analyze.metric_kinds import MetricKind, reading_of
from aiops.analyze.units import trusted_units
from aiops.model import CaseData, MetricTable, TelemetryWindow, Window
from aiops.model.telemetry import FloatArray
from aiops.model.tool import Unread
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Result
from aiops_tools.tables import paragraphs, rounded, table
from aiops_tools.telemetry.columns import Kinds, Limit, chosen, series_of
from aiops_tools.telemetry.gathering import Readers, gather
from aiops_tools.telemetry.known import without_rows
from aiops_tools.telemetry.told import Services, Told, heading
from aiops_tools.windows import InWindow, Moment, Stretch, between, stretch

SUSTAINED: Final = 3
"""Samples in a row outside the usual band: one alone is chance."""
LATE_S: Final = 180.0
"""A source may be so far behind; beyond that, that nothing comes is news."""


class Watched(InWindow):
    """Whose metrics, and how much before the window tells what is usual."""

    services: Services = ()
    baseline_minutes: Annotated[
        int, Field(ge=5, le=720, description="right before the window, taken for usual")
    ] = 30
    start: Moment = "-15m"
    kinds: Kinds = ()
    limit: Limit = 30


class Excursion(Result):
    """A stretch in which a series was outside its usual band; the band is what came before."""

    service: str
    entity: str
    metric: str
    kind: MetricKind
    unit: str | None
    direction: Literal["above", "below"]
    since: datetime
    until: datetime
    usual: float | None
    farthest: float | None
    deviations: float
    ref: str


class Anomalies(Told):
    """Stretches, the farthest from usual first; ``watched`` series were looked at."""

    watched: int
    baseline: Stretch
    anomalies: list[Excursion]


def anomalies(readers: Readers, asked: Watched) -> Answer:
    """Where series left their usual band for SUSTAINED samples in a row or more."""
    window = asked.window(readers.now())
    baseline = between(f"-{asked.baseline_minutes}m", "now", window.start)
    whole = Window(baseline.start, window.end)
    services = asked.services or None
    gathered = gather(readers, "metrics", services, whole)
    unread = without_rows(readers, asked.services, gathered, "metrics", whole)
    found = chosen(series_of(gathered), asked.kinds, None)
    excursions = _excursions(found, window)
    rows = excursions[: asked.limit]
    early = int(np.searchsorted(found.times, window.start.timestamp()))
    if len(found.series) and early < FEWEST_BEFORE:
        unread = (*unread, Unread("what is usual", _short_of(early)))
    silent = _silent_since(found, window)
    if silent is not None:
        unread = (*unread, Unread("the end of the window", f"no row after {silent:%H:%M:%S} UTC"))
    result = Anomalies(
        window=stretch(window),
        sources=list(gathered.sources),
        total=len(excursions),
        left_out=len(excursions) - len(rows),
        watched=len(found.series),
        baseline=stretch(baseline),
        anomalies=rows,
    )
    summary = paragraphs(
        *_told(
            result,
            heading("anomalies", gathered, window, len(excursions), len(rows)),
            early,
            len(found.times) - early,
        ),
        table(
            ("entity", "metric", "unit", "direction", "usual", "farthest", "since", "deviations"),
            (
                (
                    r.entity,
                    r.metric,
                    r.unit,
                    r.direction,
                    r.usual,
                    r.farthest,
                    f"{r.since:%H:%M:%S}",
                    r.deviations,
                )
                for r in rows
            ),
        ),
    )
    return Answer(result, summary, (*gathered.unread, *unread))


def _told(result: Anomalies, heading_: str, early: int, rows: int) -> tuple[str, ...]:
    """What was found; of series without a past or a present "0 anomalies" would be a promise.

    Args:
        early, rows: how many lie before the window, and in it.
    """
    start = f"{result.window.start:%Y-%m-%d %H:%M:%S} UTC"
    why = ""
    if not result.watched:
        why = "no metric is known of that time"
    elif rows < SUSTAINED:
        why = f"{rows or 'none'} of the rows of {result.watched} series lie after {start}"
    elif not early:
        why = f"none of {result.watched} series has a value before {start}"
    if why:
        return (f"Whether anything is unusual cannot be told: {why}",)
    minutes = round((result.baseline.end - result.baseline.start).total_seconds() / 60)
    return heading_, f"{result.watched} series were compared with the {minutes} minutes before"


def _silent_since(found: MetricTable, window: Window) -> datetime | None:
    """The last row, where several more should have come by the end of the window."""
    if len(found.times) < SUSTAINED:
        return None
    usual = float(np.median(np.diff(found.times)))
    silence = window.end.timestamp() - float(found.times[-1])
    return _utc(found.times[-1]) if silence > max(LATE_S, SUSTAINED * usual) else None


def _short_of(early: int) -> str:
    if not early:
        return "no row lies before the window to compare with"
    return f"{early} rows before the window; with fewer than {FEWEST_BEFORE} that is a guess"


def _excursions(found: MetricTable, window: Window) -> list[Excursion]:
    """The longest-lived worst of each series, the farthest first."""
    first = int(np.searchsorted(found.times, window.start.timestamp()))
    if not 1 <= first <= len(found.times) - 1 or not found.series:
        return []
    case = CaseData("window", TelemetryWindow(window.start, window.end, metrics=found))
    division = divide(case, found, at=window.start.timestamp())
    deviations = np.nan_to_num(division.deviations(found.values))[first:]
    units = trusted_units(found.series)
    rows = []
    for column, series in enumerate(found.series):
        run = _worst_run(deviations[:, column])
        if run is None:
            continue
        since, until, at = run
        unit = units[column]
        rows.append(
            Excursion(
                service=series.entity.service_name,
                entity=series.entity.name,
                metric=series.metric,
                kind=reading_of(series).kind,
                unit=None if unit is None else unit.symbol,
                direction="above" if deviations[at, column] > 0 else "below",
                since=_utc(found.times[first + since]),
                until=_utc(found.times[first + until]),
                usual=rounded(float(division.centre[column])),
                farthest=rounded(float(found.values[first + at, column])),
                deviations=float(f"{abs(deviations[at, column]):.4g}"),
                ref=series.column,
            )
        )
    return sorted(rows, key=lambda each: (-each.deviations, each.ref))


def _worst_run(deviations: FloatArray) -> tuple[int, int, int] | None:
    """First, last and farthest row of the sustained stretch on one side that goes farthest."""
    side = np.where(np.abs(deviations) >= MOVED, np.sign(deviations), 0.0)
    edges = np.flatnonzero(np.diff(side, prepend=0.0, append=0.0))
    best: tuple[int, int, int] | None = None
    for low, high in pairwise(edges.tolist()):
        if side[low] == 0 or high - low < SUSTAINED:
            continue
        at = int(low + np.abs(deviations[low:high]).argmax())
        if best is None or abs(deviations[at]) > abs(deviations[best[2]]):
            best = low, high - 1, at
    return best


def _utc(seconds: float) -> datetime:
    return datetime.fromtimestamp(float(seconds), UTC)


ANOMALIES = Question(
    "anomalies",
    "Stretches in which metrics were outside the band they kept to before the window.",
    Watched,
    Anomalies,
    anomalies,
    ("Is anything unusual right now?", "Which series spiked in the last quarter of an hour?"),
)
