"""What was changed in the cluster and when, as people who look at it afterwards see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiops.model import Entity
from aiops.model.change import Change

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from aiops.model.change import ChangeKind
    from aiops_lab.kubernetes.cluster import Cluster
    from aiops_lab.kubernetes.store import Change as Written

WATCHED = frozenset(
    {
        "deployments.apps",
        "statefulsets.apps",
        "daemonsets.apps",
        "configmaps",
        "secrets",
        "services",
        "resourcequotas",
        "limitranges",
        "horizontalpodautoscalers.autoscaling",
        "networkpolicies.networking.k8s.io",
    }
)
_MOST = 2_000
_SHOWN = 4


class Edits:
    """Changes of what is wanted, from ``begin`` to ``end``; what controllers report is none."""

    def __init__(self, cluster: Cluster, namespace: str, now: Callable[[], datetime]) -> None:
        self._cluster, self._namespace, self._now = cluster, namespace, now
        self._seen: list[tuple[datetime, Written]] = []
        self._stop: Callable[[], None] = lambda: None

    def begin(self) -> None:
        """Listen from now on."""
        self._stop = self._cluster.store.listen(self._note)

    def end(self) -> None:
        """Listen no more."""
        self._stop()

    def _note(self, one: Written) -> None:
        resource, namespace, _ = one.now.key
        if (
            resource in WATCHED
            and namespace == self._namespace
            and len(self._seen) < _MOST
            and _is_of_people(one)
        ):
            self._seen.append((self._now(), one))

    def changes(self) -> tuple[Change, ...]:
        """What was noted, ascending in time."""
        workloads = self._cluster.every("deployments.apps", self._namespace)
        return tuple(change for at, one in self._seen for change in read_edit(at, one, workloads))


def _is_of_people(one: Written) -> bool:
    if one.type != "MODIFIED" or one.before is None:
        return True
    return wanted(one.now.object) != wanted(one.before.object)


def wanted(obj: Mapping[str, Any]) -> dict[str, Any]:
    """The part of an object that people write."""
    return {key: part for key, part in obj.items() if key not in {"metadata", "status"}}


def read_edit(at: datetime, one: Written, workloads: list[dict[str, Any]]) -> Iterator[Change]:
    """One write as a change of whom it concerns; writes of nothing that people write give none."""
    resource, namespace, name = one.now.key
    obj, kind = one.now.object, one.now.object["kind"]
    before = wanted(one.before.object) if one.before else None
    if one.type == "MODIFIED" and before is not None:
        places = list(differences(before, wanted(obj), secret=kind == "Secret"))
        if not places:
            return
        more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
        said = f"{kind} {name} changed: {'; '.join(places[:_SHOWN])}{more}"
    else:
        said = f"{kind} {name} {'created' if one.type == 'ADDED' else 'deleted'}"
    yield Change(
        at=at,
        entity=_concerned(resource, namespace, name, obj, workloads),
        description=said,
        kind=_kind(resource, said),
        ref=f"resourceVersion {obj['metadata']['resourceVersion']}",
    )


def _kind(resource: str, said: str) -> ChangeKind:
    if resource in {"deployments.apps", "statefulsets.apps", "daemonsets.apps"}:
        if ".image:" in said:
            return "deploy"
        return "scale" if ": spec.replicas:" in said else "config"
    return "scale" if resource.startswith("horizontalpodautoscalers") else "config"


def _concerned(
    resource: str,
    namespace: str,
    name: str,
    obj: Mapping[str, Any],
    workloads: list[dict[str, Any]],
) -> Entity:
    """The workload it belongs to; of several that use it, the one it is called after."""
    users = [one["metadata"]["name"] for one in workloads if _uses(one, resource, name, obj)]
    if not users:
        return Entity("namespace", namespace)
    named = [user for user in users if name == user or name.startswith(f"{user}-")]
    owner = max(named, key=len) if named else users[0]
    return Entity("service", owner, namespace=namespace)


def _uses(workload: Mapping[str, Any], resource: str, name: str, obj: Mapping[str, Any]) -> bool:
    spec, own = workload["spec"], workload["metadata"]["name"]
    match resource.partition(".")[0]:
        case "deployments" | "statefulsets" | "daemonsets":
            return bool(own == name)
        case "horizontalpodautoscalers":
            return bool(obj["spec"]["scaleTargetRef"]["name"] == own)
        case "services":
            return bool(own == name)
        case "configmaps" | "secrets":
            return name in _references(spec["template"]["spec"])
        case _:
            return False


def _references(found: object) -> set[str]:
    """Names of the ConfigMaps and Secrets that a pod's spec speaks of."""
    if isinstance(found, list):
        return {name for one in found for name in _references(one)}
    if not isinstance(found, dict):
        return set()
    names = {name for part in found.values() for name in _references(part)}
    for key in ("configMapRef", "secretRef", "configMapKeyRef", "secretKeyRef", "configMap"):
        if isinstance(found.get(key), dict):
            names.add(str(found[key].get("name", "")))
    if isinstance(found.get("secret"), dict):
        names.add(str(found["secret"].get("secretName", "")))
    return names


def differences(old: object, new: object, path: str = "", *, secret: bool = False) -> Iterator[str]:
    """Where two values differ, as "path: old -> new"; of a secret only where."""
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}, key=str):
            inner = f"{path}.{key}" if path else str(key)
            yield from differences(old.get(key), new.get(key), inner, secret=secret)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differences(one, other, f"{path}[{i}]", secret=secret)
    elif secret:
        yield f"{path} changed"
    else:
        yield f"{path}: {_short(old)} -> {_short(new)}"


def _short(value: object) -> str:
    text = "none" if value is None else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
