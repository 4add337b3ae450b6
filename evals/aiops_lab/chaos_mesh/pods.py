"""PodChaos: pods that are killed, fail, or lose a container."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, cast

from aiops_lab.chaos_mesh.attack import CannotEnact, Experiment
from aiops_lab.chaos_mesh.scope import read_scope
from aiops_lab.faults.effects import Edited, Killed, Removed
from aiops_lab.kubelet.images import PAUSE

if TYPE_CHECKING:
    from aiops_lab.chaos_mesh.attack import Hit
    from aiops_lab.chaos_mesh.fields import Fields
    from aiops_lab.faults.effects import Effect

Action = Literal["pod-kill", "pod-failure", "container-kill"]


@dataclass(frozen=True, slots=True)
class PodAttack:
    """One action on pods; grace_s: what a killed pod is given to end."""

    action: Action
    grace_s: int = 0
    containers: tuple[str, ...] = ()

    def effects(self, hit: Hit) -> tuple[Effect, ...]:
        """See Attack."""
        match self.action:
            case "pod-kill":
                return tuple(Removed("pods", pod.name, self.grace_s) for pod in hit.pods)
            case "pod-failure":
                # As Chaos Mesh does: every container runs an image that does nothing.
                return tuple(
                    Edited("pods", pod.name, ("spec", "containers", number, "image"), PAUSE)
                    for pod in hit.pods
                    for number in range(len(pod.containers))
                )
            case "container-kill":
                killed = tuple(
                    Killed(pod.name, name)
                    for pod in hit.pods
                    for name in pod.containers
                    if name in self.containers
                )
                if not killed:
                    named = ", ".join(self.containers)
                    raise CannotEnact(f"none of the selected pods has a container {named}")
                return killed


def read_pod_chaos(fields: Fields, namespace: str) -> Experiment:
    """A PodChaos."""
    action = fields.one_of("action", ("pod-kill", "pod-failure", "container-kill"))
    containers = fields.texts("containerNames")
    if action == "container-kill":
        fields.require("containerNames")
    return Experiment(
        scope=read_scope(fields, namespace),
        attack=PodAttack(cast("Action", action), int(fields.number("gracePeriod")), containers),
        duration_s=fields.seconds("duration"),
        once=action != "pod-failure",
        containers=containers,
        by_container=action == "container-kill",
    )
