"""From edges to suspects: blame walks from effect to cause and restarts at what moved.

RUN lets PageRank run along cause -> effect, which gathers the mass at the effects; here it runs
backwards. RUN breaks ties by the distance to the trigger with a function its code never imports;
here distance is a column of the sort, and a node that no path reaches is merely last.
"""

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from aiops.analyze.neural.significance import Edges
from aiops.analyze.pagerank import Blame, pagerank
from aiops.model import Series, ServiceGraph
from aiops.model.telemetry import FloatArray

DAMPING = 0.5
"""Chance of another step towards a cause; half, as for the linear edges (granger_pagerank), whose
graph drowns the anomaly at the customary .85. Here edges are few: .25 and .85 rank alike."""
CALL_PRIOR = 3.0
"""How many times likelier an edge is between series of one service, or of a caller and its callee,
than between services that no call joins. A mild belief: no outcome rests on it (from 1 to 6 it
changed no edge of the development cases that carry a graph)."""
DIGITS = 9
"""Decimals of a score that are told apart: the rest is rounding and no reason to accuse."""


def call_prior(series: Sequence[Series], graph: ServiceGraph | None) -> FloatArray | None:
    """(m, m) [source, target] relative plausibility of each edge; None where no graph is known.

    Both directions of a call count: errors and latency travel to the caller, load to the callee.
    """
    if graph is None:
        return None
    names = [one.entity.service_name for one in series]
    joined = {(call.source.service_name, call.target.service_name) for call in graph.calls}
    near = [[a == b or (a, b) in joined or (b, a) in joined for b in names] for a in names]
    return np.where(np.array(near, dtype=bool), CALL_PRIOR, 1.0)


def causal_blames(edges: Edges, columns: npt.NDArray[np.intp], shift: FloatArray) -> list[Blame]:
    """Each effect blames its causes, by how far the cause itself moved.

    A cause that did not move has nothing to pass on, however well it predicts on quiet days.

    Args:
        edges: between the series at ``columns``, which index ``shift``.
    """
    return [
        Blame(int(columns[effect]), int(columns[cause]), float(shift[columns[cause]]))
        for cause, effect in np.argwhere(edges.present)
    ]


def call_blames(
    graph: ServiceGraph | None, series: Sequence[Series], shift: FloatArray
) -> list[Blame]:
    """Every series of a caller blames the most shifted series of each callee."""
    if graph is None:
        return []
    own: dict[str, list[int]] = {}
    for i in np.argsort(-shift, kind="stable"):
        own.setdefault(series[i].entity.service_name, []).append(int(i))
    pairs = sorted({(c.source.service_name, c.target.service_name) for c in graph.calls})
    return [
        Blame(effect, own[callee][0], float(shift[own[callee][0]]))
        for caller, callee in pairs
        if caller != callee and callee in own
        for effect in own.get(caller, ())
    ]


def blame_scores(blames: Sequence[Blame], shift: FloatArray, alerted: Sequence[int]) -> FloatArray:
    """(m,) personalised PageRank over ``blames``, restarting by shift and, as often, at the alert.

    The restarts at the alert start walks but are no blame of what the alert fired on: taken off,
    those included that follow a walk's end at a node that blames nobody.
    """
    alert = np.zeros(shift.size)
    if alerted:
        alert[list(alerted)] = max(float(shift.sum()), 1.0) / len(alerted)
    restart = shift + alert
    score = pagerank(shift.size, blames, restart, damping=DAMPING)
    if alerted:
        passing = [b.effect for b in blames if b.weight > 0 and b.effect != b.cause]
        ended = 1.0 - score[list(set(passing))].sum()
        score = score - (1 - DAMPING + DAMPING * ended) * alert / restart.sum()
    return np.maximum(score, 0.0)


def steps_from_alert(
    nodes: int, blames: Iterable[Blame], alerted: Sequence[int]
) -> npt.NDArray[np.intp]:
    """(nodes,) blames to follow from the alert to each node; ``nodes`` where none lead there."""
    import networkx as nx

    graph = nx.DiGraph((blame.effect, blame.cause) for blame in blames)
    graph.add_nodes_from(range(nodes))
    distance = np.full(nodes, nodes, dtype=np.intp)
    if alerted:
        for node, steps in nx.multi_source_dijkstra_path_length(
            graph, set(alerted), weight=None
        ).items():
            distance[node] = steps
    return distance


def order_of(
    score: FloatArray, shift: FloatArray, distance: npt.NDArray[np.intp], lots: FloatArray
) -> npt.NDArray[np.intp]:
    """Most blamed first; ties by distance to the alert, then by shift, then by lot."""
    order: npt.NDArray[np.intp] = np.lexsort(
        (lots, -np.round(shift, DIGITS), distance, -np.round(score, DIGITS))
    )
    return order
