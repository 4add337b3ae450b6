"""A container's environment: plain values, ConfigMap and Secret keys, the pod's own fields."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping


class Resolve(Protocol):
    """Looks into ConfigMaps and Secrets."""

    def __call__(
        self, kind: str, namespace: str, name: str, key: str | None
    ) -> Mapping[str, str] | None:
        """Keys and values of a "ConfigMap" or "Secret" (decoded): all of it, or one key.

        ``None`` where there is no such object; without the key, where it has no such key.
        """
        ...


class ConfigError(Exception):
    """A container's environment refers to what is not there; the text is the kubelet's."""


def resolve_environment(
    container: Mapping[str, Any], pod: Mapping[str, Any], ip: str, resolve: Resolve
) -> dict[str, str]:
    """What the container's process sees.

    Raises:
        ConfigError: an object or key that is not optional is missing.
    """
    namespace = pod["metadata"].get("namespace", "default")
    found: dict[str, str] = {}
    for source in container.get("envFrom") or ():
        for field, kind in (("configMapRef", "ConfigMap"), ("secretRef", "Secret")):
            if reference := source.get(field):
                content = _content(kind, namespace, reference, None, resolve) or {}
                prefix = source.get("prefix", "")
                found |= {prefix + key: value for key, value in content.items()}
    for one in container.get("env") or ():
        name, origin = one["name"], one.get("valueFrom")
        if origin is None:
            found[name] = _expanded(str(one.get("value") or ""), found)
        elif (value := _value(origin, namespace, pod, ip, resolve)) is not None:
            found[name] = value
    return found


def _value(
    origin: Mapping[str, Any], namespace: str, pod: Mapping[str, Any], ip: str, resolve: Resolve
) -> str | None:
    for field, kind in (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret")):
        if reference := origin.get(field):
            content = _content(kind, namespace, reference, reference["key"], resolve)
            return None if content is None else content.get(reference["key"])
    own: dict[str, str] = {
        "metadata.name": pod["metadata"].get("name", ""),
        "metadata.namespace": namespace,
        "metadata.uid": pod["metadata"].get("uid", ""),
        "spec.nodeName": pod.get("spec", {}).get("nodeName", ""),
        "status.podIP": ip,
    }
    return own.get((origin.get("fieldRef") or {}).get("fieldPath", ""), "")


def _content(
    kind: str, namespace: str, reference: Mapping[str, Any], key: str | None, resolve: Resolve
) -> Mapping[str, str] | None:
    name = reference["name"]
    content = resolve(kind, namespace, name, key)
    if reference.get("optional") or (content is not None and (key is None or key in content)):
        return content
    if content is None:
        raise ConfigError(f'{kind.lower()} "{name}" not found')
    raise ConfigError(f"couldn't find key {key} in {kind} {namespace}/{name}")


def _expanded(value: str, known: Mapping[str, str]) -> str:
    for name, content in known.items():
        value = value.replace(f"$({name})", content)
    return value
