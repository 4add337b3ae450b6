"""Set resources: requests and limits of a container's CPU and memory."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from aiops_tools.kubernetes.actions.asked import OnContainer
from aiops_tools.kubernetes.actions.change import Change, Inverse
from aiops_tools.kubernetes.actions.consequences import of_quotas, requested
from aiops_tools.kubernetes.actions.containers import container_of, edited
from aiops_tools.kubernetes.actions.editing import placed
from aiops_tools.kubernetes.actions.rollout import replicas_of, rolling_radius
from aiops_tools.kubernetes.actions.scene import Scene, around_workload
from aiops_tools.kubernetes.actions.templates import of_rollout, standing_of_rollout
from aiops_tools.kubernetes.sealed import Api

Quantity = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$", max_length=20),
    Field(description='a quantity, "250m" or "1Gi"', json_schema_extra={"format": "quantity"}),
]
_FIELDS = {
    "cpu_request": ("requests", "cpu"),
    "cpu_limit": ("limits", "cpu"),
    "memory_request": ("requests", "memory"),
    "memory_limit": ("limits", "memory"),
}


class SetResources(OnContainer):
    """A container and what it is to have; null takes one away, what is left out stays."""

    cpu_request: Quantity | None = None
    cpu_limit: Quantity | None = None
    memory_request: Quantity | None = None
    memory_limit: Quantity | None = None

    @model_validator(mode="after")
    def _says_something(self) -> "SetResources":
        if not self.model_fields_set & _FIELDS.keys():
            raise ValueError(f"give one of {', '.join(_FIELDS)}")
        return self


def _edit(asked: SetResources, scene: Scene) -> Api:
    resources = deepcopy(container_of(scene.object, asked).get("resources") or {})
    for field in asked.model_fields_set & _FIELDS.keys():
        place, name = _FIELDS[field]
        amounts = resources.setdefault(place, {})
        amounts.pop(name, None)
        if getattr(asked, field) is not None:
            amounts[name] = getattr(asked, field)
        if not amounts:
            del resources[place]
    return edited(scene.object, asked, {"resources": resources})


def _undo(asked: SetResources, scene: Scene, after: Api) -> Inverse:
    """Every amount that is another afterwards: a request may follow from a limit."""
    before, then = (container_of(one, asked) for one in (scene.object, after))
    back = {
        field: _amount(before, place, name)
        for field, (place, name) in _FIELDS.items()
        if _amount(before, place, name) != _amount(then, place, name)
    }
    return "set_resources", {**placed(asked), "container": asked.container, **back}


def _amount(container: Api, place: str, name: str) -> str | None:
    amount = ((container.get("resources") or {}).get(place) or {}).get(name)
    return None if amount is None else str(amount)


def _warn(asked: SetResources, scene: Scene, after: Api) -> Sequence[str]:
    old, new = (requested(one["spec"]["template"]) for one in (scene.object, after))
    number = replicas_of(after)
    more = {name: (new[name] - old.get(name, 0.0)) * number for name in new}
    warnings = [
        *of_rollout(scene, after),
        *of_quotas(scene, {name: amount for name, amount in more.items() if amount > 0}),
    ]
    if "memory_limit" in asked.model_fields_set and asked.memory_limit is not None:
        warnings.append("a container that uses more than its memory limit is killed")
    return warnings


SET_RESOURCES = Change(
    verb="set_resources",
    description="Set requests and limits of CPU and memory of one container of a workload.",
    asks=SetResources,
    risk="medium",
    look=around_workload,
    edit=_edit,
    undo=_undo,
    radius=rolling_radius,
    warn=_warn,
    standing=standing_of_rollout,
    examples=("give a container that is killed for memory more of it", "lift a CPU limit"),
)
