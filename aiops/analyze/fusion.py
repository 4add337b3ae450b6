"""Weighing hypotheses of every modality in one place.

No fusion of ranks: each hypothesis carries a strength above its own physical floor, and entities
are compared by their strongest one. What other modalities say of the same entity corroborates it;
what the other hypotheses' symptoms leave unexplained speaks against it.
"""

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from aiops.analyze.suspects import Key, Suspects, key_of
from aiops.model import Call, FaultType, Hypothesis, ServiceGraph

CORROBORATION = 0.3
"""Share of the best hypothesis of each other modality that an entity's own inherits: two
independent kinds of data that point at one entity are worth more than one."""
AGREEMENT = 0.3
"""Further share that it inherits of what names the same fault too: which of an entity's
hypotheses comes first is a matter of what the others say is wrong with it."""
UNEXPLAINED = 0.15
"""Share of its strength that a hypothesis loses if it explains no symptom but its own: causes of
an incident explain other services' trouble, isolated oddities do not."""
SYMPTOM = 1.1
"""Strength, log(1 + 2 floors), from which an entity counts as troubled, as a thing to explain."""
DECLARED = "state"
"""The modality that reads what was declared and what the cluster says of it."""
SETTLING = frozenset({DECLARED, "changes"})
"""Modalities that can settle what is wrong: also what was changed, where it names what it broke."""
SETTLED = 1.6
"""Strength, log(1 + 4 floors), from which a declared fault explains other entities' trouble."""
NAMED = 1.1
"""Strength, log(1 + 2 floors), from which it names its own entity's fault: a probe on a wrong port
is why the container restarts and logs what it logs, not the other way round."""
EXPLAINED_AWAY = 0.5
"""What is left of a log's, trace's or metric's accusation of an entity whose trouble follows from
a settled declared fault of something else: a used-up quota, a dead kubelet, a broken callee."""
HEARSAY = "logs"
"""The modality whose word about an entity may be others' only: what their lines say of it."""
_Group = TypeVar("_Group", bound=Hashable)


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


def weigh(
    raised: Sequence[tuple[str, Hypothesis]], graph: ServiceGraph | None
) -> tuple[Weighed, ...]:
    """All hypotheses by score, strongest first.

    Args:
        raised: (modality, hypothesis) pairs.
        graph: calls, along which trouble reaches the callers; None where unknown.
    """
    raised, calls = _fully_named(raised, graph)
    best = _best_by_modality(raised, lambda h: key_of(h.entity))
    agreeing = _best_by_modality(raised, lambda h: (key_of(h.entity), h.fault))
    strongest = {key: max(by_modality.values()) for key, by_modality in best.items()}
    troubled = {key: strength for key, strength in strongest.items() if strength >= SYMPTOM}
    callers = _transitive_callers(calls, set(best))
    reach = _Reach(callers, troubled)
    declared = _Declared(raised, reach)
    weighed = []
    for modality, hypothesis in raised:
        key = key_of(hypothesis.entity)
        others = {m: s for m, s in best[key].items() if m != modality and s > 0}
        unexplained = reach.unexplained_by(hypothesis)
        same = agreeing[key, hypothesis.fault]
        agreed = sum(s for m, s in same.items() if m != modality)
        strength = hypothesis.strength + CORROBORATION * sum(others.values()) + AGREEMENT * agreed
        if declared.explain(modality, hypothesis):
            strength *= EXPLAINED_AWAY
        score = strength * (1 - UNEXPLAINED * unexplained)
        weighed.append(
            Weighed(hypothesis, key, modality, score, tuple(sorted(others)), unexplained)
        )
    weighed = _declared_first(weighed)
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


