"""PageRank on the graph of blame: an effect points at what may have caused it."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from aiops.errors import AnalysisFailed
from aiops.model.telemetry import FloatArray


@dataclass(frozen=True, slots=True)
class Blame:
    """Node ``effect`` puts ``weight`` of blame on node ``cause``; nodes are 0 .. n-1."""

    effect: int
    cause: int
    weight: float = 1.0


def pagerank(
    nodes: int, blames: Iterable[Blame], restart: FloatArray, *, damping: float = 0.85
) -> FloatArray:
    """How much blame ends at each node when it is passed on from effect to cause for ever.

    Personalised PageRank (Page et al. 1999, section 6; as in MicroRank and CloudRanger): with
    probability ``1 - damping`` the walk restarts at a node in proportion to ``restart`` (its
    anomaly score), and it restarts too where a node blames nobody. Self-blame is ignored,
    parallel blames add up, cycles are fine.

    Args:
        nodes: number of nodes.
        blames: edges; weights that are zero, negative or NaN are ignored.
        restart: (nodes,) anomaly scores >= 0; NaN counts as 0; all 0 restarts anywhere.

    Returns: (nodes,) shares that sum to 1; empty for no nodes. The same input gives the same
        numbers.

    Raises:
        AnalysisFailed: the iteration does not settle.
        ValueError: ``restart`` has another length than ``nodes``.
    """
    if restart.shape != (nodes,):
        raise ValueError(f"{nodes} nodes need as many restart weights, not {restart.shape}")
    if nodes == 0:
        return np.empty(0)
    import networkx as nx

    graph: nx.DiGraph = nx.DiGraph()
    graph.add_nodes_from(range(nodes))
    for blame in blames:
        if blame.weight > 0 and blame.effect != blame.cause:
            held = graph.get_edge_data(blame.effect, blame.cause, {"weight": 0.0})["weight"]
            graph.add_edge(blame.effect, blame.cause, weight=held + blame.weight)
    wanted = np.where(restart > 0, restart, 0.0)  # NaN > 0 is False
    largest = wanted.max()
    # networkx divides by the sum: an all-zero personalisation is a ZeroDivisionError there.
    shares = dict(enumerate((wanted / largest).tolist())) if largest > 0 else None
    try:
        rank = nx.pagerank(
            graph, alpha=damping, personalization=shares, max_iter=500, tol=1e-10 / nodes
        )
    except nx.PowerIterationFailedConvergence as error:
        raise AnalysisFailed(
            f"pagerank: {nodes} nodes did not settle in 500 rounds; lower the damping"
        ) from error
    return np.array([rank[node] for node in range(nodes)])
