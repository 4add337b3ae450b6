"""What to ask a Prometheus for, from the series it has and what their targets say. Pure.

Counters become rates, histograms quantiles and a rate, summaries their quantiles and a rate;
whatever a service's own labels split further is added up, so that each service has one series of
each metric.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from aiops.analyze.metric_kinds import MetricKind, read
from aiops.ingest.prometheus.api import Metadata
from aiops.ingest.prometheus.queries import Asked, Form, Group, Query, is_of_node
from aiops.ingest.service_labels import (
    NODE_LABELS,
    OBJECT_LABELS,
    SERVICE_LABELS,
    STEMS,
    pattern,
    place,
    quoted,
    selects,
)

LEFT_OUT = r".*_(bucket|created|info)|ALERTS.*|scrape_.*"
"""Metrics that no query needs the label sets of: constants, and buckets, which are many."""
_LEFT_OUT = re.compile(LEFT_OUT)


@dataclass(frozen=True, slots=True)
class Plan:
    """What to ask, and what is not asked for, in words."""

    queries: tuple[Query, ...]
    notes: tuple[str, ...] = ()


def searches(
    services: Collection[str] | None,
    service_labels: Sequence[str] = SERVICE_LABELS,
    names: Collection[str] | None = None,
) -> tuple[str, ...]:
    """The matchers of every series that can belong to ``services``.

    Args:
        names: of metrics; None for all but those that are of no use.
    """
    chosen = f"__name__!~{quoted(LEFT_OUT)}"
    if names is not None:
        chosen = f"__name__=~{quoted('|'.join(names))}"
    if services is None:
        return (f'{{__name__=~".+",{chosen}}}',)
    labels = dict.fromkeys((*service_labels, *OBJECT_LABELS))
    return tuple(f"{{{label}=~{quoted(pattern(label, services))},{chosen}}}" for label in labels)


def worth_reading(names: Iterable[str]) -> list[str]:
    """The names that series are looked for by, those of a known kind first."""
    return sorted((one for one in names if not _LEFT_OUT.fullmatch(one)), key=_rank)


def plan(
    found: Iterable[Mapping[str, str]],
    metadata: Mapping[str, Metadata],
    services: Collection[str] | None,
    *,
    window_s: float,
    most_columns: int,
    labels: Sequence[str] = SERVICE_LABELS,
) -> Plan:
    """The queries for the series that were found.

    Args:
        found: label sets, with the metric's name as ``__name__``.
        window_s: of rates.
        most_columns: series of the answer; metrics of no known kind are left out first.
        labels: that say the service, the most telling first.
    """
    groups = _groups(found, services, labels)
    names = {name for name, _ in groups}
    queries: list[Query] = []
    left_out: list[str] = []
    columns = 0
    for (name, label), group in sorted(
        groups.items(), key=lambda item: (_rank(item[0][0]), item[0])
    ):
        form, base = _form(name, "quantile" in group.names, names, metadata)
        if form is None:
            continue
        order = _order(name, labels)
        wanted = (*selects(label, services, order), *_whole_only(name, group))
        asked = Asked(name, base, ",".join(wanted), label, group, window_s, metadata.get(base))
        added = tuple(asked.queries(form))
        width = sum(one.columns for one in added)
        if columns + width > most_columns:
            left_out.append(name)
            continue
        columns += width
        queries += added
    notes = []
    if left_out:
        notes.append(
            f"{len(left_out)} metrics were not read, to keep to {most_columns} series: "
            f"{some(left_out)}; ask for fewer services or raise 'max_series'"
        )
    return Plan(tuple(queries), tuple(notes))


def _groups(
    found: Iterable[Mapping[str, str]], services: Collection[str] | None, labels: Sequence[str]
) -> dict[tuple[str, str], Group]:
    groups: dict[tuple[str, str], Group] = {}
    for one in found:
        name = one.get("__name__", "")
        placed = place(one, _order(name, labels), services)
        if not name or placed is None or (is_of_node(name) and services is not None):
            continue
        label, service = placed
        group = groups.setdefault((name, label), Group())
        group.names.update(key for key, value in one.items() if value)
        group.places.add((one.get("cluster", ""), one.get("namespace", ""), service))
        group.cut |= label in STEMS and one[label] != service
        group.idles |= one.get("mode") == "idle"
    return groups


def _order(name: str, labels: Sequence[str]) -> Sequence[str]:
    if is_of_node(name):
        return NODE_LABELS
    if name.startswith(("container_", "kube_")):
        return OBJECT_LABELS
    return labels


def _rank(name: str) -> tuple[bool, str]:
    """Metrics of a known kind come first."""
    return read(name).kind is MetricKind.OTHER, name


def _whole_only(name: str, group: Group) -> tuple[str, ...]:
    """Matchers against series that are parts or totals of others."""
    matchers = []
    if name.startswith("container_") and "container" in group.names:
        # cAdvisor also has the sum of each pod, without a container, and its empty "POD".
        matchers.append('container!~"|POD"')
    if group.idles:  # seconds of all modes add up to the number of cores
        matchers.append('mode!~"idle|iowait"')
    return tuple(matchers)


def _form(
    name: str, has_quantiles: bool, names: Collection[str], metadata: Mapping[str, Metadata]
) -> tuple[Form | None, str]:
    """How to ask for a metric, None for not at all; and the name that its metadata stand under."""
    stem, _, end = name.rpartition("_")
    family = metadata[stem].type if end in ("count", "sum") and stem in metadata else ""
    if family in ("histogram", "summary"):
        of = Form.HISTOGRAM if family == "histogram" else Form.SUMMARY
        return (of if end == "count" else None), stem
    if name in metadata:
        match metadata[name].type:
            case "counter":
                return Form.COUNTER, name
            case "gauge":
                return Form.GAUGE, name
            case "histogram":
                return Form.NATIVE, name
            case "summary":
                return Form.QUANTILES, name
    if end == "total":
        return Form.COUNTER, stem if stem in metadata else name
    if has_quantiles:
        return Form.QUANTILES, name
    if end in ("count", "sum") and {f"{stem}_count", f"{stem}_sum"} <= set(names):
        guessed = Form.SUMMARY if stem in names else Form.HISTOGRAM
        return (guessed if end == "count" else None), stem
    return Form.GAUGE, name


def some(names: Sequence[str]) -> str:
    """The first of many names."""
    shown = ", ".join(names[:5])
    return shown if len(names) <= 5 else f"{shown} and {len(names) - 5} more"
