"""Which fault the signs of one candidate add up to, without labels.

One sign has many causes; two of them together have few. Packets that stop say that an instance is
dead or cut off; a process that starts anew also fills its memory, starts its threads and logs it.
"""

from collections import defaultdict
from collections.abc import Sequence

from aiops.analyze.alerts.label_free import Finding
from aiops.model import FaultType

_MUTE = "network sent down"  # requests also fall where callers wait; packets only where nobody is
_DESERTED = "load received down"
_FULLER = "memory up"
_ISOLATED = frozenset({"load sent down", _DESERTED})
_SLOW = frozenset({"latency sent up", "latency received up"})


def fault_of(found: Sequence[Finding]) -> FaultType:
    """The fault that the findings about one candidate suggest together.

    In this order: started anew (for good where requests come back, else still failing), cut off,
    short of a resource, isolated from both sides, slow, and else the fault that weighs most.
    Memory goes before the processor: who runs out of memory burns processor time looking for
    some, and hardly the other way round.
    """
    signs = {finding.sign for finding in found}
    fresh = _FULLER in signs and ("threads up" in signs or {"log", _MUTE} <= signs)
    if fresh:
        return FaultType.CRASH if _DESERTED in signs else FaultType.POD_KILL
    if _MUTE in signs:
        return FaultType.NETWORK_LOSS
    if _FULLER in signs:
        return FaultType.MEMORY
    if "cpu up" in signs:
        return FaultType.CPU
    if signs >= _ISOLATED:
        return FaultType.NETWORK_LOSS
    if signs & _SLOW:
        return FaultType.NETWORK_DELAY
    return _heaviest(found)


def _heaviest(found: Sequence[Finding]) -> FaultType:
    weights: dict[FaultType, float] = defaultdict(float)
    for finding in found:
        if finding.weight > 0:
            weights[finding.fault] += finding.weight
    ranked = sorted(weights, key=lambda fault: (-weights[fault], fault))
    return ranked[0] if ranked else FaultType.UNKNOWN
