"""Metrics from Prometheus, Mimir or Thanos."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from math import isfinite
from time import time
from typing import ClassVar

from pydantic import Field

from aiops.errors import SourceUnavailable
from aiops.ingest import options
from aiops.ingest.http import Backend, Budget, Refused, TooLarge
from aiops.ingest.prometheus.answers import Columns, Grid
from aiops.ingest.prometheus.api import Answer, Api, Metadata, splits_further
from aiops.ingest.prometheus.expressions import evaluated
from aiops.ingest.prometheus.plan import Plan, plan, searches, some, worth_reading
from aiops.ingest.prometheus.queries import Query
from aiops.ingest.service_labels import SERVICE_LABELS, service_of, within
from aiops.model import MetricTable
from aiops.ports.expressions import Evaluated
from aiops.ports.telemetry import bounds

SCRAPE_S = 15.0
"""Taken for the time between scrapes where the server has no ``up`` to tell it."""
LONGEST_SCRAPE_S = 300.0
STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
"""What lies between two rows where nobody says: the same for every window, so that rows meet."""
ROWS = 240
"""About as many rows a window, half an hour at 7.5 s: more cost time and tell little more."""
_HALVINGS = 4
"""A query that the server finds too large is asked in up to this many times halved parts."""
_BEHIND_A_COLUMN = 5
"""Series looked at for each column that may come of them: pods, paths, codes."""
_NAMES_AT_ONCE = 20
"""Metrics whose series are looked for together, where all together are too many."""
_LOOKS = "timestamp(up)[4m:1s]"
_BETWEEN_SCRAPES = f"quantile(0.9, count_over_time({_LOOKS}) / (changes({_LOOKS}) > 0))"
"""Looked at every second: how long each target was there, by how often it was new."""


class Options(options.HttpOptions):
    """Options of the kind; those of HTTP besides."""

    step_s: float | None = Field(
        default=None, gt=0, le=3600, description="between two rows; else as the server scrapes"
    )
    service_labels: tuple[str, ...] = Field(default=SERVICE_LABELS, min_length=1)
    cluster: str | None = Field(default=None, description="of series without such a label")
    max_series: int = Field(default=10_000, ge=1, description="columns of one answer")
    max_points: int = Field(default=11_000, ge=2, description="of a series in one query")
    max_query_s: float = Field(default=30 * 86400.0, gt=0, description="of one query")


class Prometheus:
    """A MetricSource, ServiceSource, ServiceNames, ExpressionSource and Ingestor."""

    language = "PromQL"
    defaults: ClassVar[Mapping[str, object]] = {}
    parameters: ClassVar[Mapping[str, str]] = {}
    """Sent with every request."""

    def __init__(self, name: str, chosen: Options, backend: Backend) -> None:
        self.name, self._chosen, self._backend = name, chosen, backend
        self._api = Api(backend, self.parameters)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, {self._chosen.url!r})"

    @classmethod
    def connect(cls, name: str, options_: Mapping[str, object]) -> "Prometheus":
        """See Ingestor."""
        chosen = options.read(Options, name, {**cls.defaults, **options_})
        return cls(name, chosen, Backend(name, chosen))

    def metrics(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> MetricTable:
        """See MetricSource. ``notes`` of the answer name the metrics that are not in it, and why.

        A metric is either there for the whole window or not at all.
        """
        first, last = bounds(start, end)
        if services is not None and not services:
            nothing = Grid.over(first, last, last - first)
            return Columns(nothing, self._chosen.cluster).table(self.name, ())
        budget = self._backend.budget()
        scrape_s = self._scrape_s(last, budget)
        grid = Grid.over(first, last, self._chosen.step_s or usual_step_s(last - first, scrape_s))
        columns = Columns(grid, self._chosen.cluster)
        asked = self._plan(services, first, last, max(4 * scrape_s, grid.step), budget)
        notes, warnings = list(asked.notes), Counter[str]()
        failures: list[tuple[str, SourceUnavailable]] = []
        reads = [partial(self._read, query, grid, budget) for query in asked.queries]
        for query, answer in zip(asked.queries, self._backend.each(reads), strict=True):
            if isinstance(answer, SourceUnavailable):
                failures.append((query.metric.format("*"), answer))
            else:
                columns.add(query, answer.series)
                warnings.update(set(answer.warnings))
        if failures and len(failures) == len(asked.queries):
            raise failures[0][1]
        notes += _missing(failures)
        if warnings:
            more = f" (and {len(warnings) - 1} other warnings)" if len(warnings) > 1 else ""
            notes.append(f"the server warns: {warnings.most_common(1)[0][0][:200]}{more}")
        return columns.table(self.name, tuple(notes))

    def beside(
        self,
        services: Collection[str],
        namespace: str | None,
        cluster: str | None,
        start: datetime,
        end: datetime,
    ) -> tuple[str, ...]:
        """See ServiceSource. Others are found by the label that names one of ``services``."""
        first, last = bounds(start, end)
        if None not in (cluster, self._chosen.cluster) and cluster != self._chosen.cluster:
            return ()
        budget, place = self._backend.budget(), within(namespace, cluster)
        for label in self._chosen.service_labels:
            values = self._api.label_values(label, first, last, budget, place)
            names = {service_of(label, value) for value in values}
            if not names.isdisjoint(services):
                return tuple(sorted(names))
        return ()

    def services(self, start: datetime, end: datetime) -> tuple[str, ...]:
        """See ServiceNames. By the first label that any series has."""
        first, last = bounds(start, end)
        budget = self._backend.budget()
        for label in self._chosen.service_labels:
            values = self._api.label_values(label, first, last, budget)
            if values:
                return tuple(sorted({service_of(label, value) for value in values}))
        return ()

    def evaluate(
        self,
        expression: str,
        start: datetime,
        end: datetime,
        *,
        most_series: int,
        most_points: int,
    ) -> Evaluated:
        """See ExpressionSource."""
        first, last = bounds(start, end)
        step = usual_step_s(last - first, max(SCRAPE_S, (last - first) / most_points))
        if self._chosen.step_s is not None and (last - first) / self._chosen.step_s < most_points:
            step = self._chosen.step_s
        budget = self._backend.budget()
        return evaluated(self._api, expression, first, last, step, most_series, budget)

    def check(self) -> str:
        """See Ingestor."""
        now, budget = time(), self._backend.budget()
        up = self._api.now("up", now, budget)
        names = self._api.label_values("__name__", now - 3600, now, budget)
        services = {
            label: len(self._api.label_values(label, now - 3600, now, budget))
            for label in self._chosen.service_labels
        }
        label = next((one for one, count in services.items() if count), None)
        by = f"{services[label]} services by label {label!r}" if label else "no label of a service"
        return f"{sum(up):.0f} of {len(up)} targets up, {len(names)} metrics, {by}"

    def close(self) -> None:
        """See Ingestor."""
        self._backend.close()

    def _plan(
        self,
        services: Sequence[str] | None,
        start: float,
        end: float,
        window_s: float,
        budget: Budget,
    ) -> Plan:
        metadata, unread = self._metadata(budget)
        found, left_out = self._found(services, start, end, budget)
        made = plan(
            found,
            metadata,
            services,
            window_s=window_s,
            most_columns=self._chosen.max_series,
            labels=self._chosen.service_labels,
        )
        return Plan(made.queries, (*unread, *left_out, *made.notes))

    def _found(
        self, services: Sequence[str] | None, start: float, end: float, budget: Budget
    ) -> tuple[tuple[Mapping[str, str], ...], tuple[str, ...]]:
        """Label sets of the series that can be of the services, and what was left out, in words.

        Where they are too many for one answer they are found by name, a few metrics at a time.
        """
        labels = self._chosen.service_labels
        most = _BEHIND_A_COLUMN * self._chosen.max_series
        try:
            found = self._api.series(searches(services, labels), start, end, most + 1, budget)
        except TooLarge:
            found = ()
        else:
            if len(found) <= most:
                return found, ()
        names = worth_reading(self._api.label_values("__name__", start, end, budget))
        kept: list[Mapping[str, str]] = []
        for first in range(0, len(names), _NAMES_AT_ONCE):
            matchers = searches(services, labels, names[first : first + _NAMES_AT_ONCE])
            more = self._api.series(matchers, start, end, most + 1, budget)
            if len(kept) + len(more) > most:
                note = (
                    f"{len(names) - first} of {len(names)} metrics were not looked at, to keep to "
                    f"{most} series; ask for fewer services or raise 'max_series'"
                )
                return tuple(kept), (note,)
            kept += more
        return tuple(kept), ()

    def _metadata(self, budget: Budget) -> tuple[dict[str, Metadata], tuple[str, ...]]:
        try:
            return self._api.metadata(budget), ()
        except (Refused, TooLarge) as failure:
            return {}, (f"types and units are told from names alone: {failure.reason}",)

    def _scrape_s(self, at: float, budget: Budget) -> float:
        """Seconds between scrapes, of the slower targets."""
        scrapes = self._api.now(_BETWEEN_SCRAPES, at, budget)
        known = [one for one in scrapes if isfinite(one) and one > 0]
        return min(known[0], LONGEST_SCRAPE_S) if known else SCRAPE_S

    def _read(self, query: Query, grid: Grid, budget: Budget) -> Answer:
        """The answer to one query over the whole grid; raises SourceUnavailable for less."""
        longest = int(self._chosen.max_query_s / grid.step) + 1
        answers = [
            self._part(query, part, budget, _HALVINGS)
            for part in grid.parts(min(self._chosen.max_points, longest))
        ]
        return _joined(answers)

    def _part(self, query: Query, grid: Grid, budget: Budget, halvings: int) -> Answer:
        try:
            return self._api.between(query.expression, grid.start, grid.end, grid.step, budget)
        except (Refused, TooLarge) as failure:
            if not halvings or grid.rows < 2 or not splits_further(failure):
                raise
        halves = grid.parts(-(-grid.rows // 2))
        return _joined([self._part(query, half, budget, halvings - 1) for half in halves])


def usual_step_s(span_s: float, scrape_s: float) -> float:
    """Seconds between two rows of a window this long: no finer than samples, nor than ROWS."""
    asked = max(scrape_s, span_s / ROWS)
    return next((step for step in STEPS_S if step >= asked * 0.99), STEPS_S[-1])


class Mimir(Prometheus):
    """Grafana Mimir, or Cortex: ``url`` ends in its prefix, usually "/prometheus"."""

    defaults: ClassVar[Mapping[str, object]] = {"max_query_s": 7 * 86400.0}


class Thanos(Prometheus):
    """Thanos Query: samples of replicas are merged; a store that is down is a warning."""

    parameters: ClassVar[Mapping[str, str]] = {"dedup": "true", "partial_response": "true"}


def _joined(answers: Sequence[Answer]) -> Answer:
    return Answer(
        tuple(one for answer in answers for one in answer.series),
        tuple(dict.fromkeys(said for answer in answers for said in answer.warnings)),
    )


def _missing(failures: Sequence[tuple[str, SourceUnavailable]]) -> Iterator[str]:
    """What is missing, once for each reason."""
    by_reason: dict[str, list[str]] = {}
    for metric, failure in failures:
        by_reason.setdefault(failure.reason, []).append(metric)
    for reason, metrics in by_reason.items():
        yield f"{len(metrics)} metrics are missing ({some(metrics)}): {reason}"
