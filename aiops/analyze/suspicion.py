"""From shifts to suspicion: what each metric's shift says about its entity's guilt.

Resources are causes, latency and errors are symptoms, load is neither; two different kinds of
trouble in one service corroborate each other; a material rise of memory explains that service's
CPU. Each rule is one function and one row of the ablation.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from aiops.analyze.metric_kinds import (
    RESOURCES,
    SYMPTOMS,
    MetricKind,
    Vantage,
    is_second_hand,
    reading_of,
)
from aiops.analyze.shifts import Shifts
from aiops.model import Entity, Series
from aiops.model.telemetry import FloatArray

CAUSE_WEIGHT = {
    MetricKind.CPU: 1.0,
    MetricKind.MEMORY: 1.0,
    MetricKind.DISK: 1.0,
    MetricKind.POWER: 1.0,
    MetricKind.REPLICAS: 1.0,
    MetricKind.LATENCY: 0.8,
    MetricKind.ERRORS: 0.8,
    MetricKind.SUCCESS: 0.8,
    MetricKind.OTHER: 0.5,
    MetricKind.NETWORK: 0.4,
    MetricKind.LOAD: 0.3,
}
"""How much a shift of each kind accuses its own entity: resources fully, symptoms less, since a
callee's trouble shows in them too; traffic least, since clients decide it."""
SECOND_HAND = 0.2
"""Weight left to a metric seen from elsewhere: a client's, a host's, a "remote" vertex's."""
RELIEF = 0.2
"""Weight of a fall: less CPU or latency than usual is seldom a fault, but a dead service is one."""
SURPRISE_SHARE = 0.3
"""Weight of the scale-free score beside the material one."""
WEAK = 6.0
"""If nothing moved materially by this many variations, the culprit's metric may not be recorded,
and the scale-free score counts in full."""
CORROBORATION = 0.5
"""Share that a resource and the symptoms of its service lend each other, of whichever is smaller:
what is immaterial itself is not lifted by the company it keeps."""
EXPLAINING_MEMORY = 3.0
"""Material variations from which a rise of memory explains the CPU of the same service: paging,
collecting garbage and touching pages burn CPU; burning CPU fills no memory."""


MOST_USE_RESOURCES = 0.5
"""Share of the entities with resource metrics beyond which those without are mere observers."""


def services_of(series: Sequence[Series]) -> npt.NDArray[np.intp]:
    """(m,) number of the service of each series; equal names in two clusters are two services."""
    keys = [
        (one.entity.service_name, one.entity.namespace or "", one.entity.cluster or "")
        for one in series
    ]
    number = {key: i for i, key in enumerate(sorted(set(keys)))}
    return np.array([number[key] for key in keys], dtype=np.intp)


def weights(series: tuple[Series, ...], kinds: npt.NDArray[np.object_]) -> FloatArray:
    """(m,) how much a shift of each series accuses its entity."""
    observers = _observers(series, kinds)
    table = np.empty(len(series))
    for i, one in enumerate(series):
        weight = CAUSE_WEIGHT[kinds[i]]
        if reading_of(one).vantage is not Vantage.OWN:
            weight *= SECOND_HAND
        if is_second_hand(one.entity.name) or one.entity in observers:
            weight *= SECOND_HAND
        table[i] = weight
    return table


def _observers(series: tuple[Series, ...], kinds: npt.NDArray[np.object_]) -> set[Entity]:
    """Entities that use up nothing where most others do: points that watch others from outside.

    An entry probe or a synthetic check has latency and success rates and no CPU; whatever it
    sees happened to somebody else.
    """
    entities = {one.entity for one in series}
    using = {one.entity for one, kind in zip(series, kinds, strict=True) if kind in RESOURCES}
    return entities - using if len(using) > MOST_USE_RESOURCES * len(entities) else set()


def upward(shift: FloatArray, kinds: npt.NDArray[np.object_]) -> FloatArray:
    """(m,) the bad side of each shift: up, either way for traffic, and a little of any fall."""
    either = np.isin(kinds, [MetricKind.LOAD, MetricKind.NETWORK])
    bad: FloatArray = np.where(either, np.abs(shift), np.maximum(shift, -RELIEF * shift))
    return bad


def strengths(shifts: Shifts, weight: FloatArray, *, scale_free: bool = True) -> FloatArray:
    """(m,) log-size of each shift, material plus scale-free, before weighting."""
    material = np.log1p(upward(shifts.material, shifts.kinds))
    if not scale_free:
        return material
    surprise = np.log1p(upward(shifts.surprise, shifts.kinds))
    weak = (material * weight).max(initial=0.0) < np.log1p(WEAK)
    return material + (1.0 if weak else SURPRISE_SHARE) * surprise


def corroborated(
    score: FloatArray, kinds: npt.NDArray[np.object_], service: npt.NDArray[np.intp]
) -> FloatArray:
    """Scores in which a service's resources and symptoms back each other."""
    resource, symptom = _is(kinds, RESOURCES), _is(kinds, SYMPTOMS)
    best_resource = _best_by_service(score, service, resource)
    best_symptom = _best_by_service(score, service, symptom)
    backed = score.copy()
    for mine, others in ((resource, best_symptom), (symptom, best_resource)):
        backed[mine] += CORROBORATION * np.minimum(score[mine], others[service[mine]])
    return backed


def memory_first(score: FloatArray, shifts: Shifts, service: npt.NDArray[np.intp]) -> FloatArray:
    """Scores in which a material rise of memory stands before the CPU it explains."""
    best_cpu = _best_by_service(score, service, shifts.kinds == MetricKind.CPU)
    explaining = (shifts.kinds == MetricKind.MEMORY) & (shifts.material > EXPLAINING_MEMORY)
    raised = score.copy()
    behind = explaining & (score <= best_cpu[service]) & (best_cpu[service] > 0)
    raised[behind] = best_cpu[service[behind]] + 1e-6 * score[behind]
    return raised


def _is(kinds: npt.NDArray[np.object_], chosen: frozenset[MetricKind]) -> npt.NDArray[np.bool_]:
    return np.isin(kinds, list(chosen))


def _best_by_service(
    score: FloatArray, service: npt.NDArray[np.intp], mask: npt.NDArray[np.bool_]
) -> FloatArray:
    """(services,) the largest score among the masked columns of each service, 0 where none."""
    best = np.zeros(int(service.max(initial=-1)) + 1)
    np.maximum.at(best, service[mask], score[mask])
    return best
