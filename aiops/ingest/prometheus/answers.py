"""Answers of range queries as the columns of one table."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from aiops.ingest.prometheus.api import Samples
from aiops.ingest.prometheus.queries import FAILURES, Query, errors_of
from aiops.model import Entity, MetricTable, Series
from aiops.model.telemetry import FloatArray


@dataclass(frozen=True, slots=True)
class Grid:
    """Points of time ``step`` seconds apart, the first at ``start``; unix seconds.

    On multiples of the step, so that windows that overlap ask for the same points.
    """

    start: float
    step: float
    rows: int

    @classmethod
    def over(cls, start: float, end: float, step: float) -> "Grid":
        """The points with start <= t < end; at least one."""
        first = float(np.ceil(start / step) * step)
        rows = int(np.ceil((end - first) / step - 1e-9))
        return cls(first, step, rows) if rows > 0 else cls(start, step, 1)

    def parts(self, most: int) -> Iterable["Grid"]:
        """The same points, at most ``most`` at a time."""
        for row in range(0, self.rows, most):
            yield replace(self, start=self.start + row * self.step, rows=min(most, self.rows - row))

    @property
    def end(self) -> float:
        """The last point."""
        return self.start + (self.rows - 1) * self.step

    @property
    def times(self) -> FloatArray:
        return self.start + self.step * np.arange(self.rows, dtype=np.float64)

    def placed(self, samples: Samples) -> FloatArray:
        """(rows,) the samples at their points, whatever their order; what is not finite is NaN."""
        column = np.full(self.rows, np.nan)
        rows = np.rint((samples.times - self.start) / self.step)
        known = np.isfinite(samples.values) & (rows >= 0) & (rows < self.rows)
        column[rows[known].astype(np.intp)] = samples.values[known]
        return column


class Columns:
    """Collects columns; equal ones become one, as their query says."""

    def __init__(self, grid: Grid, cluster: str | None) -> None:
        self._grid, self._cluster = grid, cluster
        self._kept: dict[str, tuple[Series, FloatArray]] = {}

    def add(self, query: Query, answer: Iterable[Samples]) -> None:
        """The series of one answer."""
        failed: dict[Entity, FloatArray] = {}
        every: dict[Entity, FloatArray] = {}
        for one in answer:
            entity = self._entity(query, one.labels)
            if entity is None:
                continue
            values, split = self._grid.placed(one), one.labels.get(query.split, "")
            if not query.is_rate:
                self._keep(query, entity, query.metric.format(_percentile(split)), values)
                continue
            every[entity] = _sum(every.get(entity), values)
            if FAILURES.fullmatch(split):
                failed[entity] = _sum(failed.get(entity), values)
        for entity, values in every.items():
            self._keep(query, entity, query.metric, values)
            # A counter of failures often exists from the first one on: until then there were none.
            none = np.where(np.isnan(values), np.nan, 0.0)
            self._keep(query, entity, errors_of(query.metric), _sum(failed.get(entity), none))

    def table(self, source: str, notes: tuple[str, ...]) -> MetricTable:
        """What was collected, sorted by column."""
        kept = [self._kept[column] for column in sorted(self._kept)]
        values = np.empty((self._grid.rows, len(kept)))
        for n, (_, column) in enumerate(kept):
            values[:, n] = column
        series = tuple(one for one, _ in kept)
        return MetricTable(self._grid.times, values, series, source, notes)

    def _keep(self, query: Query, entity: Entity, metric: str, values: FloatArray) -> None:
        if np.isnan(values).all():
            return
        column = _column(entity, metric)
        known = self._kept.get(column)
        # Rates are no counters any more: nobody may take their differences again.
        series = Series(entity, metric, column, query.unit, "gauge")
        together = _sum if query.adds else _highest
        self._kept[column] = (series, together(known[1] if known else None, values))

    def _entity(self, query: Query, labels: Mapping[str, str]) -> Entity | None:
        name = labels.get(query.service_label, "")
        if not name:
            return None
        if query.about == "node":
            host = name.rpartition(":")[0] if query.service_label == "instance" else name
            placed = query.surroundings.entity(host or name, labels, self._cluster)
            return Entity("node", placed.name, cluster=placed.cluster)
        return query.surroundings.entity(name, labels, self._cluster)


def _column(entity: Entity, metric: str) -> str:
    """ "cart_cpu", "shop/cart_cpu" in a namespace: the same for the same in every window."""
    around = [one for one in (entity.cluster, entity.namespace) if one]
    # Metrics hold no "/", so that no other service and metric give the same column.
    between = "/" if "_" in entity.name else "_"
    return "/".join([*around, f"{entity.name}{between}{metric}"])


def _percentile(quantile: str) -> str:
    """ "99" of "0.99", "99_9" of "0.999"."""
    try:
        return f"{float(quantile) * 100:.4g}".replace(".", "_")
    except ValueError:
        return quantile


def _sum(known: FloatArray | None, values: FloatArray) -> FloatArray:
    """Together; NaN only where both are."""
    if known is None:
        return values
    both = np.nansum([known, values], axis=0)
    both[np.isnan(known) & np.isnan(values)] = np.nan
    return np.asarray(both, dtype=np.float64)


def _highest(known: FloatArray | None, values: FloatArray) -> FloatArray:
    return values if known is None else np.fmax(known, values)
