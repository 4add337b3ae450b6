"""The queries of one metric: rates, quantiles and levels that a service has one series of. Pure.

Naming follows Prometheus' documentation ("Metric and label naming", "Histograms and summaries")
and OpenMetrics.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import chain

from aiops.analyze.metric_kinds import MetricKind, read
from aiops.ingest.prometheus.api import Metadata
from aiops.ingest.service_labels import STEMS, Surroundings, quoted

QUANTILES = (("p50", 0.5), ("p90", 0.9), ("p99", 0.99))
SERVICE = "aiops_service"
"""The label that a query puts the service at, where it has to be cut out of another."""
OUTCOMES = (
    "code",
    "status",
    "status_code",
    "http_status_code",
    "http_response_status_code",
    "response_code",
    "grpc_code",
    "grpc_status",
    "rpc_grpc_status_code",
    "outcome",
    "result",
)
"""Labels that say how a request ended."""
FAILURES = re.compile(
    r"5(\d\d|xx)|error|err|fail(ed|ure)?|server_error|timeout|exception|"
    r"unknown|deadline_?exceeded|internal|unavailable|data_?loss|resource_?exhausted|unimplemented|"
    r"(2|4|8|12|13|14|15)",
    re.IGNORECASE,
)
"""Ends that are the service's fault: of HTTP 5xx only, of gRPC those that SREs page on."""
_BASE_UNITS = ("seconds", "milliseconds", "bytes", "ratio", "percent", "watts", "joules", "celsius")
_LEVELS = re.compile(
    r"ratio|percent|utili[sz]ation|celsius|seconds|milliseconds|load\d*$|quantile|version|limit|max"
)
"""Words of gauges that add up to nothing: the highest of them counts."""


