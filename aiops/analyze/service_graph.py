"""Who calls whom, as seen over time: from spans, from the metrics of a mesh, and put together.

A call that was seen is kept with how often, how often it failed, and when first and last; one that
has not been seen for long fades. Entities of spans carry names only.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from aiops.analyze.metric_kinds import MetricKind, reading_of
from aiops.analyze.samples import rates, sampled
from aiops.analyze.traces.edges import calls
from aiops.analyze.traces.errors import failed
from aiops.analyze.traces.forest import forest
from aiops.model import Call, Entity, MetricTable, ServiceGraph, SpanTable
from aiops.model.telemetry import FloatArray

FADE_S: Final = 7 * 86_400.0
"""Seconds without a call after which an edge is gone: a weekly job's edge is kept, that to a
service that moved away is not for long."""
_SIDES: Final = re.compile(
    r"^(?:(?P<caller>source|src|client|caller)|(?P<callee>destination|dest|dst|server|callee))"
    r"(?:[._-]+(?P<what>.+))?$"
)
_NAMES: Final = (
    "canonical_service",
    "service_name",
    "service",
    "app",
    "workload",
    "workload_name",
    "deployment",
    "name",
    None,  # "client" and "server" by themselves
)
_NAMESPACES: Final = ("service_namespace", "workload_namespace", "namespace")
_UNKNOWN: Final = frozenset({"", "unknown", "none", "-"})


@dataclass(frozen=True, slots=True)
class SeenCall:
    """Calls from one entity to another.

    Attributes:
        calls, errors: how many, and how many of them failed.
        first, last: unix seconds of the first and the last that was seen.
    """

    source: Entity
    target: Entity
    calls: float
    errors: float
    first: float
    last: float


def seen_in_spans(table: SpanTable) -> tuple[SeenCall, ...]:
    """The calls between services in ``table``: a span whose parent is another service's.

    A producer and the consumer below it are such a pair, too. A call failed where the caller's
    span states an error.
    """
    trees = forest(table)
    found = calls(trees)
    edges = len(found.pairs)
    error = failed(trees)[found.client].astype(np.float64)
    starts = trees.spans.starts[found.client]
    first, last = np.full(edges, np.inf), np.full(edges, -np.inf)
    np.minimum.at(first, found.edge, starts)
    np.maximum.at(last, found.edge, starts)
    counts = np.bincount(found.edge, minlength=edges)
    errors = np.bincount(found.edge, error, minlength=edges)
    return tuple(
        SeenCall(
            source=Entity("service", table.services[caller]),
            target=Entity("service", table.services[callee]),
            calls=float(counts[i]),
            errors=float(errors[i]),
            first=float(first[i]),
            last=float(last[i]),
        )
        for i, (caller, callee) in enumerate(found.pairs.tolist())
    )


def seen_in_metrics(table: MetricTable) -> tuple[SeenCall, ...]:
    """The calls that a mesh measured: series called "edge:<caller>:<metric>", of the callee.

    Metrics of load count calls and those of errors failures, each the one that counts most, since
    both ends may report. Where only latencies are known, no call is counted.
    """
    found: dict[tuple[Entity, Entity], SeenCall] = {}
    for i, one in enumerate(table.series):
        if not one.metric.startswith("edge:"):
            continue
        caller = one.metric.removeprefix("edge:").rsplit(":", 1)[0]
        callee = one.entity
        source = Entity("service", caller, callee.namespace, callee.cluster)
        column = table.take(np.array([i], dtype=np.intp))
        kind = reading_of(one).kind
        amount, when = _amount(column)
        if not len(when):
            continue
        counted = kind in (MetricKind.LOAD, MetricKind.ERRORS)
        seen = SeenCall(
            source,
            callee,
            calls=amount if counted else 0.0,
            errors=amount if kind is MetricKind.ERRORS else 0.0,
            first=float(when[0]),
            last=float(when[-1]),
        )
        known = found.get((source, callee))
        found[source, callee] = seen if known is None else _widest(known, seen)
    return tuple(found.values())


def merged(seen: Iterable[SeenCall]) -> tuple[SeenCall, ...]:
    """Calls from stretches of time that do not overlap, one for each pair of ends."""
    found: dict[tuple[Entity, Entity], SeenCall] = {}
    for one in seen:
        ends = (one.source, one.target)
        known = found.get(ends)
        if known is not None:
            one = SeenCall(
                *ends,
                calls=known.calls + one.calls,
                errors=known.errors + one.errors,
                first=min(known.first, one.first),
                last=max(known.last, one.last),
            )
        found[ends] = one
    return tuple(found.values())


def graph_of(seen: Iterable[SeenCall], services: Iterable[str] = ()) -> ServiceGraph:
    """The graph of these calls, each weighted by its number, at least 1.

    Args:
        services: names of those that are known, whether or not anybody calls them.
    """
    found = merged(seen)
    named = (Entity("service", name) for name in services)
    nodes = dict.fromkeys((*named, *(end for one in found for end in (one.source, one.target))))
    return ServiceGraph(
        tuple(sorted(nodes, key=_order)),
        tuple(
            Call(one.source, one.target, max(1.0, one.calls), one.last)
            for one in sorted(found, key=lambda one: (_order(one.source), _order(one.target)))
        ),
    )


def joined(graphs: Iterable[ServiceGraph]) -> ServiceGraph:
    """What several graphs know together; of one call that many know, the most and the latest."""
    found: dict[tuple[Entity, Entity], Call] = {}
    nodes: dict[Entity, None] = {}
    for graph in graphs:
        nodes.update(dict.fromkeys(graph.nodes))
        for call in graph.calls:
            known = found.setdefault((call.source, call.target), call)
            times = [one.last_seen for one in (known, call) if one.last_seen is not None]
            found[call.source, call.target] = Call(
                call.source,
                call.target,
                max(known.weight, call.weight),
                max(times, default=None),
            )
    return ServiceGraph(tuple(nodes), tuple(found.values()))


def seen_at(graph: ServiceGraph, at: float) -> ServiceGraph:
    """``graph`` with the calls whose source does not say when they were seen, seen then."""
    return replace(
        graph,
        calls=tuple(
            replace(call, last_seen=at) if call.last_seen is None else call for call in graph.calls
        ),
    )


def unfaded(graph: ServiceGraph, now: float, after_s: float = FADE_S) -> ServiceGraph:
    """``graph`` without the calls last seen more than ``after_s`` seconds before ``now``.

    An entity goes with its last call; one that never had any stays.
    """
    kept = tuple(
        call for call in graph.calls if call.last_seen is None or call.last_seen >= now - after_s
    )
    gone = {end for call in graph.calls for end in (call.source, call.target)}
    gone -= {end for call in kept for end in (call.source, call.target)}
    return ServiceGraph(tuple(node for node in graph.nodes if node not in gone), kept)


def mesh_ends(labels: Mapping[str, str]) -> tuple[Entity, Entity] | None:
    """Caller and callee that the labels of a metric name; None where they name no two services.

    Reads the pairs that meshes and collectors write: source_* and destination_*, client_* and
    server_*, or plainly client and server.
    """
    sides: dict[bool, dict[str | None, str]] = {True: {}, False: {}}
    for name, value in labels.items():
        match = _SIDES.match(name.lower())
        if match is not None and value.lower() not in _UNKNOWN:
            what = match["what"]
            plain = None if what is None else re.sub(r"[._-]+", "_", what)
            sides[match["caller"] is not None][plain] = value
    caller, callee = _end(sides[True]), _end(sides[False])
    return None if caller is None or callee is None else (caller, callee)


def edge_metric(caller: Entity, metric: str) -> str:
    """The name under which the callee's series carries a metric of the calls by ``caller``."""
    return f"edge:{caller.name.replace(':', '_')}:{metric.replace(':', '_')}"


