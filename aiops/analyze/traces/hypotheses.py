"""From signs to typed hypotheses, each with its evidence and with what would refute it."""

from collections.abc import Iterator
from math import log1p

import numpy as np

from aiops.analyze.traces import endings, errors
from aiops.analyze.traces.claims import Claims
from aiops.analyze.traces.contrasts import Phase
from aiops.analyze.traces.forest import Rows
from aiops.analyze.traces.signs import (
    Signs,
    ending_strength,
    failing_strength,
    slow_strength,
    unanswered_strength,
)
from aiops.analyze.traces.slowness import Edges, Slow
from aiops.analyze.traces.suspicion import Spectrum
from aiops.model import Entity, Evidence, FaultType, Hypothesis, Indicator
from aiops.model.telemetry import FloatArray

# In a second: sizes are told in ms.
MILLISECONDS = 1e3
COMMON = 0.5
"""Ochiai from which a service stands out among failing requests: half of them visit it and as many
passing ones do not."""
TELLING_COMMON = 0.3
"""How telling that is by itself: every service on the way of failing requests shares it."""
LEAST_REQUESTS = 5
"""Failing or passing requests below which they have things in common by chance."""
LEAST_INSTANCES = 2
"""Instances below which there is nothing to tell one from."""
INSTANCE_SHARE = 0.9
"""Share of a service's excess on one of its instances from which that instance is accused."""


def hypotheses(found: Signs, common: Spectrum, claims: Claims) -> tuple[Hypothesis, ...]:
    """One hypothesis for each sign, and one for each service that only stands out by its company.

    Args:
        common: failing and passing requests of the episode by service.
    """
    raised = [*_slow(found, claims), *_endings(found, claims), *_errors(found, claims)]
    accused = {hypothesis.entity.service_name for hypothesis in raised}
    return (*raised, *_in_common(common, claims, accused))


def _slow(found: Signs, claims: Claims) -> Iterator[Hypothesis]:
    by_service = {slow.service: slow for slow in found.slow}
    operations = claims.forest.spans.operations
    for slow in found.slow:
        if slow.seconds < slow.floor:
            continue
        name = claims.service(slow.service)
        fault, kind = _nature(slow)
        waits_for = by_service.get(slow.waits_for)
        yield Hypothesis(
            entity=_slow_entity(slow.service, claims),
            fault=fault,
            kind=kind,
            size=slow.seconds * MILLISECONDS,
            unit="ms",
            floor=slow.floor * MILLISECONDS,
            strength=slow_strength(slow),
            indicator=Indicator("operation", operations[slow.entry]) if slow.working else None,
            support=tuple(_measured(slow, found.edges, claims)),
            against=() if waits_for is None else tuple(_measured(waits_for, found.edges, claims)),
            refuted_by=(
                f"requests that {name} works on as briefly as usual while the symptoms stay"
                if slow.working
                else f"calls of {name} that spend no longer on the way than usual while the "
                "symptoms stay"
            ),
            explains=_upstream(found.edges, slow.service, claims),
        )


def _nature(slow: Slow) -> tuple[FaultType, str]:
    if slow.starved:
        return FaultType.CPU, "work_and_calls_slower"
    if slow.working:
        return FaultType.LATENCY, "own_work_slower"
    return FaultType.NETWORK_DELAY, "network_slower_than_both_ends"


def _measured(slow: Slow, edges: Edges, claims: Claims) -> Iterator[Evidence]:
    if slow.blame is not None:
        yield claims.network(slow, edges)
    if slow.working:
        yield claims.work(slow)


def _endings(found: Signs, claims: Claims) -> Iterator[Hypothesis]:
    for ending in found.endings:
        service = ending.stopped_by
        operation = ending.operation if ending.last < 0 else ending.last_operation
        yield Hypothesis(
            entity=_entity(service, claims),
            fault=FaultType.ERROR,
            kind="ends_requests_early" if ending.last < 0 else "callers_stop_after_its_answer",
            size=ending.rise,
            unit="probability",
            floor=endings.FLOOR,
            strength=ending_strength(ending, found.endings),
            indicator=Indicator("operation", claims.forest.spans.operations[operation]),
            support=(claims.ending(ending),),
            refuted_by=(
                f"requests that go on after {claims.service(service)} as usual while the symptoms "
                "stay, or other traffic that never went further"
            ),
            explains=_upstream(found.edges, service, claims),
        )


