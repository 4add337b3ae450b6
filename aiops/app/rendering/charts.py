"""Geometry of the charts: one picture for each piece of evidence, drawn by the template."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import pairwise

import numpy as np

from aiops.analyze.units import trusted_units
from aiops.analyze.wording import TimeWords, plain, quantity
from aiops.app.evidence import EvidenceLost, columns_of, resolve
from aiops.app.rendering.axes import Scale, Tick, time_ticks, value_range, value_ticks
from aiops.model import CaseData, Evidence, LogTable, MetricTable, SpanTable
from aiops.model.report import Report
from aiops.model.telemetry import FloatArray

WIDTH, HEIGHT = 520.0, 220.0
LEFT, RIGHT, TOP, BOTTOM = 66.0, 508.0, 26.0, 192.0
LETTER, LABEL_GAP = 7.0, 4.0
"""Width of a letter of a mark's label, and between the label and what is beside it."""
MOST_POINTS = 300
MOST_CHARTS = 6


@dataclass(frozen=True, slots=True)
class Curve:
    """What one chart shows: a series with its unit, and the evidence it pictures."""

    evidence: str
    title: str
    unit: str | None
    times: FloatArray
    values: FloatArray


@dataclass(frozen=True, slots=True)
class Mark:
    """A vertical line at a moment: the onset or the alert."""

    kind: str
    label: str
    x: float
    text_x: float
    anchor: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One chart in SVG user units.

    Attributes:
        paths: the curve, broken where samples are missing.
        band: (y, height) of the baseline's 5th to 95th percentile; None without a baseline.
        hover: JSON: [x, y, "time, value"] of every point drawn.
    """

    evidence: str
    title: str
    unit: str | None
    paths: tuple[str, ...]
    band: tuple[float, float] | None
    marks: tuple[Mark, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]
    hover: str
    description: str


def charts(report: Report, case: CaseData) -> tuple[Chart, ...]:
    """The pictures of the evidence that matters most: the candidates', then the alerts'."""
    ids = [each for cause in report.root_causes[:3] for each in cause.evidence]
    ids += [each for alert in report.alerts_explained for each in alert.evidence]
    by_id = {item.id: item for item in report.evidence}
    chosen = [by_id[each] for each in dict.fromkeys(ids) if each in by_id]
    if not chosen:
        chosen = list(report.evidence[:2])
    drawn: dict[tuple[str, str], Chart] = {}
    for curve in curves(case, chosen):
        if len(drawn) < MOST_CHARTS and np.isfinite(curve.values).sum() > 1:
            drawn.setdefault((curve.title, curve.unit or ""), draw(curve, report))
    return tuple(drawn.values())


def curves(case: CaseData, evidence: Iterable[Evidence]) -> Iterable[Curve]:
    """Each piece of evidence as series over the whole window; what has no times is left out."""
    for item in evidence:
        try:
            found = resolve(case, item)
        except EvidenceLost:
            continue  # the report says so already; there is nothing to draw
        if isinstance(found, MetricTable):
            yield from _metric_curves(case, item)
        elif isinstance(found, LogTable):
            yield _counted(item, found.times, case)
        elif isinstance(found, SpanTable):
            order = np.argsort(found.starts, kind="stable")
            yield Curve(
                item.id,
                f"duration of {plain(item.ref)}",
                "s",
                found.starts[order],
                found.durations[order],
            )


def _metric_curves(case: CaseData, item: Evidence) -> Iterable[Curve]:
    for table in (case.window.metrics, case.window.load):
        if table is None or table.source != item.source:
            continue
        for column in columns_of(table, item.ref):
            series = table.series[column]
            (unit,) = trusted_units((series,))
            symbol = unit.symbol if unit is not None else None
            title = f"{plain(series.entity.name)} · {plain(series.metric)}"
            yield Curve(item.id, title, symbol, table.times, table.values[:, column])


def _counted(item: Evidence, times: FloatArray, case: CaseData) -> Curve:
    """Lines a sixtieth of the window; their rate is what a log has for a value."""
    start, end = case.window.start.timestamp(), case.window.end.timestamp()
    counts, edges = np.histogram(times[np.isfinite(times)], bins=60, range=(start, end + 1e-6))
    title = f"log lines like “{plain(item.ref)[:60]}”"
    return Curve(item.id, title, None, edges[:-1], counts.astype(np.float64))


def draw(curve: Curve, report: Report) -> Chart:
    """The geometry of one chart, with the onset and the alert of ``report``."""
    subject = report.subject
    times = TimeWords(subject.window.start, subject.relative)
    alert = subject.trigger.at
    present = np.isfinite(curve.values)
    t, v = thinned(curve.times[present], curve.values[present])
    band = _band(curve, report.onset or alert)
    seen = np.append(v, band or ())
    low, high = value_range(float(seen.min()), float(seen.max()))
    x = Scale(float(curve.times[0]), float(curve.times[-1]), LEFT, RIGHT)
    y = Scale(low, high, BOTTOM, TOP)
    points = [(x(float(a)), y(float(b))) for a, b in zip(t, v, strict=True)]
    hover = [
        [*point, f"{times.at(datetime.fromtimestamp(float(a), UTC))}, {quantity(b, curve.unit)}"]
        for point, a, b in zip(points, t, v, strict=True)
    ]
    return Chart(
        evidence=curve.evidence,
        title=curve.title,
        unit=curve.unit,
        paths=_paths(points, _breaks(t)),
        band=None if band is None else (y(band[1]), max(1.5, y(band[0]) - y(band[1]))),
        marks=marks(x, (("onset", report.onset), ("alert", alert))),
        x_ticks=time_ticks(
            x, relative_to=subject.window.start.timestamp() if subject.relative else None
        ),
        y_ticks=value_ticks(y, curve.unit),
        hover=json.dumps(hover, ensure_ascii=False),
        description=(
            f"{curve.title} from {times.at(subject.window.start)} to "
            f"{times.at(subject.window.end)}, between {quantity(float(v.min()), curve.unit)} "
            f"and {quantity(float(v.max()), curve.unit)}"
        ),
    )


def thinned(
    times: FloatArray, values: FloatArray, most: int = MOST_POINTS
) -> tuple[FloatArray, FloatArray]:
    """At most ``most`` samples that keep every extreme: the least and greatest of each bucket."""
    if len(values) <= most:
        return times, values
    edges = np.linspace(0, len(values), most // 2 + 1).astype(int)
    keep: set[int] = set()
    for start, end in pairwise(edges):
        bucket = values[start:end]
        keep |= {start + int(bucket.argmin()), start + int(bucket.argmax())}
    index = np.array(sorted(keep))
    return times[index], values[index]


def _band(curve: Curve, pivot: datetime | None) -> tuple[float, float] | None:
    if pivot is None:
        return None
    before = curve.values[curve.times < pivot.timestamp()]
    before = before[np.isfinite(before)]
    if len(before) < 2:
        return None
    low, high = np.percentile(before, (5, 95))
    return float(low), float(high)


def _breaks(times: FloatArray) -> frozenset[int]:
    """Indices at which the line starts anew, because samples are missing before them."""
    if len(times) < 3:
        return frozenset()
    steps = np.diff(times)
    return frozenset(int(i) + 1 for i in np.flatnonzero(steps > 8 * np.median(steps)))


def _paths(points: list[tuple[float, float]], breaks: frozenset[int]) -> tuple[str, ...]:
    starts = [0, *sorted(breaks), len(points)]
    pieces = [points[a:b] for a, b in pairwise(starts)]
    # A lone point is drawn as a dot: a line of no length with round ends.
    return tuple(
        "M" + " L".join(f"{x:g} {y:g}" for x, y in (piece if len(piece) > 1 else piece * 2))
        for piece in pieces
        if piece
    )


def marks(x: Scale, moments: tuple[tuple[str, datetime | None], ...]) -> tuple[Mark, ...]:
    """Lines with labels that do not run over each other or over the edge."""
    there = [
        (kind, x(at.timestamp()))
        for kind, at in moments
        if at is not None and x.low <= at.timestamp() <= x.high
    ]
    if len(there) == 2 and abs(there[0][1] - there[1][1]) < 3:
        there = [(f"{there[0][0]}, {there[1][0]}", there[0][1])]
    found, limit = [], RIGHT
    for label, at in sorted(there, key=lambda each: each[1], reverse=True):
        width = LETTER * len(label) + 2 * LABEL_GAP
        leftwards = at + width > limit
        text_x = min(at, limit) - LABEL_GAP if leftwards else at + LABEL_GAP
        found.append(
            Mark(
                "alert" if label == "alert" else "onset",
                label,
                at,
                text_x,
                "end" if leftwards else "start",
            )
        )
        limit = text_x - width if leftwards else at
    return tuple(reversed(found))
