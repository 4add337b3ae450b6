"""Cordon and uncordon: whether new pods may be placed on a node."""

from collections.abc import Sequence
from copy import deepcopy
from functools import partial
from typing import Any

from aiops.errors import ToolFailed
from aiops.model.tool import BlastRadius
from aiops_tools.kubernetes.actions.asked import OnNode
from aiops_tools.kubernetes.actions.change import Change, Inverse
from aiops_tools.kubernetes.actions.editing import placed
from aiops_tools.kubernetes.actions.scene import Scene
from aiops_tools.kubernetes.kinds import POD, kind_named
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.kubernetes.writer import Writer
from aiops_tools.watching import Standing


def _look(writer: Writer, node: Api) -> Scene:
    name = node["metadata"]["name"]
    unread: list[str] = []
    pods: list[Api] = []
    try:
        pods = writer.every(POD, fields=f"spec.nodeName={name}")
    except ToolFailed as failure:
        unread.append(f"not looked at: {failure}")
    others = [one for one in writer.every(kind_named("Node")) if one["metadata"]["name"] != name]
    return Scene(node, pods=tuple(pods), nodes=tuple(others), unread=tuple(unread))


def _edit(asked: OnNode, scene: Scene, *, cordoned: bool) -> Api:
    del asked
    new = deepcopy(scene.object)
    new["spec"].pop("unschedulable", None)
    if cordoned:
        new["spec"]["unschedulable"] = True
    return new


def _undo(asked: OnNode, scene: Scene, after: Api, *, verb: str) -> Inverse:
    del scene, after
    return verb, placed(asked)


def _radius(scene: Scene, after: Api) -> BlastRadius:
    """Pods that run stay: only new ones are kept off."""
    del scene, after
    return BlastRadius(1)


def _warn_of_cordon(asked: OnNode, scene: Scene, after: Api) -> Sequence[str]:
    del after
    open_ones = [one for one in scene.nodes if not one["spec"].get("unschedulable")]
    stay = f"{len(scene.pods)} pods on {asked.name} stay where they are"
    if open_ones:
        return [stay]
    return [stay, "no other node takes new pods: whatever has to start after this will wait"]


def _no_warning(asked: OnNode, scene: Scene, after: Api) -> Sequence[str]:
    del asked, scene, after
    return []


def _standing(asked: OnNode, now: Api, pods: Sequence[Api], *, cordoned: bool) -> Standing:
    del asked, pods
    is_so = bool(now["spec"].get("unschedulable"))
    seen = "takes no new pods" if is_so else "takes new pods"
    return Standing(is_so == cordoned, seen, hopeless=is_so != cordoned)


_COMMON: dict[str, Any] = {
    "asks": OnNode,
    "risk": "low",
    "look": _look,
    "radius": _radius,
    "waits_for_pods": False,
}
CORDON: Change[OnNode] = Change(
    verb="cordon",
    description="Keep new pods off a node; those that run there stay.",
    edit=partial(_edit, cordoned=True),
    undo=partial(_undo, verb="uncordon"),
    warn=_warn_of_cordon,
    standing=partial(_standing, cordoned=True),
    examples=("put nothing more on a machine that fails",),
    **_COMMON,
)
UNCORDON: Change[OnNode] = Change(
    verb="uncordon",
    description="Let new pods be placed on a node again.",
    edit=partial(_edit, cordoned=False),
    undo=partial(_undo, verb="cordon"),
    warn=_no_warning,
    standing=partial(_standing, cordoned=False),
    examples=("use a repaired machine again",),
    **_COMMON,
)
