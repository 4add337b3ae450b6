"""Kubernetes state as hypotheses."""

from collections.abc import Callable, Iterator

from aiops.analyze.state import (
    rules_addresses,
    rules_admission,
    rules_dependencies,
    rules_infrastructure,
    rules_listed,
    rules_performance,
    rules_routes,
    rules_routing,
    rules_runtime,
    rules_scheduling,
    rules_startup,
    rules_storage,
    rules_trust,
    rules_workloads,
)
from aiops.analyze.state.scene import Scene, is_recorded, scene
from aiops.model import CaseData, Episode, Hypothesis, Reading

Rule = Callable[[Scene], Iterator[Hypothesis]]
RULES: tuple[Rule, ...] = (
    *rules_admission.RULES,
    *rules_scheduling.RULES,
    *rules_storage.RULES,
    *rules_startup.RULES,
    *rules_runtime.RULES,
    *rules_workloads.RULES,
    *rules_trust.RULES,
    *rules_routing.RULES,
    *rules_addresses.RULES,
    *rules_routes.RULES,
    *rules_dependencies.RULES,
    *rules_listed.RULES,
    *rules_infrastructure.RULES,
    *rules_performance.RULES,
)
"""Every rule; each looks for one family of faults and raises any number of hypotheses."""


class StateReader:
    """Reads snapshots, read-outs, manifests, events and alerts in words."""

    name = "state"
    modality = "state"

    def read(self, case: CaseData, episode: Episode, *, seed: int = 0) -> Reading:
        """One hypothesis an entity and kind; see Reader.read. ``seed`` changes nothing."""
        del episode, seed
        seen = scene(case)
        notes = list(seen.state.notes)
        if seen.state.empty and not seen.signs:
            if is_recorded(case):
                notes.append("the recorded cluster state holds no objects; it says nothing")
            return Reading(missing=True, notes=tuple(notes))
        found = [hypothesis for rule in RULES for hypothesis in rule(seen)]
        return Reading(tuple(_strongest(found)), notes=tuple(notes))


def _strongest(found: list[Hypothesis]) -> list[Hypothesis]:
    """The strongest hypothesis of each entity and kind, strongest first."""
    best: dict[tuple[object, str], Hypothesis] = {}
    for one in found:
        key = (one.entity, one.kind)
        if one.strength > 0 and (key not in best or one.strength > best[key].strength):
            best[key] = one
    return sorted(best.values(), key=lambda one: (-one.strength, one.entity.name, one.kind))
