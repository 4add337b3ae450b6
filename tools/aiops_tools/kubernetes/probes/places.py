"""Where a question looks, and what to say where nothing is there."""

from difflib import get_close_matches
from typing import Annotated, Any, Literal

from pydantic import Field

from aiops.analyze.state.api import part, text
from aiops.errors import ToolFailed
from aiops_tools.kubernetes.kinds import POD, Kind, kind_named
from aiops_tools.kubernetes.probes.probe import InCluster, View
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.kubernetes.selectors import selector_text
from aiops_tools.names import Namespace, WorkloadName

KindName = Annotated[
    str,
    Field(
        min_length=1,
        max_length=63,
        description="kind of object: Pod, Deployment, Service, Node, ...",
        json_schema_extra={"format": "kind"},
    ),
]
ObjectName = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9]([-A-Za-z0-9._:]*[A-Za-z0-9])?$",
        max_length=253,
        description="name of one object",
        json_schema_extra={"format": "object"},
    ),
]
WorkloadKind = Literal["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"]


class InNamespace(InCluster):
    """What a question about one namespace takes."""

    namespace: Namespace


class OfWorkload(InNamespace):
    """What a question about one workload takes."""

    kind: WorkloadKind = "Deployment"
    name: WorkloadName


def one(view: View, kind: Kind, namespace: str | None, name: str) -> Api:
    """The object.

    Raises:
        ToolFailed: there is none; says which name may have been meant.
    """
    if kind.namespaced and namespace is None:
        raise ToolFailed("invalid", f"say in which namespace the {kind.name} {name} is")
    namespace = namespace if kind.namespaced else None
    try:
        return view.reader.one(kind, namespace, name)
    except ToolFailed as failure:
        if failure.kind != "not_found":
            raise
    if namespace is not None:
        there(view, namespace)
    names = [text(other, "metadata", "name") for other in view.reader.every(kind, namespace)]
    where = f" in namespace {namespace}" if namespace else ""
    raise ToolFailed(
        "not_found",
        f"cluster {view.reader.cluster} has no {kind.name} {name!r}{where}{meant(name, names)}",
    )


def there(view: View, namespace: str) -> None:
    """Raises ToolFailed where there is no such namespace: an empty list would look like peace."""
    try:
        names = view.reader.namespaces()
    except ToolFailed as failure:
        if failure.kind == "forbidden":
            return  # who may not list namespaces still may read in one
        raise
    if namespace not in names:
        raise ToolFailed(
            "not_found",
            f"cluster {view.reader.cluster} has no namespace {namespace!r}"
            f"{meant(namespace, names)}",
        )


def meant(name: str, names: list[str]) -> str:
    """The end of a sentence: what else there is that is called alike."""
    near = get_close_matches(name, names, n=3, cutoff=0.5)
    near = near or [other for other in sorted(names) if other.startswith(name.split("-")[0])][:3]
    if near:
        return f"; did you mean {', '.join(map(repr, near))}?"
    return f"; there are {len(names)} others" if names else "; there is none at all"


def listed(view: View, kind: Kind, namespace: str | None, *, labels: str = "") -> list[Api]:
    """All objects; raises ToolFailed where there is no such namespace."""
    found = view.reader.every(kind, namespace, labels=labels)
    if not found and namespace is not None and kind.namespaced:
        there(view, namespace)
    return found


def pods_of(view: View, workload: Api, namespace: str) -> list[Api]:
    """The pods a workload's selector chooses; none where it has no selector."""
    chosen: dict[str, Any] = part(workload, "spec", "selector")
    if not selector_text(chosen):
        return []
    return view.reader.every(POD, namespace, labels=selector_text(chosen))


def workload_of(view: View, asked: OfWorkload) -> Api:
    """The workload asked for. Raises ToolFailed."""
    return one(view, kind_named(asked.kind), asked.namespace, asked.name)
