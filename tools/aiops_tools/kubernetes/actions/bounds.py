"""Set bounds: how few and how many replicas an autoscaler may choose."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Annotated, ClassVar

from pydantic import Field, model_validator

from aiops.model.tool import BlastRadius
from aiops_tools.kubernetes.actions.asked import AutoscalerName, InNamespace
from aiops_tools.kubernetes.actions.change import Change, Inverse
from aiops_tools.kubernetes.actions.editing import placed
from aiops_tools.kubernetes.actions.scene import Scene, alone, is_ready
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.watching import Standing

_Bound = Annotated[int, Field(ge=1, le=10_000)]


class SetBounds(InNamespace):
    """A HorizontalPodAutoscaler and its bounds."""

    KIND: ClassVar[str] = "HorizontalPodAutoscaler"
    name: AutoscalerName
    min_replicas: _Bound
    max_replicas: _Bound

    @model_validator(mode="after")
    def _in_order(self) -> "SetBounds":
        if self.min_replicas > self.max_replicas:
            raise ValueError("min_replicas is above max_replicas")
        return self


def _bounds(one: Api) -> tuple[int, int]:
    return int(one["spec"].get("minReplicas", 1)), int(one["spec"]["maxReplicas"])


def _edit(asked: SetBounds, scene: Scene) -> Api:
    new = deepcopy(scene.object)
    new["spec"] |= {"minReplicas": asked.min_replicas, "maxReplicas": asked.max_replicas}
    return new


def _undo(asked: SetBounds, scene: Scene, after: Api) -> Inverse:
    del after
    least, most = _bounds(scene.object)
    return "set_hpa_bounds", {**placed(asked), "min_replicas": least, "max_replicas": most}


def _radius(scene: Scene, after: Api) -> BlastRadius:
    now = int((scene.object.get("status") or {}).get("currentReplicas") or 0)
    return BlastRadius(1, max(0, now - _bounds(after)[1]), now)


def _warn(asked: SetBounds, scene: Scene, after: Api) -> Sequence[str]:
    del after
    now = int((scene.object.get("status") or {}).get("currentReplicas") or 0)
    owner = scene.object["spec"]["scaleTargetRef"]
    about = f"{owner.get('kind', 'workload')} {owner['name']} has {now} replicas now"
    if now > asked.max_replicas:
        return [f"{about}: {now - asked.max_replicas} of them stop"]
    if now < asked.min_replicas:
        return [f"{about}: {asked.min_replicas - now} more start, wherever nodes have room"]
    return []


def _standing(asked: SetBounds, now: Api, pods: Sequence[Api]) -> Standing:
    """Reached once the autoscaler has chosen within them and as many pods are ready.

    It looks every 15 s (Kubernetes documentation, "Horizontal Pod Autoscaling"); whoever judges
    by its users before that, judges the bounds of before.
    """
    least, most = _bounds(now)
    if (least, most) != (asked.min_replicas, asked.max_replicas):
        return Standing(False, f"{least} to {most} replicas", hopeless=True)
    status = now.get("status") or {}
    wants, has = int(status.get("desiredReplicas") or 0), int(status.get("currentReplicas") or 0)
    ready = sum(map(is_ready, pods))
    seen = f"{least} to {most} replicas, the autoscaler wants {wants}, and {ready} are ready"
    serves = wants == 0 or not pods or ready >= has
    if wants == 0 or (_cannot_scale(status) and least <= has <= most):
        return Standing(serves, f"{seen}; it cannot choose now")
    chose = wants == has and not _chose_before(status, wants, least, most)
    return Standing(chose and serves, seen)


def _cannot_scale(status: Api) -> bool:
    """Whether it says itself that it does not scale: it has no metrics, or no target."""
    return any(
        one["type"] in ("ScalingActive", "AbleToScale") and one["status"] == "False"
        for one in status.get("conditions") or ()
    )


def _chose_before(status: Api, wants: int, least: int, most: int) -> bool:
    """Whether its choice is one that it would not make within these bounds: it has not looked."""
    limited = next(
        (
            one.get("reason", "")
            for one in status.get("conditions") or ()
            if one["type"] == "ScalingLimited" and one["status"] == "True"
        ),
        "",
    )
    too_many, too_few = limited == "TooManyReplicas", limited == "TooFewReplicas"
    return not least <= wants <= most or (too_many and wants < most) or (too_few and wants > least)


SET_HPA_BOUNDS = Change(
    verb="set_hpa_bounds",
    description="Set the fewest and the most replicas that a HorizontalPodAutoscaler chooses.",
    asks=SetBounds,
    risk="medium",
    look=alone,
    edit=_edit,
    undo=_undo,
    radius=_radius,
    warn=_warn,
    standing=_standing,
    examples=("let a service grow further under load",),
)
