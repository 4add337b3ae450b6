"""What one request of a user asks of each service, as the topology says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lab.pods.app import find
from aiops_lab.topology.model import Call, Optional, Publish, Query, Together, Work

if TYPE_CHECKING:
    from aiops_lab.faults.ports import Ground
    from aiops_lab.topology.model import Step, Topology


@dataclass(frozen=True, slots=True)
class Demand:
    """Calls of a service, and CPU milliseconds of its own work, on average per user's request."""

    calls: float = 0.0
    work_ms: float = 0.0

    def __add__(self, other: Demand) -> Demand:
        return Demand(self.calls + other.calls, self.work_ms + other.work_ms)

    def times(self, factor: float) -> Demand:
        """So many times as much."""
        return Demand(self.calls * factor, self.work_ms * factor)


def demand(topology: Topology, service: str) -> Demand:
    """Of one user's request, over the visits by their weights."""
    total, requests = Demand(), 0.0
    for visit in topology.visits:
        requests += visit.weight * len(visit.requests)
        for method, path in visit.requests:
            total += _of_call(topology, topology.entry, method, path, service).times(visit.weight)
    return total.times(1 / requests)


def loaded(ground: Ground) -> tuple[str, ...]:
    """Services that do work of their own for what users ask."""
    topology = ground.topology
    return tuple(name for name in topology.services if demand(topology, name).work_ms > 0)


def _of_call(topology: Topology, to: str, method: str, path: str, service: str) -> Demand:
    found = find(topology.services[to].routes, method, path)
    own = Demand(calls=1.0) if to == service else Demand()
    if found is None:
        return own
    for step in found[0].steps:
        own += _of_step(topology, to, step, service)
    return own


def _of_step(topology: Topology, at: str, step: Step, service: str) -> Demand:
    match step:
        case Work(ms=ms):
            return Demand(work_ms=ms) if at == service else Demand()
        case Call(to=to, method=method, path=path):
            return _of_call(topology, to, method, path, service)
        case Query(to=to) | Publish(to=to):
            return Demand(calls=1.0) if to == service else Demand()
        case Together(steps=inner):
            return sum((_of_step(topology, at, one, service) for one in inner), Demand())
        case Optional(step=one):
            return _of_step(topology, at, one, service)
