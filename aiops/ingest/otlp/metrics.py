"""Metrics from OTLP as series.

- Gauges, and sums that may fall, are kept as they are.
- Growing sums stay counters where they are cumulative (readers take their rates) and become rates
  where each push says what came since the last.
- Histograms become ``_p50``, ``_p90``, ``_p99`` and ``_mean``, and ``.calls`` a second.
- Summaries become their quantiles, and ``.calls`` as a counter.

A series is called by its metric and its attributes: ``http.server.calls{http.route="/"}``. Where
attributes name a caller and a callee it is one of the callee, on that edge.
"""

import re
from collections.abc import Iterable
from typing import Final

import numpy as np
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.metrics.v1.metrics_pb2 import (
    AggregationTemporality,
    DataPointFlags,
    ExponentialHistogramDataPoint,
    HistogramDataPoint,
    Metric,
    NumberDataPoint,
    SummaryDataPoint,
)

from aiops.ingest.otlp import bodies
from aiops.ingest.otlp.attributes import Origin, kept, origin_of
from aiops.ingest.otlp.decoded import Decoded, Rejections, decoded
from aiops.ingest.otlp.histograms import (
    Accumulated,
    Counted,
    ExplicitBuckets,
    ExponentialBuckets,
)
from aiops.ingest.otlp.limits import Limits
from aiops.ingest.otlp.samples import Samples, Subject
from aiops.ingest.otlp.traces import EARLIEST_NS, LATEST_NS

_DELTA = AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA
_CUMULATIVE = AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE
_NOTHING = DataPointFlags.DATA_POINT_FLAGS_NO_RECORDED_VALUE_MASK
_QUANTILES: Final = {0.5: "p50", 0.9: "p90", 0.99: "p99"}
_SCALES: Final = range(-11, 21)
"""Scales of exponential histograms that the data model foresees (-10 to 20), and one more."""
_MOST_COUNT: Final = 2**48
"""Values in one bucket: sums of buckets stay below 2^63."""
_MOST_UNIT: Final = 32
_LATENCY_WORD = re.compile(r"[._](duration|latency|time)(_seconds|_milliseconds)?$")
# UCUM units as OpenTelemetry writes them; "{request}" and the like count things and are no units.
_UNITS: Final = {
    "By": "bytes",
    "KiBy": "kib",
    "MiBy": "mib",
    "GiBy": "gib",
    "kBy": "kb",
    "MBy": "mb",
    "GBy": "gb",
    "s": "seconds",
    "ms": "ms",
    "us": "us",
    "ns": "ns",
    "%": "percent",
    "W": "watts",
    "{cpu}": "cores",
}
Point = NumberDataPoint | HistogramDataPoint | ExponentialHistogramDataPoint | SummaryDataPoint


def decode_metrics(
    body: bytes,
    content_type: str,
    content_encoding: str = "",
    *,
    limits: Limits | None = None,
    accumulated: Accumulated,
) -> Decoded:
    """The samples of a request to ``/v1/metrics``.

    Args:
        accumulated: what cumulative histograms said before; the first push of one gives no
            samples.

    Raises:
        BadPayload: the body cannot be read; nothing of it was taken.
    """
    limits = limits or Limits()
    written = bodies.encoding(content_type)
    sent = bodies.message(
        ExportMetricsServiceRequest, body, content_type, content_encoding, limits.body_bytes
    )
    reading = _Reading(limits, accumulated)
    for resource in sent.resource_metrics:
        origin = origin_of(resource.resource, limits)
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                reading.add(origin, metric)
    return decoded(
        reading.samples.windows(),
        (),
        reading.taken,
        reading.rejections,
        written,
        ExportMetricsServiceResponse(),
        "rejected_data_points",
    )


class _Refused(Exception):
    """One data point cannot be used; the text says why, in the plural, for a count of them."""


