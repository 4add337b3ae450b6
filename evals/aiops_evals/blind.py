"""Takes the order out of a case, so that no method can win by reading candidates as they come.

Some benchmark files list the culprit first; a method that fails and returns the column order then
looks good (notes: what ranks root causes well, "Traps"). Shuffling settles it for every method.
"""

import zlib
from dataclasses import replace

import numpy as np

from aiops.model import CaseData, LogTable, MetricTable, Reference, ServiceGraph, SpanTable
from aiops.model.telemetry import IntArray


def generator(seed: int, *labels: str) -> np.random.Generator:
    """Random numbers that depend on the run's seed and on what they are for, on nothing else."""
    return np.random.default_rng([seed, *(zlib.crc32(label.encode()) for label in labels)])


def shuffled(data: CaseData, seed: int) -> CaseData:
    """``data`` with every list of candidates in random order; what it says is unchanged."""
    rng = generator(seed, data.id, "order")
    window = data.window
    window = replace(
        window,
        metrics=_metrics(window.metrics, rng),
        load=_metrics(window.load, rng),
        logs=_logs(window.logs, rng),
        spans=_spans(window.spans, rng),
        alerts=tuple(window.alerts[i] for i in rng.permutation(len(window.alerts))),
        graph=_graph(window.graph, rng),
        reference=_reference(window.reference, rng),
    )
    return replace(data, window=window)


def _metrics(table: MetricTable | None, rng: np.random.Generator) -> MetricTable | None:
    return None if table is None else table.take(rng.permutation(len(table.series)))


def _graph(graph: ServiceGraph | None, rng: np.random.Generator) -> ServiceGraph | None:
    if graph is None:
        return None
    return ServiceGraph(
        tuple(graph.nodes[i] for i in rng.permutation(len(graph.nodes))),
        tuple(graph.calls[i] for i in rng.permutation(len(graph.calls))),
    )


def _logs(table: LogTable | None, rng: np.random.Generator) -> LogTable | None:
    if table is None:
        return None
    services, service_of = _relabelled(table.services, table.service_of, rng)
    return replace(table, services=services, service_of=service_of)


def _spans(table: SpanTable | None, rng: np.random.Generator) -> SpanTable | None:
    if table is None:
        return None
    services, service_of = _relabelled(table.services, table.service_of, rng)
    return replace(table, services=services, service_of=service_of)


def _relabelled(
    names: tuple[str, ...], index: IntArray, rng: np.random.Generator
) -> tuple[tuple[str, ...], IntArray]:
    """The names in another order, with the (n,) indices that still point at the same ones."""
    order = rng.permutation(len(names))
    place = np.empty(len(names), dtype=np.int32)
    place[order] = np.arange(len(names), dtype=np.int32)
    return tuple(names[i] for i in order), place[index]


def _reference(reference: Reference | None, rng: np.random.Generator) -> Reference | None:
    if reference is None:
        return None
    return Reference(
        _metrics(reference.metrics, rng),
        _logs(reference.logs, rng),
        _spans(reference.spans, rng),
    )
