"""Rollout undo: back to the template of an earlier revision."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Annotated

from pydantic import Field

from aiops.errors import ToolFailed
from aiops_tools.kubernetes.actions.asked import OnWorkload
from aiops_tools.kubernetes.actions.change import Change
from aiops_tools.kubernetes.actions.history import revisions
from aiops_tools.kubernetes.actions.rollout import rolling_radius
from aiops_tools.kubernetes.actions.scene import Scene, around_workload
from aiops_tools.kubernetes.actions.templates import (
    back_to_revision,
    of_rollout,
    standing_of_rollout,
)
from aiops_tools.kubernetes.sealed import Api


class RolloutUndo(OnWorkload):
    """A workload and the revision it goes back to."""

    to_revision: Annotated[int, Field(ge=1, description="as its rollout history numbers it")]


def _edit(asked: RolloutUndo, scene: Scene) -> Api:
    kept = revisions(scene)
    for revision in kept:
        if revision.number == asked.to_revision:
            new = deepcopy(scene.object)
            new["spec"]["template"] = deepcopy(revision.template)
            return new
    numbers = ", ".join(str(one.number) for one in kept) or "none"
    raise ToolFailed(
        "not_found",
        f"{asked.target} keeps no revision {asked.to_revision}; it keeps: {numbers}",
    )


def _warn(asked: RolloutUndo, scene: Scene, after: Api) -> Sequence[str]:
    del asked
    warnings = list(of_rollout(scene, after))
    if scene.object["spec"].get("paused"):
        warnings.append("kubectl does not undo while a rollout is paused; this one does")
    return warnings


ROLLOUT_UNDO = Change(
    verb="rollout_undo",
    description="Give a workload the pod template of one of its earlier revisions.",
    asks=RolloutUndo,
    risk="medium",
    look=around_workload,
    edit=_edit,
    undo=back_to_revision,
    radius=rolling_radius,
    warn=_warn,
    standing=standing_of_rollout,
    examples=("go back to the version before the last deployment",),
)
