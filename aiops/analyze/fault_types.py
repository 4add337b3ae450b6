"""Which kind of fault the shifts of a service look like, in our vocabulary."""

import numpy as np
import numpy.typing as npt

from aiops.analyze.metric_kinds import MetricKind
from aiops.analyze.shifts import Shifts
from aiops.analyze.suspicion import upward
from aiops.model import FaultType

_TYPES = {
    MetricKind.CPU: FaultType.CPU,
    MetricKind.MEMORY: FaultType.MEMORY,
    MetricKind.DISK: FaultType.DISK,
    MetricKind.LATENCY: FaultType.LATENCY,
    MetricKind.ERRORS: FaultType.ERROR,
    MetricKind.SUCCESS: FaultType.ERROR,
    MetricKind.LOAD: FaultType.TRAFFIC,
    MetricKind.REPLICAS: FaultType.CRASH,
    MetricKind.NETWORK: FaultType.NETWORK_DELAY,
}
MOST_CANDIDATES = 3  # fault types named of one suspect: a reader checks no more


def of_kind(kind: MetricKind) -> FaultType:
    """The fault that a shift of this kind of metric looks like."""
    return _TYPES.get(kind, FaultType.UNKNOWN)


def candidates(
    shifts: Shifts, service: npt.NDArray[np.intp], column: int
) -> tuple[tuple[FaultType, float], ...]:
    """Fault types of the service of ``column`` with shares that sum to 1, most likely first.

    The share of a type is that of its kinds' strongest log-shift; the kind of ``column`` itself,
    which the ranking chose, counts double.

    Args:
        service: (m,) the number of each column's service.
    """
    strength = np.log1p(upward(shifts.material, shifts.kinds))
    found: dict[FaultType, float] = {}
    for i in np.flatnonzero(service == service[column]):
        fault = of_kind(shifts.kinds[i])
        doubled = 2.0 if i == column else 1.0
        found[fault] = max(found.get(fault, 0.0), doubled * float(strength[i]))
    total = sum(found.values())
    if total <= 0:
        return ((FaultType.UNKNOWN, 1.0),)
    ranked = sorted(found.items(), key=lambda item: (-item[1], item[0]))[:MOST_CANDIDATES]
    kept = sum(share for _, share in ranked)
    return tuple((fault, share / kept) for fault, share in ranked)