class _Reading:
    """Goes through the metrics of one request."""

    def __init__(self, limits: Limits, accumulated: Accumulated) -> None:
        self.samples, self.rejections, self.taken = Samples(limits), Rejections(), 0
        self._limits, self._accumulated = limits, accumulated

    def add(self, origin: Origin, metric: Metric) -> None:
        which = metric.WhichOneof("data")
        if which is None:
            return
        points: Iterable[Point] = getattr(metric, which).data_points
        name = kept(metric.name, self._limits.name)
        for point in points:
            if point.flags & _NOTHING:
                continue  # says that the series has ended
            try:
                self._check(point)
                subject = self.samples.subject(origin, name, point.attributes)
                if subject is None:
                    raise _Refused(f"points of more than {self._limits.series} series")
                self._read(metric, point, subject)
            except _Refused as refused:
                self.rejections.add(str(refused))
            else:
                self.taken += 1

    def _check(self, point: Point) -> None:
        if self.taken >= self._limits.items:
            raise _Refused(f"points beyond {self._limits.items} of a request")
        if not EARLIEST_NS <= point.time_unix_nano < LATEST_NS:
            raise _Refused("points without time")

    def _read(self, metric: Metric, point: Point, subject: Subject) -> None:
        unit = _unit(metric.unit)
        if isinstance(point, NumberDataPoint):
            self._number(metric, point, subject, unit)
        elif isinstance(point, SummaryDataPoint):
            at = point.time_unix_nano / 1e9
            for one in point.quantile_values:
                if 0 <= one.quantile <= 1:
                    name = f"{subject.metric}_p{100 * one.quantile:g}"
                    self.samples.put(subject.named(name), at, one.value, unit)
            calls = subject.named(_calls(subject.metric))
            self.samples.put(calls, at, float(point.count), None, "counter")
        else:
            self._histogram(metric, point, subject, unit)

    def _number(
        self, metric: Metric, point: NumberDataPoint, subject: Subject, unit: str | None
    ) -> None:
        which = point.WhichOneof("value")
        if which is None:
            raise _Refused("points without a value")
        at, value = point.time_unix_nano / 1e9, float(getattr(point, which))
        counts = metric.WhichOneof("data") == "sum"
        if not counts and metric.unit == "1":
            unit = "ratio"
        if counts and metric.sum.aggregation_temporality == _DELTA:
            value, unit = value / _length(point), f"{unit or 1}/s"
            self.samples.put(subject, at, value, unit, "gauge")
        else:
            growing = counts and metric.sum.is_monotonic
            self.samples.put(subject, at, value, unit, "counter" if growing else "gauge")

    def _histogram(
        self,
        metric: Metric,
        point: HistogramDataPoint | ExponentialHistogramDataPoint,
        subject: Subject,
        unit: str | None,
    ) -> None:
        which = metric.WhichOneof("data") or ""
        temporality = getattr(metric, which).aggregation_temporality
        said = self._counted(point)
        if temporality == _CUMULATIVE:
            news = self._accumulated.since_last(f"{subject.column} {which}", said)
        elif temporality == _DELTA:
            _length(point)
            news = said
        else:
            raise _Refused("points of histograms that say neither delta nor cumulative")
        if news is not None and news.end > news.start:
            self._put(subject, news, unit)

    def _put(self, subject: Subject, news: Counted, unit: str | None) -> None:
        metric, put = subject.metric, self.samples.put
        values = news.quantiles(tuple(_QUANTILES))
        for name, value in zip(_QUANTILES.values(), values, strict=True):
            put(subject.named(f"{metric}_{name}"), news.end, value, unit)
        if news.count and news.total is not None:
            put(subject.named(f"{metric}_mean"), news.end, news.total / news.count, unit)
        rate = news.count / (news.end - news.start)
        put(subject.named(_calls(metric)), news.end, rate, "1/s")

    def _counted(self, point: HistogramDataPoint | ExponentialHistogramDataPoint) -> Counted:
        buckets = (
            self._explicit(point)
            if isinstance(point, HistogramDataPoint)
            else self._exponential(point)
        )
        return Counted(
            buckets,
            point.count,
            point.sum if point.HasField("sum") else None,
            point.start_time_unix_nano / 1e9,
            point.time_unix_nano / 1e9,
        )

    def _explicit(self, point: HistogramDataPoint) -> ExplicitBuckets:
        bounds = np.array(point.explicit_bounds, dtype=np.float64)
        counts = self._counts(point.bucket_counts)
        if len(counts) not in (0, len(bounds) + 1) or not (np.diff(bounds) > 0).all():
            raise _Refused("histograms whose bounds and counts do not fit")
        if len(bounds) and not np.isfinite(bounds[[0, -1]]).all():
            raise _Refused("histograms with infinite bounds")
        return ExplicitBuckets(
            bounds if len(counts) else bounds[:0],
            counts if len(counts) else np.array([0], dtype=np.int64),
            point.min if point.HasField("min") else None,
            point.max if point.HasField("max") else None,
        )

    def _exponential(self, point: ExponentialHistogramDataPoint) -> ExponentialBuckets:
        if point.scale not in _SCALES:
            raise _Refused("exponential histograms of a scale beyond -11 to 20")
        positive, negative = point.positive, point.negative
        return ExponentialBuckets(
            point.scale,
            self._small(point.zero_count),
            point.zero_threshold,
            (positive.offset, self._counts(positive.bucket_counts)),
            (negative.offset, self._counts(negative.bucket_counts)),
        )

    def _counts(self, given: Iterable[int]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        counts = [self._small(one) for one in given]
        if len(counts) > self._limits.buckets:
            raise _Refused(f"histograms of more than {self._limits.buckets} buckets")
        return np.array(counts, dtype=np.int64)

    def _small(self, count: int) -> int:
        if count >= _MOST_COUNT:
            raise _Refused("histograms with absurd counts")
        return count


def _unit(said: str) -> str | None:
    """As a Series has it; what is no unit of UCUM's stays as its sender calls it."""
    counts = said in ("", "1") or said.startswith("{")
    return _UNITS.get(said, None if counts else kept(said, _MOST_UNIT))


def _length(point: NumberDataPoint | HistogramDataPoint | ExponentialHistogramDataPoint) -> float:
    """Seconds that a delta point covers."""
    length = point.time_unix_nano - point.start_time_unix_nano
    if length <= 0 or point.start_time_unix_nano < EARLIEST_NS:
        raise _Refused("delta points without a start before their time")
    return length / 1e9


def _calls(name: str) -> str:
    """How the number of what a histogram measured is called: not by its latency."""
    return _LATENCY_WORD.sub("", name) + ".calls"
