"""Containers in a workload's template."""

from copy import deepcopy

from aiops.errors import ToolFailed
from aiops_tools.kubernetes.actions.asked import OnContainer
from aiops_tools.kubernetes.sealed import Api


def container_of(workload: Api, asked: OnContainer) -> Api:
    """The container meant, where it is: a change of it is one of ``workload``.

    Raises:
        ToolFailed: there is none of that name; says which there are.
    """
    spec = workload["spec"]["template"]["spec"]
    found = [*(spec.get("initContainers") or ()), *spec["containers"]]
    for one in found:
        if one["name"] == asked.container:
            container: Api = one
            return container
    names = ", ".join(one["name"] for one in found)
    raise ToolFailed(
        "not_found", f"{asked.target} has no container {asked.container!r}; it has: {names}"
    )


def edited(workload: Api, asked: OnContainer, fields: Api) -> Api:
    """A copy of ``workload`` with ``fields`` of the container meant; None takes a field away."""
    new = deepcopy(workload)
    container = container_of(new, asked)
    for key, value in fields.items():
        if value is None:
            container.pop(key, None)
        else:
            container[key] = value
    return new
