"""How the specialists of a round work together, chosen from the shortlist.

After AdaptOrch: by how the questions hang together. Suspects that call one another are told apart
by following requests down; where nothing is known but what tools answer, each answer says what to
ask next; all else is looked at side by side.
"""

from collections.abc import Sequence
from typing import Final

from aiops.agents.policies.policy import Known, Topology
from aiops.model.graph import ServiceGraph

SUSPECTS: Final = 4
"""Whom it is looked for among: further down the list nobody is on anybody's way."""


def topology_of(known: Known, *, asks_for_all: bool) -> Topology:
    """The way of the next round.

    Args:
        asks_for_all: whether nothing was recorded but what tools answer.
    """
    if asks_for_all:
        return "sequential"
    window, ranking = known.case.window, known.shortlist.ranking
    if ranking.verdict == "healthy" or window.spans is None or not len(window.spans.starts):
        return "parallel"
    names = [one.entity.service_name for one in ranking.entities()[:SUSPECTS]]
    if window.graph is not None:
        return "recursive" if _on_one_path(names, window.graph) else "parallel"
    spoken = [name for name in names if name in window.spans.services]
    return "recursive" if len(spoken) > 1 else "parallel"


def _on_one_path(names: Sequence[str], graph: ServiceGraph) -> bool:
    """Whether calls lead from one of ``names`` to another, however many lie between."""
    calls: dict[str, set[str]] = {}
    for call in graph.calls:
        calls.setdefault(call.source.service_name, set()).add(call.target.service_name)
    for name in names:
        seen, front = {name}, [name]
        while front:
            new = calls.get(front.pop(), set()) - seen
            seen |= new
            front.extend(new)
        if seen & (set(names) - {name}):
            return True
    return False
