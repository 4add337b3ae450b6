"""Which end of a slow call is at fault: the entity that explains the most slow calls.

A delayed or starved instance is slow towards everybody: on all calls into it and out of it. Its
neighbours share one slow call with it and have others that are fine. So the culprit is sought as
the entity whose own calls are slow and cover most of the slowness, and what it covers no longer
speaks against anybody else (explaining-away).
"""

from dataclasses import dataclass

import numpy as np

from aiops.analyze.traces.forest import Mask, Rows
from aiops.model.telemetry import FloatArray


@dataclass(frozen=True, slots=True)
class Blame:
    """The slow calls that one entity explains.

    Attributes:
        entity: its number.
        edges: the affected edges it covers, that no stronger culprit covered before.
        seconds: excess of a call through them, weighted by how many there were.
        affected: share of its own edges that are affected, by number of edges.
        consistent: share of the known calls into it that are affected, or out of it, whichever is
            larger: what slows an entity slows all of one side at least.
        covered: share of all excess (calls times seconds) that it covers.
    """

    entity: int
    edges: tuple[int, ...]
    seconds: float
    affected: float
    consistent: float
    covered: float


def blamed(
    caller: Rows, callee: Rows, excess: FloatArray, calls: FloatArray, floor: float
) -> tuple[Blame, ...]:
    """Entities that explain the slow edges, greedily, the one that explains most first.

    Args:
        caller, callee: (e,) entity at each end of an edge; caller -1 where unknown.
        excess: (e,) seconds by which a call through it is slower than usual, NaN if not known.
        calls: (e,) how many calls it carried.
        floor: seconds from which an edge counts as affected.
    """
    known = np.isfinite(excess)
    left: Mask = known & (excess >= floor)
    mass = np.where(left, excess, 0.0) * calls
    total = float(mass.sum())
    found: list[Blame] = []
    ends = [caller, callee]
    while left.any():
        best: tuple[float, Blame] | None = None
        for entity in sorted(set(caller[left].tolist()) | set(callee[left].tolist())):
            if entity < 0:
                continue
            own = np.logical_or(*(end == entity for end in ends))
            covers = own & left
            # Its edges that are fine speak against it; those another one explained do not.
            fine = own & known & (excess < floor)
            affected = float(covers.sum() / (covers.sum() + fine.sum()))
            weight = float(mass[covers].sum()) * affected
            candidate = Blame(
                entity=int(entity),
                edges=tuple(np.flatnonzero(covers).tolist()),
                seconds=float(mass[covers].sum() / max(float(calls[covers].sum()), 1e-12)),
                affected=affected,
                consistent=max(_share(own & known & (end == entity), left) for end in ends),
                covered=float(mass[covers].sum()) / total,
            )
            # Of two that explain the same, the called one: callers see what their callees do.
            if best is None or weight > best[0] * (1 + 1e-9):
                best = (weight, candidate)
            elif weight > best[0] * (1 - 1e-9):
                called = bool((callee[covers] == entity).all())
                best = (weight, candidate) if called else best
        if best is None:
            break
        found.append(best[1])
        left[list(best[1].edges)] = False
    return tuple(found)


def _share(among: Mask, affected: Mask) -> float:
    return float((among & affected).sum() / max(int(among.sum()), 1))
