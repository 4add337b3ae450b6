"""Weighing hypotheses of every modality in one place.

No fusion of ranks: each hypothesis carries a strength above its own physical floor, and entities
are compared by their strongest one. What other modalities say of the same entity corroborates it;
what the other hypotheses' symptoms leave unexplained speaks against it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from aiops.model import Entity, FaultType, Hypothesis, ServiceGraph

CORROBORATION = 0.3
"""Share of the best hypothesis of each other modality that an entity's own inherits: two
independent kinds of data that point at one entity are worth more than one."""
UNEXPLAINED = 0.15
"""Share of its strength that a hypothesis loses if it explains no symptom but its own: causes of
an incident explain other services' trouble, isolated oddities do not."""
SYMPTOM = 1.1
"""Strength, log(1 + 2 floors), from which an entity counts as troubled, as a thing to explain."""
DECLARED = "state"
"""The modality that reads what was declared and what the cluster says of it."""
SETTLED = 1.6
"""Strength, log(1 + 4 floors), from which a declared fault explains other entities' trouble."""
NAMED = 1.1
"""Strength, log(1 + 2 floors), from which it names its own entity's fault: a probe on a wrong port
is why the container restarts and logs what it logs, not the other way round."""
EXPLAINED_AWAY = 0.5
"""What is left of a log's, trace's or metric's accusation of an entity whose trouble follows from
a settled declared fault of something else: a used-up quota, a dead kubelet, a broken callee."""
_NOT_A_SERVICE = frozenset({"node", "namespace"})

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Weighed:
    """One hypothesis after weighing.

    Attributes:
        key: what it accuses: a service (with its instances and workloads), a node, a namespace.
        score: strength, corroborated, less what it leaves unexplained.
        corroborated_by: names of the other modalities that accuse the same.
        unexplained: share of the troubled entities' strength it does not explain, 0 to 1.
    """

    hypothesis: Hypothesis
    key: Key
    modality: str
    score: float
    corroborated_by: tuple[str, ...]
    unexplained: float


def key_of(entity: Entity) -> Key:
    """Services, their instances and workloads are one suspect; nodes and namespaces their own."""
    if entity.kind in _NOT_A_SERVICE:
        return entity.kind, entity.name
    return "service", entity.service_name


def weigh(
    raised: Sequence[tuple[str, Hypothesis]], graph: ServiceGraph | None
) -> tuple[Weighed, ...]:
    """All hypotheses by score, strongest first.

    Args:
        raised: (modality, hypothesis) pairs.
        graph: calls, along which trouble reaches the callers; None where unknown.
    """
    best = _best_by_modality(raised)
    troubled = {
        key: max(by_modality.values())
        for key, by_modality in best.items()
        if max(by_modality.values()) >= SYMPTOM
    }
    callers = _transitive_callers(graph, set(best)) if graph is not None else {}
    explained_by = [
        {key_of(h.entity), *callers.get(key_of(h.entity), ()), *map(key_of, h.explains)}
        for _, h in raised
    ]
    symptoms = _symptoms_of_declared(raised, explained_by)
    weighed = []
    for (modality, hypothesis), explained in zip(raised, explained_by, strict=True):
        key = key_of(hypothesis.entity)
        others = {m: s for m, s in best[key].items() if m != modality and s > 0}
        unexplained = _share_outside(explained, troubled)
        strength = hypothesis.strength + CORROBORATION * sum(others.values())
        if modality != DECLARED and key in symptoms:
            strength *= EXPLAINED_AWAY
        weighed.append(
            Weighed(
                hypothesis,
                key,
                modality,
                strength * (1 - UNEXPLAINED * unexplained),
                tuple(sorted(others)),
                unexplained,
            )
        )
    placed = zip(weighed, _placed(weighed), strict=True)
    weighed = _declared_first([replace(one, hypothesis=named) for one, named in placed])
    return tuple(sorted(weighed, key=lambda w: (-w.score, w.key, w.hypothesis.kind)))


def fault_types(weighed: Iterable[Weighed]) -> tuple[tuple[FaultType, float], ...]:
    """Shares of the fault types that the hypotheses of one suspect name, most likely first."""
    strongest: dict[FaultType, float] = {}
    for one in weighed:
        fault = one.hypothesis.fault
        strongest[fault] = max(strongest.get(fault, 0.0), one.score)
    total = sum(strongest.values())
    if total <= 0:
        return ((FaultType.UNKNOWN, 1.0),)
    ranked = sorted(strongest.items(), key=lambda item: (-item[1], item[0]))
    return tuple((fault, score / total) for fault, score in ranked)


def _symptoms_of_declared(
    raised: Sequence[tuple[str, Hypothesis]], explained_by: Sequence[set[Key]]
) -> set[Key]:
    """The entities whose trouble follows from a settled declared fault of another."""
    found: set[Key] = set()
    for (modality, hypothesis), explained in zip(raised, explained_by, strict=True):
        if modality == DECLARED and hypothesis.strength >= SETTLED:
            found |= explained - {key_of(hypothesis.entity)}
    return found


def _declared_first(weighed: list[Weighed]) -> list[Weighed]:
    """The strongest settled declared fault of each entity before its other hypotheses."""
    best: dict[Key, float] = {}
    declared: dict[Key, int] = {}
    for i, one in enumerate(weighed):
        best[one.key] = max(best.get(one.key, 0.0), one.score)
        if one.modality == DECLARED and one.hypothesis.strength >= NAMED:
            leader = declared.setdefault(one.key, i)
            if one.score > weighed[leader].score:
                declared[one.key] = i
    for key, i in declared.items():
        if weighed[i].score < best[key]:
            weighed[i] = replace(weighed[i], score=best[key] * (1 + 1e-9))
    return weighed


def _placed(weighed: Sequence[Weighed]) -> list[Hypothesis]:
    """The hypotheses with entities as fully named as any reader named them.

    Metrics and logs seldom know the namespace or cluster that the cluster's state gives.
    """
    full: dict[tuple[str, str], Entity] = {}
    for one in weighed:
        entity = one.hypothesis.entity
        known = full.get((entity.kind, entity.name))
        if known is None or (known.namespace is None and entity.namespace is not None):
            full[entity.kind, entity.name] = entity
    placed = []
    for one in weighed:
        entity = one.hypothesis.entity
        if entity.namespace is None:
            entity = full[entity.kind, entity.name]
        placed.append(replace(one.hypothesis, entity=entity))
    return placed


def _best_by_modality(raised: Sequence[tuple[str, Hypothesis]]) -> dict[Key, dict[str, float]]:
    best: dict[Key, dict[str, float]] = {}
    for modality, hypothesis in raised:
        mine = best.setdefault(key_of(hypothesis.entity), {})
        mine[modality] = max(mine.get(modality, 0.0), hypothesis.strength)
    return best


def _share_outside(explained: set[Key], troubled: dict[Key, float]) -> float:
    total = sum(troubled.values())
    if total <= 0:
        return 0.0
    return sum(strength for key, strength in troubled.items() if key not in explained) / total


def _transitive_callers(graph: ServiceGraph, of: set[Key]) -> dict[Key, set[Key]]:
    direct: dict[Key, set[Key]] = {}
    for call in graph.calls:
        direct.setdefault(key_of(call.target), set()).add(key_of(call.source))
    reached: dict[Key, set[Key]] = {}
    for key in of:
        seen: set[Key] = set()
        front = [key]
        while front:
            for caller in direct.get(front.pop(), ()):
                if caller not in seen:
                    seen.add(caller)
                    front.append(caller)
        reached[key] = seen - {key}
    return reached