def _end(side: Mapping[str | None, str]) -> Entity | None:
    name = next((side[what] for what in _NAMES if what in side), None)
    if name is None:
        return None
    namespace = next((side[what] for what in _NAMESPACES if what in side), None)
    # "web.shop.svc.cluster.local" is the service web of the namespace shop.
    short, dot, rest = name.partition(".")
    within = rest.partition(".")
    if dot and within[2].startswith("svc"):
        name, namespace = short, namespace or within[0]
    return Entity("service", name, namespace)


def _amount(column: MetricTable) -> tuple[float, FloatArray]:
    """How many events the one series of a table counts, and (k,) times at which it saw some."""
    rate = rates(column)
    values = rate.values[:, 0]
    known = sampled(values) & (values > 0)
    steps = np.diff(column.times, prepend=column.times[:1])
    usual = float(np.median(steps[1:])) if len(steps) > 1 else 1.0
    steps[:1] = usual
    return float((values[known] * steps[known]).sum()), column.times[known]


def _widest(one: SeenCall, other: SeenCall) -> SeenCall:
    return SeenCall(
        one.source,
        one.target,
        calls=max(one.calls, other.calls),
        errors=max(one.errors, other.errors),
        first=min(one.first, other.first),
        last=max(one.last, other.last),
    )


def _order(entity: Entity) -> tuple[str, ...]:
    return (
        entity.kind,
        entity.name,
        entity.namespace or "",
        entity.cluster or "",
        entity.service or "",
    )