class _Reach:
    """Whose trouble a hypothesis would explain: its callers', and whatever it names itself."""

    def __init__(self, callers: dict[Key, set[Key]], troubled: dict[Key, float]) -> None:
        self._callers, self._troubled = callers, troubled
        self._total = sum(troubled.values())
        self._shares: dict[Key, float] = {}

    def of(self, hypothesis: Hypothesis) -> set[Key]:
        """The entities it explains, itself among them."""
        key = key_of(hypothesis.entity)
        return {key, *self._callers.get(key, ()), *map(key_of, hypothesis.explains)}

    def unexplained_by(self, hypothesis: Hypothesis) -> float:
        """Share of all trouble that it leaves unexplained, 0 to 1."""
        if hypothesis.explains:
            return self._outside(self.of(hypothesis))
        key = key_of(hypothesis.entity)
        if key not in self._shares:
            self._shares[key] = self._outside(self.of(hypothesis))
        return self._shares[key]

    def _outside(self, explained: set[Key]) -> float:
        if self._total <= 0:
            return 0.0
        inside = sum(self._troubled.get(key, 0.0) for key in explained)
        return max(0.0, 1 - inside / self._total)


class _Declared:
    """What the settled declared faults explain of the rest."""

    def __init__(self, raised: Sequence[tuple[str, Hypothesis]], reach: _Reach) -> None:
        self._faulty: set[Key] = set()
        self._symptoms: set[Key] = set()
        for modality, hypothesis in raised:
            if modality in SETTLING and hypothesis.strength >= SETTLED:
                key = key_of(hypothesis.entity)
                self._faulty.add(key)
                self._symptoms |= reach.of(hypothesis) - {key}

    def explain(self, modality: str, hypothesis: Hypothesis) -> bool:
        """Whether the trouble is another entity's doing, or hearsay from those at fault.

        A client that was given a wrong port says that the server refuses connections: what it
        was given is why, and nobody without such a fault of its own says the same.
        """
        if modality == DECLARED:
            return False
        if key_of(hypothesis.entity) in self._symptoms:
            return True
        witnesses = {key_of(witness) for witness in hypothesis.explains}
        return (
            modality == HEARSAY and bool(witnesses) and witnesses <= self._faulty | self._symptoms
        )


def _declared_first(weighed: list[Weighed]) -> list[Weighed]:
    """The strongest settled declared fault of each entity before its other hypotheses.

    A weaker one too, where it is the cluster's own name for what the strongest says is wrong.
    """
    leading: dict[Key, Weighed] = {}
    for one in weighed:
        if one.key not in leading or one.score > leading[one.key].score:
            leading[one.key] = one
    declared: dict[Key, int] = {}
    for i, one in enumerate(weighed):
        same = one.hypothesis.fault is leading[one.key].hypothesis.fault
        if one.modality == DECLARED and (one.hypothesis.strength >= NAMED or same):
            first = declared.setdefault(one.key, i)
            if one.score > weighed[first].score:
                declared[one.key] = i
    for key, i in declared.items():
        if weighed[i].score < leading[key].score:
            weighed[i] = replace(weighed[i], score=leading[key].score * (1 + 1e-9))
    return weighed


def _fully_named(
    raised: Sequence[tuple[str, Hypothesis]], graph: ServiceGraph | None
) -> tuple[list[tuple[str, Hypothesis]], list[Call]]:
    """The hypotheses and calls with entities as fully named as anybody named them."""
    calls = graph.calls if graph is not None else ()
    suspects = Suspects(
        [
            *(entity for _, one in raised for entity in (one.entity, *one.explains)),
            *(end for call in calls for end in (call.source, call.target)),
        ]
    )
    named = [
        (
            modality,
            replace(
                one,
                entity=suspects.full(one.entity),
                explains=tuple(suspects.full(entity) for entity in one.explains),
            ),
        )
        for modality, one in raised
    ]
    return named, [
        replace(call, source=suspects.full(call.source), target=suspects.full(call.target))
        for call in calls
    ]


def _best_by_modality(
    raised: Sequence[tuple[str, Hypothesis]], group: Callable[[Hypothesis], _Group]
) -> dict[_Group, dict[str, float]]:
    """Of each group the strength of the strongest hypothesis of each modality."""
    best: dict[_Group, dict[str, float]] = {}
    for modality, hypothesis in raised:
        mine = best.setdefault(group(hypothesis), {})
        mine[modality] = max(mine.get(modality, 0.0), hypothesis.strength)
    return best


def _transitive_callers(calls: Iterable[Call], of: set[Key]) -> dict[Key, set[Key]]:
    direct: dict[Key, set[Key]] = {}
    for call in calls:
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
