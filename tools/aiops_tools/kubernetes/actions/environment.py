"""Set environment: plain variables of a container; never secrets, nor references to them."""

from copy import deepcopy
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from aiops.errors import ToolFailed
from aiops_tools.kubernetes.actions.asked import MOST_ENTRIES, OnContainer
from aiops_tools.kubernetes.actions.change import Change, Inverse
from aiops_tools.kubernetes.actions.containers import container_of, edited
from aiops_tools.kubernetes.actions.editing import placed
from aiops_tools.kubernetes.actions.rollout import rolling_radius
from aiops_tools.kubernetes.actions.scene import Scene, around_workload
from aiops_tools.kubernetes.actions.secrecy import looks_secret
from aiops_tools.kubernetes.actions.templates import (
    back_to_revision,
    standing_of_rollout,
    warn_of_rollout,
)
from aiops_tools.kubernetes.sealed import Api

_Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_.-]*$", max_length=253)]
_Value = Annotated[str, StringConstraints(max_length=4096)]


class SetEnv(OnContainer):
    """A container and variables of it: a text sets one, null takes it away, others stay."""

    variables: Annotated[
        dict[_Variable, _Value | None], Field(min_length=1, max_length=MOST_ENTRIES)
    ]

    @model_validator(mode="after")
    def _no_secrets(self) -> "SetEnv":
        for name, value in self.variables.items():
            if value is not None and looks_secret(name, value):
                raise ValueError(
                    f"{name} looks like a secret; keep it in a Secret, which is not changed here"
                )
        return self


def _edit(asked: SetEnv, scene: Scene) -> Api:
    env = deepcopy(container_of(scene.object, asked).get("env") or [])
    for one in env:
        if one["name"] in asked.variables:
            _may_change(asked, one)
    wanted = dict(asked.variables)
    kept = []
    for one in env:
        value = wanted.pop(one["name"]) if one["name"] in wanted else one.get("value")
        if one["name"] not in asked.variables:
            kept.append(one)
        elif value is not None:
            kept.append({"name": one["name"], "value": value})
    kept += [{"name": name, "value": text} for name, text in wanted.items() if text is not None]
    return edited(scene.object, asked, {"env": kept or None})


def _may_change(asked: SetEnv, one: Api) -> None:
    if "valueFrom" in one:
        raise ToolFailed(
            "invalid",
            f"variable {one['name']} of {asked.target} is taken from elsewhere (valueFrom); "
            "change that source, or the manifest",
        )
    if looks_secret(one["name"], str(one.get("value", ""))):
        raise ToolFailed(
            "invalid",
            f"variable {one['name']} of {asked.target} holds what looks like a secret; it is "
            "neither shown nor changed here",
        )


def _undo(asked: SetEnv, scene: Scene, after: Api) -> Inverse | None:
    """The values before; where one is taken away its place in the list counts too."""
    before = {
        one["name"]: one.get("value", "")
        for one in container_of(scene.object, asked).get("env") or ()
    }
    if any(text is None and name in before for name, text in asked.variables.items()):
        return back_to_revision(asked, scene, after)
    back = {name: before.get(name) for name in asked.variables}
    return "set_env", {**placed(asked), "container": asked.container, "variables": back}


SET_ENV = Change(
    verb="set_env",
    description="Set or take away plain environment variables of one container of a workload.",
    asks=SetEnv,
    risk="medium",
    look=around_workload,
    edit=_edit,
    undo=_undo,
    radius=rolling_radius,
    warn=warn_of_rollout,
    standing=standing_of_rollout,
    examples=("switch a feature off by its variable", "correct an address that a service is given"),
)
