"""Explaining load away: a surge is its first unexplained step's, and what it costs is the surge's.

Load flows from callers to callees. Where it grew no more than it grew at somebody upstream, it was
passed on; where it grew by itself, users or a wild client came in there. A service that is called
three times as often burns up to three times the CPU and may answer as much later: that is no fault
of its own.
"""

import numpy as np
import numpy.typing as npt

from aiops.analyze.metric_kinds import RESOURCES, MetricKind, Vantage, reading_of
from aiops.analyze.shifts import Shifts
from aiops.analyze.symptom_paths import LEAST_UNEXPLAINED
from aiops.model import Entity, Series, ServiceGraph
from aiops.model.telemetry import FloatArray

LEAST_GROWTH = 1.5
"""Factor from which a rise of load is a surge: half as much again is within the headroom that
services are run with."""
LEAST_MATERIAL = 3.0
"""Material variations that a surge's rise of load must be besides: three sigma."""
MOST_GROWTH = 1e3
"""Growth from next to nothing is cut here: ratios to zero mean no more than that."""
OWN_STEP = 0.5
"""Share of a growth, in logarithms, from which it is a step of the service's own."""

_DRIVEN = RESOURCES | {MetricKind.NETWORK, MetricKind.LOAD}
"""Kinds that grow with the work a service is given."""


def surge_first(
    score: FloatArray,
    series: tuple[Series, ...],
    shifts: Shifts,
    service: npt.NDArray[np.intp],
    graph: ServiceGraph,
) -> FloatArray:
    """(m,) scores in which surges of load stand before what they explain.

    A surge inherits the score that it takes from other metrics, of its own service and of all that
    are called from there.

    Args:
        service: (m,) number of each column's service.
    """
    loads = _surging(series, shifts)
    if not loads:
        return score
    growth: dict[int, float] = {}
    for i in loads:
        growth[int(service[i])] = max(growth.get(int(service[i]), 1.0), _growth(shifts, i))
    upstream = _upstream(series, service, graph)
    passed_on = {s: max((growth.get(u, 1.0) for u in upstream[s]), default=1.0) for s in growth}
    own = {s: max(0.0, 1 - np.log(passed_on[s]) / np.log(g)) for s, g in growth.items()}
    share = np.ones(len(series))
    for i in range(len(series)):
        grown = growth.get(int(service[i]))
        if grown is not None and shifts.moved[i] > 0:
            expected = (grown - 1) * abs(shifts.before[i])
            left = own[int(service[i])] if i in loads else 1 - expected / shifts.moved[i]
            share[i] = max(LEAST_UNEXPLAINED, left)
    explained = score * share
    taken = score - explained
    for i in loads:
        root = int(service[i])
        if own[root] >= OWN_STEP:
            mine = [s == root or root in upstream[s] for s in map(int, service)]
            explained[i] = max(explained[i], float(taken[mine].max(initial=0.0)))
    return explained


def beyond_load(
    series: tuple[Series, ...], shifts: Shifts, service: npt.NDArray[np.intp]
) -> FloatArray:
    """(m,) share of each rise of what is used up that its service's load does not explain.

    Twice the requests burn twice the CPU: no sign that anything is wrong. Without a load metric of
    its own a service is taken to have grown as the fleet did. More growth than ``LEAST_GROWTH`` is
    a surge, and explains no more than that.
    """
    loads = [
        i
        for i, one in enumerate(series)
        if shifts.kinds[i] is MetricKind.LOAD and reading_of(one).vantage is Vantage.OWN
    ]
    growth: dict[int, list[float]] = {}
    for i in loads:
        grown = _growth(shifts, i) if shifts.moved[i] > 0 else 1.0
        growth.setdefault(int(service[i]), []).append(grown)
    own = {s: min(float(np.median(found)), LEAST_GROWTH) for s, found in growth.items()}
    fleet = float(np.median(list(own.values()))) if own else 1.0
    share = np.ones(len(series))
    for i in range(len(series)):
        grown = own.get(int(service[i]), fleet)
        if shifts.kinds[i] in _DRIVEN and shifts.moved[i] > 0 and grown > 1:
            share[i] = max(0.0, 1 - (grown - 1) * abs(shifts.before[i]) / shifts.moved[i])
    return share


def _surging(series: tuple[Series, ...], shifts: Shifts) -> set[int]:
    """The columns that show a surge of their own service's load."""
    return {
        i
        for i, one in enumerate(series)
        if shifts.kinds[i] is MetricKind.LOAD
        and reading_of(one).vantage is Vantage.OWN
        and shifts.material[i] >= LEAST_MATERIAL
        and _growth(shifts, i) >= LEAST_GROWTH
    }


def _growth(shifts: Shifts, column: int) -> float:
    before, moved = float(shifts.before[column]), float(shifts.moved[column])
    return 1 + moved / max(before, abs(moved) / MOST_GROWTH)


def _upstream(
    series: tuple[Series, ...], service: npt.NDArray[np.intp], graph: ServiceGraph
) -> dict[int, set[int]]:
    """Everything that reaches each service by calls, itself left out."""
    example = {int(s): series[i].entity for i, s in enumerate(service)}
    by_name: dict[str, list[int]] = {}
    for number, entity in example.items():
        by_name.setdefault(entity.service_name, []).append(number)

    def numbers(entity: Entity) -> set[int]:
        alike = by_name.setdefault(entity.service_name, [])
        found = {number for number in alike if example[number].same_service(entity)}
        if not found:  # nothing is measured of it, but load passes through
            found = {len(example)}
            example[len(example)] = entity
            alike.extend(found)
        return found

    measured = tuple(example)
    direct: dict[int, set[int]] = {}
    for call in graph.calls:
        for target in numbers(call.target):
            direct.setdefault(target, set()).update(numbers(call.source))
    return {number: _reaching(number, direct) - {number} for number in measured}


def _reaching(start: int, direct: dict[int, set[int]]) -> set[int]:
    seen: set[int] = set()
    front = [start]
    while front:
        new = direct.get(front.pop(), set()) - seen
        seen |= new
        front.extend(new)
    return seen
