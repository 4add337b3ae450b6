"""Telemetry in columns: one row a timestamp, line or span; times in unix seconds (float64)."""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from aiops.model.entity import Entity

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int32]
Rows = npt.NDArray[np.bool_] | npt.NDArray[np.intp] | slice
MetricType = Literal["gauge", "counter", "histogram", "summary"]


@dataclass(frozen=True, slots=True)
class Series:
    """What one column of a metric table measures.

    Attributes:
        entity: whose metric it is.
        metric: the metric's name without the entity ("cpu", "latency_p90").
        column: the name in the source, unique in its table; evidence refers to it.
        unit: unit from the source's own metadata ("bytes", "seconds"); None where it has none.
            Never guessed: see analyze.metric_kinds for what names suggest.
        type: Prometheus metric type from metadata, None where unknown.
    """

    entity: Entity
    metric: str
    column: str
    unit: str | None = None
    type: MetricType | None = None


@dataclass(frozen=True, slots=True, eq=False)
class MetricTable:
    """Metrics of many entities on one clock.

    Attributes:
        times: (n,) unix seconds, strictly ascending.
        values: (n, m) one column per series, NaN where there is no sample.
        series: (m,) what each column measures.
        source: where it was read from, for evidence ("metrics.csv.gz").
        notes: what its source could not give or warns of, one sentence each.
    """

    times: FloatArray
    values: FloatArray
    series: tuple[Series, ...]
    source: str = "metrics"
    notes: tuple[str, ...] = ()

    def between(self, start: float, end: float) -> "MetricTable":
        """The rows with start <= time < end (a view, not a copy)."""
        low, high = np.searchsorted(self.times, [start, end])
        return MetricTable(self.times[low:high], self.values[low:high], self.series, self.source)

    def take(self, columns: npt.NDArray[np.intp]) -> "MetricTable":
        """The given columns, in the given order."""
        return MetricTable(
            self.times,
            self.values[:, columns],
            tuple(self.series[i] for i in columns),
            self.source,
        )


@dataclass(frozen=True, slots=True, eq=False)
class LogTable:
    """Log lines, (n,) each; ``service_of[i]`` indexes ``services``. Unknown times are NaN.

    ``instances``/``instance_of`` name the pod; trace and span ids are "" where a line has none.
    ``notes`` say what the source could not give, one sentence each.
    """

    times: FloatArray
    services: tuple[str, ...]
    service_of: IntArray
    messages: npt.NDArray[np.object_]
    instances: tuple[str, ...] = ()
    instance_of: IntArray | None = None
    trace_ids: npt.NDArray[np.object_] | None = None
    span_ids: npt.NDArray[np.object_] | None = None
    source: str = "logs"
    notes: tuple[str, ...] = ()

    def rows(self, chosen: Rows) -> "LogTable":
        """The chosen lines: a mask, positions or a slice."""
        return replace(
            self,
            times=self.times[chosen],
            service_of=self.service_of[chosen],
            messages=self.messages[chosen],
            instance_of=None if self.instance_of is None else self.instance_of[chosen],
            trace_ids=None if self.trace_ids is None else self.trace_ids[chosen],
            span_ids=None if self.span_ids is None else self.span_ids[chosen],
        )


@dataclass(frozen=True, slots=True, eq=False)
class SpanTable:
    """Spans, (n,) each. ``starts`` and ``durations`` in seconds; the parent of a root is "".

    ``*_of`` arrays index the tuple of the same name. ``notes`` say what the source could not
    give, one sentence each.
    """

    trace_ids: npt.NDArray[np.object_]
    span_ids: npt.NDArray[np.object_]
    parent_ids: npt.NDArray[np.object_]
    services: tuple[str, ...]
    service_of: IntArray
    operations: tuple[str, ...]
    operation_of: IntArray
    starts: FloatArray
    durations: FloatArray
    instances: tuple[str, ...] = ()
    instance_of: IntArray | None = None
    statuses: npt.NDArray[np.object_] | None = None
    source: str = "traces"
    notes: tuple[str, ...] = ()

    def rows(self, chosen: Rows) -> "SpanTable":
        """The chosen spans: a mask, positions or a slice."""
        return replace(
            self,
            trace_ids=self.trace_ids[chosen],
            span_ids=self.span_ids[chosen],
            parent_ids=self.parent_ids[chosen],
            service_of=self.service_of[chosen],
            operation_of=self.operation_of[chosen],
            starts=self.starts[chosen],
            durations=self.durations[chosen],
            instance_of=None if self.instance_of is None else self.instance_of[chosen],
            statuses=None if self.statuses is None else self.statuses[chosen],
        )


@dataclass(frozen=True, slots=True)
class AlertSignal:
    """One alert of a recorded alert list, as its detector gave it.

    Attributes:
        modality: what it was raised on.
        entity: the instance (or service) it points at; the callee for a trace alert.
        name: the metric, operation or log template id.
        detail: direction ("up", "down"), status code, "PD", or the detector's own evidence text.
        peer: the caller of a trace alert, the host of a metric alert; None where there is none.
    """

    modality: Literal["metric", "trace", "log", "service"]
    entity: Entity
    name: str
    detail: str
    peer: Entity | None = None
