"""Scale: another number of replicas."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Literal

from aiops.model.tool import BlastRadius, Target
from aiops_tools.kubernetes.actions.asked import InNamespace, Replicas
from aiops_tools.kubernetes.actions.change import Change, Inverse
from aiops_tools.kubernetes.actions.consequences import (
    of_autoscalers,
    of_interruption,
    of_quotas,
    requested,
)
from aiops_tools.kubernetes.actions.editing import placed
from aiops_tools.kubernetes.actions.rollout import replicas_of
from aiops_tools.kubernetes.actions.scene import Scene, around_workload, is_ready
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.names import WorkloadName
from aiops_tools.watching import Standing


class Scale(InNamespace):
    """One workload and how many replicas it is to have."""

    kind: Literal["Deployment", "StatefulSet"]
    name: WorkloadName
    replicas: Replicas

    @property
    def target(self) -> Target:
        """See OnObject."""
        return Target(self.cluster, self.kind, self.name, self.namespace)


def _edit(asked: Scale, scene: Scene) -> Api:
    new = deepcopy(scene.object)
    new["spec"]["replicas"] = asked.replicas
    return new


def _undo(asked: Scale, scene: Scene, after: Api) -> Inverse:
    del after
    return "scale", {**placed(asked), "replicas": replicas_of(scene.object)}


def _radius(scene: Scene, after: Api) -> BlastRadius:
    serving = sum(map(is_ready, scene.pods))
    return BlastRadius(1, max(0, serving - replicas_of(after)), serving)


def _warn(asked: Scale, scene: Scene, after: Api) -> Sequence[str]:
    more = asked.replicas - replicas_of(scene.object)
    each = requested(after["spec"]["template"])
    return [
        *of_interruption(scene, _radius(scene, after)),
        *of_autoscalers(scene),
        *of_quotas(scene, {name: amount * more for name, amount in each.items() if more > 0}),
    ]


def _standing(asked: Scale, now: Api, pods: Sequence[Api]) -> Standing:
    del pods
    wanted, status = replicas_of(now), now.get("status") or {}
    if wanted != asked.replicas:
        return Standing(False, f"somebody set it to {wanted} replicas since", hopeless=True)
    if status.get("observedGeneration", 0) < now["metadata"].get("generation", 0):
        return Standing(False, "its controller has not looked at it yet")
    ready, total = status.get("readyReplicas") or 0, status.get("replicas") or 0
    seen = f"{ready} of {wanted} replicas ready"
    return Standing(ready >= wanted and total <= max(wanted, ready), seen)


SCALE = Change(
    verb="scale",
    description="Set how many replicas a Deployment or StatefulSet has.",
    asks=Scale,
    risk="medium",
    look=around_workload,
    edit=_edit,
    undo=_undo,
    radius=_radius,
    warn=_warn,
    standing=_standing,
    examples=("more copies of a service that cannot keep up", "shut a workload down for a while"),
)
