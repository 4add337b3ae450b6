"""Rollout restart: every pod of a workload made anew, as its strategy allows."""

from copy import deepcopy

from aiops_tools.kubernetes.actions.asked import OnWorkload
from aiops_tools.kubernetes.actions.change import Change
from aiops_tools.kubernetes.actions.rollout import rolling_radius
from aiops_tools.kubernetes.actions.scene import Scene, around_workload
from aiops_tools.kubernetes.actions.templates import (
    back_to_revision,
    standing_of_rollout,
    warn_of_rollout,
)
from aiops_tools.kubernetes.sealed import Api

MARK = "aiops/restarted"


class Restart(OnWorkload):
    """The workload whose pods are made anew."""


def _edit(asked: Restart, scene: Scene) -> Api:
    """Counts restarts where kubectl writes the time: what is approved must not depend on it."""
    del asked
    new = deepcopy(scene.object)
    metadata = new["spec"]["template"].setdefault("metadata", {})
    marks = metadata["annotations"] = dict(metadata.get("annotations") or {})
    before = str(marks.get(MARK, "0"))
    marks[MARK] = f"{int(before) + 1 if before.isdecimal() else 1}"
    return new


RESTART = Change(
    verb="rollout_restart",
    description="Replace every pod of a Deployment, StatefulSet or DaemonSet, a few at a time.",
    asks=Restart,
    risk="medium",
    look=around_workload,
    edit=_edit,
    undo=back_to_revision,
    radius=rolling_radius,
    warn=warn_of_rollout,
    standing=standing_of_rollout,
    idempotent=False,
    examples=("start the copies of a service afresh", "let pods read their settings again"),
)