class Form(StrEnum):
    """How a metric is asked for."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"
    NATIVE = "native histogram"
    QUANTILES = "quantiles of a summary"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class Query:
    """One range query, and what its series are.

    Attributes:
        expression: PromQL.
        metric: name of its series; "{}" stands where ``split`` is filled in.
        service_label: label of its answer that says the service, or the node.
        about: "service" or "node".
        split: label that parts the answer further; "" where none does.
        unit: as stated at the source; None where it is not.
        adds: whether equal series found at two labels add up; else the higher one counts.
        columns: series that it is expected to add.
    """

    expression: str
    metric: str
    service_label: str
    about: str
    surroundings: Surroundings
    split: str = ""
    unit: str | None = None
    adds: bool = True
    columns: int = 1

    @property
    def is_rate(self) -> bool:
        """Whether ``split`` says how requests ended, so that errors come from it too."""
        return self.split in OUTCOMES


@dataclass(slots=True)
class Group:
    """The series of one metric whose service stands at one label.

    Attributes:
        names: labels that any of them has.
        places: cluster, namespace and service of each.
        cut: whether the label's value holds more than the service.
        idles: whether some are the time that nothing was done.
    """

    names: set[str] = field(default_factory=set)
    places: set[tuple[str, ...]] = field(default_factory=set)
    cut: bool = False
    idles: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """One metric to be asked for at one label; makes its queries."""

    name: str
    base: str
    matchers: str
    label: str
    group: Group
    window_s: float
    metadata: Metadata | None

    def queries(self, form: Form) -> Iterable[Query]:
        """What to ask for a metric of that form."""
        match form:
            case Form.COUNTER:
                return (self._rate(self._rated(self.name), self.name, self._per_second()),)
            case Form.GAUGE:
                return (self._gauge(),)
            case Form.HISTOGRAM:
                buckets = self._rated(f"{self.base}_bucket")
                counts = self._rate(self._rated(self.name), _ops(self.base), "1/s")
                return chain((counts,), self._quantiles(buckets, "le"))
            case Form.NATIVE:
                rated = self._rated(self.name)
                whole = f"histogram_count({self._over('sum', rated)})"
                counts = self._query(whole, _ops(self.base), "1/s")
                return chain((counts,), self._quantiles(rated))
            case Form.QUANTILES:
                highest = self._over("max", self._cut(self._selector(self.name)), "quantile")
                return (
                    self._query(
                        highest, f"{self.base}_p{{}}", self._unit(), "quantile", 3, adds=False
                    ),
                )
            case Form.SUMMARY:
                rated, sums = self._rated(self.name), self._rated(f"{self.base}_sum")
                mean = f"{self._over('sum', sums)} / {self._over('sum', rated)}"
                return (
                    self._rate(rated, _ops(self.base), "1/s"),
                    self._query(mean, f"{self.base}_mean", self._unit(), adds=False),
                )

    def _rate(self, rated: str, metric: str, unit: str) -> Query:
        """A rate, and that of the failed ones where a label says how each ended."""
        split = next((one for one in OUTCOMES if one in self.group.names), "")
        by = (split,) if split else ()
        return self._query(self._over("sum", rated, *by), metric, unit, split, 2 if split else 1)

    def _quantiles(self, rated: str, *by: str) -> Iterable[Query]:
        inner = self._over("sum", rated, *by)
        for suffix, share in QUANTILES:
            expression = f"histogram_quantile({share}, {inner})"
            yield self._query(expression, f"{self.base}_{suffix}", self._unit(), adds=False)

    def _gauge(self) -> Query:
        how = "max" if _LEVELS.search(self.name) else "sum"
        if self.name == "up":  # of several replicas: the share that is
            how = "avg"
        level = self._over(how, self._cut(self._selector(self.name)))
        unit = (self.metadata.unit or None) if self.metadata else None
        return self._query(level, self.name, unit, adds=how == "sum")

    def _query(
        self,
        expression: str,
        metric: str,
        unit: str | None,
        split: str = "",
        each: int = 1,
        *,
        adds: bool = True,
    ) -> Query:
        return Query(
            expression,
            metric,
            SERVICE if self.group.cut else self.label,
            "node" if is_of_node(self.name) else "service",
            Surroundings.among(self.group.names),
            split,
            unit,
            adds,
            each * len(self.group.places),
        )

    def _selector(self, name: str) -> str:
        return f"{name}{{{self.matchers}}}"

    def _rated(self, name: str) -> str:
        return self._cut(f"rate({self._selector(name)}[{self.window_s * 1000:.0f}ms])")

    def _cut(self, vector: str) -> str:
        """``vector`` with the service at a label of its own, where it has to be cut out."""
        if not self.group.cut:
            return vector
        # What has no suffix is the service itself: the second cut leaves the first as it is.
        whole = f'label_replace({vector}, "{SERVICE}", "$1", "{self.label}", "(.+)")'
        stem = quoted(STEMS[self.label])
        return f'label_replace({whole}, "{SERVICE}", "$1", "{self.label}", {stem})'

    def _over(self, how: str, vector: str, *by: str) -> str:
        label = SERVICE if self.group.cut else self.label
        kept = (label, *Surroundings.among(self.group.names).labels, *by)
        return f"{how} by ({', '.join(dict.fromkeys(kept))}) ({vector})"

    def _unit(self) -> str | None:
        """The unit of a sample: as metadata say, else as the name's last word does."""
        if self.metadata is not None and self.metadata.unit:
            return self.metadata.unit
        last = self.base.removesuffix("_total").rpartition("_")[2]
        return last if last in _BASE_UNITS else None

    def _per_second(self) -> str:
        match self._unit():
            case None:
                return "1/s"
            case "seconds":  # seconds of work a second
                return "cores" if read(self.name).kind is MetricKind.CPU else "ratio"
            case unit:
                return f"{unit}/s"


def is_of_node(name: str) -> bool:
    """Whether a metric is a machine's, by the exporters that machines have."""
    return name.startswith(("node_", "windows_", "kube_node_"))


def _ops(base: str) -> str:
    """How often a histogram or summary observed, as a metric that is named after its events.

    "http_request_duration_seconds" gives "http_request_ops": the rate of requests is no latency.
    """
    words = base.split("_")
    while len(words) > 1 and words[-1] in (*_BASE_UNITS, "duration", "latency", "time", "size"):
        words.pop()
    return "_".join([*words, "ops"])


def errors_of(metric: str) -> str:
    """The name of a rate's failed part: "http_requests_errors_total" of "http_requests_total"."""
    for end in ("_total", "_ops"):
        if metric.endswith(end):
            return f"{metric.removesuffix(end)}_errors{end}"
    return f"{metric}_errors"
