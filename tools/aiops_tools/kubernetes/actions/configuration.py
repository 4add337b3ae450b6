"""Set configuration: keys of a ConfigMap."""

from collections.abc import Iterator, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints, model_validator

from aiops.errors import ToolFailed
from aiops.model.tool import BlastRadius
from aiops_tools.kubernetes.actions.asked import MOST_ENTRIES, ConfigMapName, InNamespace
from aiops_tools.kubernetes.actions.change import Change, Inverse
from aiops_tools.kubernetes.actions.editing import placed
from aiops_tools.kubernetes.actions.scene import Scene, Some, alone
from aiops_tools.kubernetes.actions.secrecy import looks_secret
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.kubernetes.writer import Writer
from aiops_tools.watching import Standing, set_otherwise

_Key = Annotated[str, StringConstraints(pattern=r"^[-._a-zA-Z0-9]+$", max_length=253)]
_Value = Annotated[str, StringConstraints(max_length=262_144)]


class SetConfig(InNamespace):
    """A ConfigMap and keys of it: a text sets one, null takes it away, others stay."""

    KIND: ClassVar[str] = "ConfigMap"
    name: ConfigMapName
    data: Annotated[dict[_Key, _Value | None], Field(min_length=1, max_length=MOST_ENTRIES)]

    @model_validator(mode="after")
    def _no_secrets(self) -> "SetConfig":
        for name, value in self.data.items():
            if value is not None and looks_secret(name, value):
                raise ValueError(
                    f"{name} looks like a secret; keep it in a Secret, which is not changed here"
                )
        return self


def _look(writer: Writer, config: Api) -> Scene:
    some = Some(writer, config["metadata"]["namespace"])
    name = config["metadata"]["name"]
    users = tuple(pod for pod in some.every("Pod") if name in _names(pod["spec"]))
    return replace(alone(writer, config), pods=users, unread=tuple(some.unread))


def _edit(asked: SetConfig, scene: Scene) -> Api:
    if scene.object.get("immutable"):
        raise ToolFailed(
            "invalid",
            f"{asked.target} is immutable; make another ConfigMap and let the workload use it",
        )
    new = deepcopy(scene.object)
    data = dict(new.get("data") or {})
    for key, value in asked.data.items():
        if looks_secret(key, data.get(key, "")):
            raise ToolFailed(
                "invalid",
                f"key {key} of {asked.target} holds what looks like a secret; it is neither shown "
                "nor changed here",
            )
        data.pop(key, None)
        if value is not None:
            data[key] = value
    new.pop("data", None)
    return new | ({"data": data} if data else {})


def _undo(asked: SetConfig, scene: Scene, after: Api) -> Inverse:
    del after
    before = scene.object.get("data") or {}
    return "set_config", {**placed(asked), "data": {key: before.get(key) for key in asked.data}}


def _radius(scene: Scene, after: Api) -> BlastRadius:
    del scene, after
    return BlastRadius(1)


def _warn(asked: SetConfig, scene: Scene, after: Api) -> Sequence[str]:
    del after
    mounted = sum(asked.name in _names(pod["spec"].get("volumes")) for pod in scene.pods)
    fixed = sum(asked.name in _names(pod["spec"]["containers"]) for pod in scene.pods)
    warnings = (
        [f"{mounted} pods mount it and see the change within a minute or so"] if mounted else []
    )
    if fixed:
        warnings.append(
            f"{fixed} pods take variables from it and see the change only after a restart"
        )
    return warnings or ["no pod uses it now"]


def _names(value: Any) -> frozenset[str]:
    """Names of ConfigMaps that part of a pod's spec refers to."""
    return frozenset(_named(value))


def _named(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("configMap", "configMapRef", "configMapKeyRef") and isinstance(inner, dict):
                yield str(inner.get("name", ""))
            yield from _named(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _named(inner)


def _standing(asked: SetConfig, now: Api, pods: Sequence[Api]) -> Standing:
    del pods
    as_asked = Standing(True, f"{len(asked.data)} keys are as asked")
    return set_otherwise(asked.data, now.get("data") or {}) or as_asked


SET_CONFIG = Change(
    verb="set_config",
    description="Set or take away keys of a ConfigMap.",
    asks=SetConfig,
    risk="medium",
    look=_look,
    edit=_edit,
    undo=_undo,
    radius=_radius,
    warn=_warn,
    standing=_standing,
    waits_for_pods=False,
    examples=("correct a setting that a service reads from its configuration",),
)
