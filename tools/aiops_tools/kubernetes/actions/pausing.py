"""Pause and resume: hold a Deployment's rollout, and let it go on."""

from collections.abc import Sequence
from copy import deepcopy
from functools import partial
from typing import Any, ClassVar

from aiops.model.tool import BlastRadius
from aiops_tools.kubernetes.actions.asked import InNamespace
from aiops_tools.kubernetes.actions.change import Change, Inverse
from aiops_tools.kubernetes.actions.editing import placed
from aiops_tools.kubernetes.actions.rollout import rolled_out, rolling_radius
from aiops_tools.kubernetes.actions.scene import Scene, around_workload, is_ready
from aiops_tools.kubernetes.actions.templates import of_rollout
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.names import WorkloadName
from aiops_tools.watching import Standing


class OfDeployment(InNamespace):
    """The Deployment whose rollout is meant."""

    KIND: ClassVar[str] = "Deployment"
    name: WorkloadName


def _edit(asked: OfDeployment, scene: Scene, *, paused: bool) -> Api:
    del asked
    new = deepcopy(scene.object)
    new["spec"].pop("paused", None)
    if paused:
        new["spec"]["paused"] = True
    return new


def _undo(asked: OfDeployment, scene: Scene, after: Api, *, verb: str) -> Inverse:
    del scene, after
    return verb, placed(asked)


def _nothing_stops(scene: Scene, after: Api) -> BlastRadius:
    del after
    return BlastRadius(1, 0, sum(map(is_ready, scene.pods)))


def _warn_of_pause(asked: OfDeployment, scene: Scene, after: Api) -> Sequence[str]:
    del asked, scene, after
    return ["until it is resumed no change of its pods takes effect, a fix no more than another"]


def _warn_of_resume(asked: OfDeployment, scene: Scene, after: Api) -> Sequence[str]:
    del asked
    held = not rolled_out({**after, "metadata": {**after["metadata"], "generation": 0}}, ()).reached
    return ["what was changed meanwhile is rolled out now", *of_rollout(scene, after)] * held


def _paused(asked: OfDeployment, now: Api, pods: Sequence[Api]) -> Standing:
    del asked, pods
    paused = bool(now["spec"].get("paused"))
    return Standing(paused, "paused" if paused else "not paused", hopeless=not paused)


def _resumed(asked: OfDeployment, now: Api, pods: Sequence[Api]) -> Standing:
    del asked
    if now["spec"].get("paused"):
        return Standing(False, "it is paused again", hopeless=True)
    return rolled_out(now, pods)


_COMMON: dict[str, Any] = {"asks": OfDeployment, "risk": "low", "look": around_workload}
PAUSE: Change[OfDeployment] = Change(
    verb="rollout_pause",
    description="Hold the rollout of a Deployment where it is.",
    edit=partial(_edit, paused=True),
    undo=partial(_undo, verb="rollout_resume"),
    radius=_nothing_stops,
    warn=_warn_of_pause,
    standing=_paused,
    waits_for_pods=False,
    examples=("stop a deployment that goes wrong half way",),
    **_COMMON,
)
RESUME: Change[OfDeployment] = Change(
    verb="rollout_resume",
    description="Let the held rollout of a Deployment go on.",
    edit=partial(_edit, paused=False),
    undo=partial(_undo, verb="rollout_pause"),
    radius=rolling_radius,
    warn=_warn_of_resume,
    standing=_resumed,
    examples=("let a deployment go on that was held",),
    **_COMMON,
)