def _errors(found: Signs, claims: Claims) -> Iterator[Hypothesis]:
    for failing in found.failing:
        yield Hypothesis(
            entity=_entity(failing.service, claims),
            fault=FaultType.ERROR,
            kind="errors_begin_here",
            size=failing.rise,
            unit="probability",
            floor=errors.FLOOR,
            strength=failing_strength(failing),
            indicator=Indicator("operation", claims.forest.spans.operations[failing.operation]),
            support=(claims.failing(failing),),
            refuted_by=f"a failing span below those of {claims.service(failing.service)}",
            explains=_upstream(found.edges, failing.service, claims),
        )
    for unanswered in found.unanswered:
        yield Hypothesis(
            entity=_entity(unanswered.callee, claims),
            fault=FaultType.CRASH,
            kind="calls_unanswered",
            size=unanswered.rise,
            unit="probability",
            floor=errors.FLOOR,
            strength=unanswered_strength(unanswered),
            indicator=Indicator("operation", claims.forest.spans.operations[unanswered.operation]),
            support=(claims.unanswered(unanswered),),
            refuted_by=f"spans of {claims.service(unanswered.callee)} that only arrive late",
            explains=_upstream(found.edges, unanswered.callee, claims),
        )


def _in_common(common: Spectrum, claims: Claims, accused: set[str]) -> Iterator[Hypothesis]:
    if min(common.failing_all, common.passing_all) < LEAST_REQUESTS:
        return
    scores = common.ochiai
    for service in np.flatnonzero(scores >= COMMON).tolist():
        name = claims.forest.spans.services[service]
        if name not in accused:
            yield Hypothesis(
                entity=_entity(service, claims),
                fault=FaultType.LATENCY,
                kind="on_failing_requests",
                size=float(scores[service]),
                unit="probability",
                floor=COMMON,
                strength=TELLING_COMMON * log1p(float(scores[service]) / COMMON),
                support=(claims.common(service, common),),
                refuted_by=f"requests that fail in the same way without visiting {name}",
            )


def _entity(service: int, claims: Claims) -> Entity:
    return Entity("service", claims.forest.spans.services[service])


def _slow_entity(service: int, claims: Claims) -> Entity:
    """The service, or the one instance of several that holds nearly all of the time lost."""
    spans, phase = claims.forest.spans, claims.phase
    whole = _entity(service, claims)
    if spans.instance_of is None:
        return whole
    rows, waited = _waits(service, claims)
    past = np.isin(phase[rows], (Phase.BEFORE, Phase.REFERENCE))
    now = phase[rows] == Phase.DURING
    instances, instance = np.unique(spans.instance_of[rows[now]], return_inverse=True)
    if len(instances) < LEAST_INSTANCES or not past.any():
        return whole
    mean = np.bincount(instance, weights=waited[now]) / np.bincount(instance)
    excess = np.maximum(mean - waited[past].mean(), 0.0)
    worst = int(excess.argmax())
    if excess[worst] < INSTANCE_SHARE * excess.sum() or excess[worst] <= 0:
        return whole
    return Entity("instance", spans.instances[int(instances[worst])], service=whole.name)


def _waits(service: int, claims: Claims) -> tuple[Rows, FloatArray]:
    """The spans by which requests enter a service, and the seconds its callers waited for each."""
    trees = claims.forest
    above = trees.parent
    enters = (trees.service == service) & ((above < 0) | (trees.service[above] != service))
    rows = np.flatnonzero(enters)
    called = above[rows] >= 0
    waited = trees.spans.durations[np.where(called, above[rows], rows)]
    return rows, waited


def _upstream(edges: Edges, service: int, claims: Claims) -> tuple[Entity, ...]:
    """Every service whose requests reach ``service``: its trouble is theirs, too."""
    reached: set[int] = set()
    front = [service]
    while front:
        callers = edges.caller[edges.callee == front.pop()]
        new = set(callers.tolist()) - reached - {service}
        reached |= new
        front.extend(new)
    return tuple(Entity("service", claims.forest.spans.services[one]) for one in sorted(reached))
