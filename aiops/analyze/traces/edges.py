"""Calls between services, and the share of each that the network took.

A client span is what the caller waited; the server spans below it are what the callee worked. The
difference is the network, queues and proxies between them. Both are durations, each on its own
clock, so clocks that differ do no harm.
"""

from dataclasses import dataclass

import numpy as np

from aiops.analyze.traces.forest import Forest, Mask, Rows
from aiops.model.telemetry import FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Calls:
    """Calls from one service to another, (k,) each.

    Attributes:
        client: row of the caller's span.
        caller, callee: index into the forest's services.
        edge: row of (caller, callee) in ``pairs``.
        pairs: (e, 2) each caller and callee once.
        waited: seconds the caller waited: its span where that covers this one call, else the
            callee's part.
        network: seconds, client span less the callee's part of it; NaN where the caller's span
            covers more than this one call, so that the rest of it is not the network's.
    """

    client: Rows
    caller: Rows
    callee: Rows
    edge: Rows
    pairs: Rows
    waited: FloatArray
    network: FloatArray


def calls(forest: Forest) -> Calls:
    """One call for each (client span, called service).

    Several server spans of one service below one client span (middleware that reports beside the
    handler, retries) are one call: from the first's start to the last's end.
    """
    spans, service = forest.spans, forest.service
    child = np.flatnonzero(forest.parent >= 0)
    client = forest.parent[child]
    across = service[child] != service[client]
    pure = np.ones(len(service), dtype=np.bool_)
    pure[client[~across]] = False
    server, client = child[across], client[across]
    services = max(1, len(spans.services))
    key = client * services + service[server]
    unique, call = np.unique(key, return_inverse=True)
    begin, end = np.full(len(unique), np.inf), np.full(len(unique), -np.inf)
    np.minimum.at(begin, call, spans.starts[server])
    np.maximum.at(end, call, forest.ends[server])
    callers, callee = unique // services, unique % services
    callees = np.bincount(callers, minlength=len(service))
    alone: Mask = pure[callers] & (callees[callers] == 1)
    worked = end - begin
    waited = np.where(alone, spans.durations[callers], worked)
    network = np.where(alone, np.maximum(waited - worked, 0.0), np.nan)
    codes, edge = np.unique(service[callers] * services + callee, return_inverse=True)
    return Calls(
        client=callers,
        caller=service[callers],
        callee=callee,
        edge=edge.astype(np.intp),
        pairs=np.column_stack([codes // services, codes % services]),
        waited=waited,
        network=network,
    )
