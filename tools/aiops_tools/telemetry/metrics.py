"""Metrics of services, in numbers."""

from typing import Annotated

import numpy as np
from pydantic import Field

from aiops.analyze.metric_kinds import MetricKind, reading_of
from aiops.analyze.units import trusted_units
from aiops.model import MetricTable
from aiops.model.telemetry import FloatArray
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Result
from aiops_tools.tables import paragraphs, rounded, table
from aiops_tools.telemetry.columns import Kinds, Limit, chosen, series_of
from aiops_tools.telemetry.gathering import Readers, gather
from aiops_tools.telemetry.known import without_rows
from aiops_tools.telemetry.told import OneOrMore, Told, heading
from aiops_tools.windows import InWindow, stretch


class Metrics(InWindow):
    """Whose metrics, and which."""

    services: OneOrMore
    kinds: Kinds = ()
    metric: Annotated[
        str | None, Field(max_length=200, description="part of the metric's name")
    ] = None
    points: Annotated[
        int, Field(ge=0, le=60, description="means over equal parts of the window, for a curve")
    ] = 0
    limit: Limit = 30


class SeriesRow(Result):
    """One metric of one entity over the window; ``ref`` selects it."""

    service: str
    entity: str
    metric: str
    kind: MetricKind
    unit: str | None
    samples: int
    first: float | None
    lowest: float | None
    mean: float | None
    highest: float | None
    last: float | None
    points: list[float | None]
    ref: str


class MetricsFound(Told):
    """Series in the order of their names."""

    series: list[SeriesRow]


def query(readers: Readers, asked: Metrics) -> Answer:
    """The metrics of some services."""
    window = asked.window(readers.now())
    gathered = gather(readers, "metrics", asked.services, window)
    unread = without_rows(readers, asked.services, gathered, "metrics", window)
    found = chosen(series_of(gathered), asked.kinds, asked.metric)
    shown = found.take(np.arange(min(asked.limit, len(found.series)), dtype=np.intp))
    rows = _series_rows(shown, asked.points)
    total = len(found.series)
    summary = paragraphs(
        heading("series", gathered, window, total, len(rows)),
        table(
            ("entity", "metric", "unit", "first", "lowest", "mean", "highest", "last"),
            (
                (r.entity, r.metric, r.unit, r.first, r.lowest, r.mean, r.highest, r.last)
                for r in rows
            ),
        ),
    )
    result = MetricsFound(
        window=stretch(window),
        sources=list(gathered.sources),
        total=total,
        left_out=total - len(rows),
        series=rows,
    )
    return Answer(result, summary, (*gathered.unread, *unread))


def _series_rows(found: MetricTable, points: int) -> list[SeriesRow]:
    units = trusted_units(found.series)
    rows = []
    for column, series in enumerate(found.series):
        values = found.values[:, column]
        known = values[np.isfinite(values)]
        unit = units[column]
        rows.append(
            SeriesRow(
                service=series.entity.service_name,
                entity=series.entity.name,
                metric=series.metric,
                kind=reading_of(series).kind,
                unit=None if unit is None else unit.symbol,
                samples=len(known),
                first=rounded(float(known[0])),
                lowest=rounded(float(known.min())),
                mean=rounded(float(known.mean())),
                highest=rounded(float(known.max())),
                last=rounded(float(known[-1])),
                points=_curve(values, points),
                ref=series.column,
            )
        )
    return rows


def _curve(values: FloatArray, points: int) -> list[float | None]:
    if not points or not len(values):
        return []
    parts = np.array_split(values, min(points, len(values)))
    means = [part[np.isfinite(part)] for part in parts]
    return [rounded(float(part.mean())) if len(part) else None for part in means]


QUERY = Question(
    "metrics",
    "Metrics of services by name and kind: lowest, mean, highest and last value of each series.",
    Metrics,
    MetricsFound,
    query,
    ("How much CPU does billing use?", "Show me latency and errors of the checkout service"),
)
