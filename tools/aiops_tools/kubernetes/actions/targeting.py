"""Set target port: where a port of a Service leads in its pods."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, model_validator

from aiops.errors import ToolFailed
from aiops.model.tool import BlastRadius
from aiops_tools.kubernetes.actions.asked import InNamespace, KubernetesServiceName
from aiops_tools.kubernetes.actions.behind import around_service, chosen, declares, selector_of
from aiops_tools.kubernetes.actions.change import Change, Inverse
from aiops_tools.kubernetes.actions.editing import placed
from aiops_tools.kubernetes.actions.scene import Scene, is_ready
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.watching import Standing

_MOST = 65_535
_Target = Annotated[
    str,
    StringConstraints(pattern=r"^([1-9][0-9]{0,4}|[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?)$"),
    Field(description='a port of the pods, by number or by name: "8080", "http"'),
]


class SetTargetPort(InNamespace):
    """A port of a Service, by its number, and where it is to lead."""

    KIND: ClassVar[str] = "Service"
    name: KubernetesServiceName
    port: Annotated[int, Field(ge=1, le=_MOST)]
    protocol: Literal["TCP", "UDP", "SCTP"] = "TCP"
    target_port: _Target

    @model_validator(mode="after")
    def _is_a_port(self) -> "SetTargetPort":
        if self.target_port.isdigit() and int(self.target_port) > _MOST:
            raise ValueError(f"target_port is above {_MOST}")
        return self


def _place(asked: SetTargetPort, service: Api) -> int | None:
    """Which of its ports is meant."""
    for place, port in enumerate(service["spec"].get("ports") or ()):
        if (port["port"], port.get("protocol", "TCP")) == (asked.port, asked.protocol):
            return place
    return None


def _target(port: Api) -> str:
    """Where it leads; the API fills in its own number where nothing is said."""
    return str(port.get("targetPort", port["port"]))


def _edit(asked: SetTargetPort, scene: Scene) -> Api:
    selector_of(scene.object, asked.target)
    place = _place(asked, scene.object)
    if place is None:
        ports = scene.object["spec"].get("ports") or ()
        has = ", ".join(f"{one['port']}/{one.get('protocol', 'TCP')}" for one in ports) or "none"
        raise ToolFailed(
            "not_found", f"{asked.target} has no port {asked.port}/{asked.protocol}; it has: {has}"
        )
    new = deepcopy(scene.object)
    target = asked.target_port
    new["spec"]["ports"][place]["targetPort"] = int(target) if target.isdigit() else target
    return new


def _undo(asked: SetTargetPort, scene: Scene, after: Api) -> Inverse:
    del after
    place = _place(asked, scene.object)
    assert place is not None  # noqa: S101 - the edit found it
    before = _target(scene.object["spec"]["ports"][place])
    port = {"port": asked.port, "protocol": asked.protocol}
    return "set_target_port", {**placed(asked), **port, "target_port": before}


def _radius(scene: Scene, after: Api) -> BlastRadius:
    """Pods that say they listen where a port leads now, and not where it will lead."""
    serving = [pod for pod in chosen(scene.object, scene.pods) if is_ready(pod)]
    ways = [
        (_target(old), _target(new))
        for old, new in zip(scene.object["spec"]["ports"], after["spec"]["ports"], strict=True)
        if _target(old) != _target(new)
    ]
    cut = [
        pod
        for pod in serving
        if any(declares(pod, old) and not declares(pod, new) for old, new in ways)
    ]
    return BlastRadius(1, len(cut), len(serving))


def _warn(asked: SetTargetPort, scene: Scene, after: Api) -> Sequence[str]:
    found = chosen(after, scene.pods)
    if not found:
        return ["it selects no pod: nobody answers behind this name, whatever the port"]
    silent = sum(not declares(pod, asked.target_port) for pod in found)
    if not silent:
        return []
    return [f"{silent} of {len(found)} pods behind it do not say that they have this port"]


def _standing(asked: SetTargetPort, now: Api, pods: Sequence[Api]) -> Standing:
    del pods
    place = _place(asked, now)
    leads = _target(now["spec"]["ports"][place]) if place is not None else "nowhere"
    reached = leads == asked.target_port
    return Standing(reached, f"port {asked.port} leads to {leads}", hopeless=not reached)


SET_TARGET_PORT = Change(
    verb="set_target_port",
    description="Set the port of the pods that a port of a Service leads to.",
    asks=SetTargetPort,
    risk="medium",
    look=around_service,
    edit=_edit,
    undo=_undo,
    radius=_radius,
    warn=_warn,
    standing=_standing,
    waits_for_pods=False,
    examples=("let a Service lead to the port on which its pods listen",),
)
