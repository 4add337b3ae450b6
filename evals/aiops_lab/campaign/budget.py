"""How many cases run at once, so that none spoils another's measurements.

Live cases share one machine's CPU. Faults that burn it take a share that is known beforehand, and
together no more than half of what the machine has (notes: measures, "Live runs on the lab").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiops_lab.faults.calls import RETRY_STORM, TRAFFIC
from aiops_lab.faults.capacity import HPA_LIMIT
from aiops_lab.faults.compute import CPU, NOISY_NEIGHBOUR
from aiops_lab.faults.demand import demand
from aiops_lab.faults.orders import read_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aiops_lab.campaign.plan import PlannedCase
    from aiops_lab.faults.orders import Injection, Order
    from aiops_lab.faults.ports import Ground
    from aiops_lab.topology.model import Topology

# What a call costs beside the service's own work: two proxied hops, parsing, a span, a log line.
CALL_MS = 2.0


@dataclass(frozen=True, slots=True)
class Limits:
    """What a campaign may do at once.

    Attributes:
        labs: how many cases.
        cores: that the faults of these may burn together.
        busiest_cpu: share of the machine's CPU from which on a case is not valid.
        attempts: to record a case, before it is given up.
    """

    labs: int
    cores: float
    busiest_cpu: float = 0.85
    attempts: int = 3


@dataclass(frozen=True, slots=True)
class Turn:
    """A case that waits or runs.

    Attributes:
        attempt: from 1.
        cores: that its faults burn.
    """

    case: PlannedCase
    attempt: int
    cores: float


def next_turn(waiting: Sequence[Turn], running: Sequence[Turn], limits: Limits) -> Turn | None:
    """The first of those waiting that may start now; ``None``: none may.

    A repeated case runs beside none that burns CPU, and the last attempt runs alone.
    """
    if len(running) >= limits.labs or any(_alone(one, limits) for one in running):
        return None
    burnt = sum(_need(one, limits) for one in running)
    for turn in waiting:
        if _alone(turn, limits):
            fits = not running
        else:
            # What alone exceeds the budget must run some time: then nothing burns CPU beside it.
            fits = burnt + _need(turn, limits) <= limits.cores or not burnt
        if fits:
            return turn
    return None


def _alone(turn: Turn, limits: Limits) -> bool:
    return turn.attempt > 1 and turn.attempt >= limits.attempts


def _need(turn: Turn, limits: Limits) -> float:
    return turn.cores if turn.attempt == 1 else max(turn.cores, limits.cores)


def cores_of(case: PlannedCase, ground: Ground, rate: float) -> float:
    """Cores that the faults of a case burn, beyond what the lab takes without them.

    Args:
        rate: users' requests a second.
    """
    return sum(_cores(order, ground, rate) for order in case.orders)


def _cores(order: Order, ground: Ground, rate: float) -> float:
    found, topology = read_order(order, ground), ground.topology
    if found.kind in (CPU, NOISY_NEIGHBOUR):
        return min(float(found.values["cores"]), _limit(found, topology))
    if found.kind in (RETRY_STORM, HPA_LIMIT):
        return _limit(found, topology)
    if found.kind is TRAFFIC:
        return (float(found.values["factor"]) - 1) * rate * _cores_of_a_request(topology)
    return 0.0


def _limit(found: Injection, topology: Topology) -> float:
    service = topology.services[found.target]
    return service.resources.cpu_limit * service.replicas


def _cores_of_a_request(topology: Topology) -> float:
    asked = [demand(topology, name) for name in topology.services]
    return sum(one.work_ms + CALL_MS * one.calls for one in asked) / 1e3
