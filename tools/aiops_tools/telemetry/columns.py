"""The series that were gathered, as rates on one clock, and those of them that are asked for."""

from collections.abc import Collection
from typing import Annotated

import numpy as np
from pydantic import Field

from aiops.analyze.clocks import on_one_clock
from aiops.analyze.metric_kinds import MetricKind, reading_of
from aiops.analyze.samples import measurements, rates
from aiops.model import MetricTable
from aiops_tools.telemetry.gathering import Gathered

Kinds = Annotated[tuple[MetricKind, ...], Field(description="what they measure; none: everything")]
Limit = Annotated[int, Field(ge=1, le=100, description="rows answered")]


def series_of(gathered: Gathered) -> MetricTable:
    """What was gathered, counters as rates, on one clock."""
    found = gathered.found.metrics
    if found is None:
        return MetricTable(np.zeros(0), np.zeros((0, 0)), ())
    clean = MetricTable(found.times, measurements(found.values), found.series, found.source)
    return rates(on_one_clock(clean))


def chosen(found: MetricTable, kinds: Collection[MetricKind], metric: str | None) -> MetricTable:
    """The columns with a sample that are of these kinds and have this part of a name, by name."""
    part = (metric or "").casefold()
    kept = [
        i
        for i, series in enumerate(found.series)
        if (not kinds or reading_of(series).kind in kinds)
        and (part in series.metric.casefold() or part in series.column.casefold())
        and np.isfinite(found.values[:, i]).any()
    ]
    kept.sort(key=lambda i: found.series[i].column)
    return found.take(np.array(kept, dtype=np.intp))
