"""Who calls whom, how often and how slowly, from the spans themselves."""

from dataclasses import dataclass

import numpy as np

from aiops.analyze.traces.edges import calls
from aiops.analyze.traces.forest import forest
from aiops.model import Call, Entity, ServiceGraph, SpanTable


@dataclass(frozen=True, slots=True)
class EdgeTimes:
    """The calls of one edge of a service graph.

    Attributes:
        calls: how many.
        latency_p50_s, latency_p95_s: seconds the caller waited.
        network_p50_s: seconds of that which the callee did not work; NaN where not measurable.
    """

    call: Call
    calls: int
    latency_p50_s: float
    latency_p95_s: float
    network_p50_s: float


def edge_times(table: SpanTable) -> tuple[EdgeTimes, ...]:
    """Every edge between services in ``table``, by the names of caller and callee.

    The weight of each call is the number of calls. Namespaces and clusters are not recorded in
    spans: entities carry names only.
    """
    trees = forest(table)
    found = calls(trees)
    order = np.argsort(found.edge, kind="stable")
    sizes = np.bincount(found.edge, minlength=len(found.pairs))
    times = []
    for (caller, callee), rows in zip(
        found.pairs.tolist(), np.split(order, np.cumsum(sizes)[:-1]), strict=False
    ):
        source, target = table.services[caller], table.services[callee]
        network = found.network[rows]
        p50, p95 = np.quantile(found.waited[rows], [0.5, 0.95]).tolist()
        measured = network[np.isfinite(network)]
        times.append(
            EdgeTimes(
                call=Call(
                    Entity("service", source), Entity("service", target), weight=float(len(rows))
                ),
                calls=len(rows),
                latency_p50_s=p50,
                latency_p95_s=p95,
                network_p50_s=float(np.median(measured)) if len(measured) else float("nan"),
            )
        )
    return tuple(sorted(times, key=lambda one: (one.call.source.name, one.call.target.name)))


def service_graph(table: SpanTable) -> ServiceGraph:
    """The service graph of the spans: every service seen, every edge weighted by its calls."""
    return ServiceGraph(
        nodes=tuple(Entity("service", name) for name in sorted(set(table.services))),
        calls=tuple(one.call for one in edge_times(table)),
    )
