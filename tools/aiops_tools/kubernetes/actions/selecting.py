"""Set selector: which pods a Service sends to."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Annotated, ClassVar

from pydantic import Field, StringConstraints

from aiops.errors import ToolFailed
from aiops.model.tool import BlastRadius
from aiops_tools.kubernetes.actions.asked import InNamespace, KubernetesServiceName
from aiops_tools.kubernetes.actions.behind import around_service, chosen, selector_of
from aiops_tools.kubernetes.actions.change import Change, Inverse
from aiops_tools.kubernetes.actions.editing import placed
from aiops_tools.kubernetes.actions.scene import Scene, is_ready
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.watching import Standing, set_otherwise

_MOST_LABELS = 20
_Key = Annotated[
    str,
    StringConstraints(
        pattern=r"^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$",
        max_length=317,
    ),
]
_Value = Annotated[
    str,
    StringConstraints(pattern=r"^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$", max_length=63),
]


class SetSelector(InNamespace):
    """A Service and labels of its selector: a text sets one, null takes it away, others stay."""

    KIND: ClassVar[str] = "Service"
    name: KubernetesServiceName
    selector: Annotated[dict[_Key, _Value | None], Field(min_length=1, max_length=_MOST_LABELS)]


def _edit(asked: SetSelector, scene: Scene) -> Api:
    selector = {**selector_of(scene.object, asked.target), **asked.selector}
    left = {key: value for key, value in selector.items() if value is not None}
    if not left:
        raise ToolFailed("invalid", f"{asked.target} would select by nothing; keep one label")
    new = deepcopy(scene.object)
    new["spec"]["selector"] = left
    return new


def _undo(asked: SetSelector, scene: Scene, after: Api) -> Inverse:
    del after
    before = scene.object["spec"]["selector"]
    back = {key: before.get(key) for key in asked.selector}
    return "set_selector", {**placed(asked), "selector": back}


def _radius(scene: Scene, after: Api) -> BlastRadius:
    """Pods that get requests now and no more afterwards."""
    serving = [pod for pod in chosen(scene.object, scene.pods) if is_ready(pod)]
    kept = chosen(after, serving)
    return BlastRadius(1, len(serving) - len(kept), len(serving))


def _warn(asked: SetSelector, scene: Scene, after: Api) -> Sequence[str]:
    del asked
    found = chosen(after, scene.pods)
    if not found:
        return ["no pod has these labels: nobody would answer behind this name"]
    ready = sum(map(is_ready, found))
    return [f"it then sends to {len(found)} pods, {ready} of them ready"]


def _standing(asked: SetSelector, now: Api, pods: Sequence[Api]) -> Standing:
    del pods
    selector = now["spec"].get("selector") or {}
    told = ",".join(f"{key}={value}" for key, value in sorted(selector.items()))
    return set_otherwise(asked.selector, selector) or Standing(True, f"it selects {told}")


SET_SELECTOR = Change(
    verb="set_selector",
    description="Set or take away labels by which a Service selects its pods.",
    asks=SetSelector,
    risk="medium",
    look=around_service,
    edit=_edit,
    undo=_undo,
    radius=_radius,
    warn=_warn,
    standing=_standing,
    waits_for_pods=False,
    examples=("send a Service that selects nothing to its pods again",),
)
