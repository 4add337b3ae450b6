"""What was changed in a cluster, as its objects tell: no value of a Secret, no value at all.

A version of a workload is told by the ReplicaSet or ControllerRevision it made; any other edit by
the times that the API notes who managed which fields of an object (Kubernetes documentation,
"Server-Side Apply": managedFields); creations by their stamp; scalings by their events.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from aiops.analyze.state.api import Api, part, parts, text
from aiops.analyze.state.parse_objects import parse_stamp
from aiops.model.change import ChangeKind
from aiops_tools.kubernetes import revisions
from aiops_tools.kubernetes.revisions import Revision

EDITED = (
    "Deployment",
    "StatefulSet",
    "DaemonSet",
    "CronJob",
    "ConfigMap",
    "Secret",
    "Service",
    "Ingress",
    "NetworkPolicy",
    "HorizontalPodAutoscaler",
    "ResourceQuota",
    "LimitRange",
    "PodDisruptionBudget",
    "Role",
    "RoleBinding",
    "ServiceAccount",
)
"""Kinds that people and pipelines edit."""
REVISED = ("ReplicaSet", "ControllerRevision")
_CONTROLLERS = frozenset(
    {
        "kube-controller-manager",
        "kube-scheduler",
        "kubelet",
        "kube-apiserver",
        "cluster-autoscaler",
    }
)
"""Field managers that write status and bookkeeping, not anybody's will."""
ROLLOUT_S = 120.0
"""Scalings of a Deployment within this time after a new version are part of it."""
_SCALING = frozenset({"ScalingReplicaSet", "SuccessfulRescale", "SuccessfulCreate"})
_NODE = {
    "NodeNotSchedulable": "was cordoned",
    "NodeSchedulable": "was uncordoned",
    "Rebooted": "was rebooted",
    "RegisteredNode": "joined",
    "RemovingNode": "was removed",
}
_CONFIG = frozenset({"ConfigMap", "Secret"})


@dataclass(frozen=True, slots=True)
class Changed:
    """One thing that was done to an object.

    Attributes:
        at: unix seconds.
        by: the field manager, or the component that said so; "" where unknown.
        ref: the images of a new version.
    """

    at: float
    kind: str
    namespace: str | None
    name: str
    what: str
    type: ChangeKind
    by: str = ""
    ref: str = ""


def changes(objects: Mapping[str, Sequence[Api]], events: Sequence[Api]) -> list[Changed]:
    """Every change that is known, ascending in time, each told once.

    Args:
        objects: by kind, of ``EDITED`` and ``REVISED``; a kind that was not read is left out.
    """
    done = [*_rollouts(objects), *_edits(objects)]
    begun = {(one.namespace, one.name, one.at) for one in done if _replaces(one)}
    scaled = [
        one
        for one in _scalings(events)
        if not any(
            (space, name) == (one.namespace, one.name) and 0 <= one.at - at <= ROLLOUT_S
            for space, name, at in begun
        )
    ]
    found = [*done, *scaled, *_machines(events)]
    return sorted(set(found), key=lambda one: (one.at, one.kind, one.name, one.what))


def _replaces(one: Changed) -> bool:
    """Whether its pods are then replaced, which controllers tell as scalings."""
    return one.kind == "Deployment" and (one.type == "deploy" or one.what == "was created")


def _rollouts(objects: Mapping[str, Sequence[Api]]) -> Iterator[Changed]:
    for owner in objects.get("Deployment", ()):
        yield from _versions(owner, revisions.of_replica_sets(objects.get("ReplicaSet", ()), owner))
    for kind in ("StatefulSet", "DaemonSet"):
        for owner in objects.get(kind, ()):
            made = revisions.of_controller_revisions(objects.get("ControllerRevision", ()), owner)
            yield from _versions(owner, made)


def _versions(owner: Api, made: Sequence[Revision]) -> Iterator[Changed]:
    """A version after the first. Going back to an old one makes none: its edit is told."""
    for before, after in pairwise(made):
        at = parse_stamp(after.made)
        if at is None:
            continue
        old, new = ", ".join(before.images), ", ".join(after.images)
        what = f"image {old} -> {new}" if old != new else "pod template changed, same image"
        cause = f" ({after.cause})" if after.cause else ""
        yield Changed(
            at,
            text(owner, "kind"),
            text(owner, "metadata", "namespace") or None,
            text(owner, "metadata", "name"),
            f"revision {after.number}: {what}{cause}",
            "deploy",
            ref=new,
        )


def _edits(objects: Mapping[str, Sequence[Api]]) -> Iterator[Changed]:
    for kind in EDITED:
        for one in objects.get(kind, ()):
            made = parse_stamp(text(one, "metadata", "creationTimestamp"))
            if made is not None:
                yield _edit(one, made, "was created", "")
            for entry in parts(one, "metadata", "managedFields"):
                at, by = parse_stamp(text(entry, "time")), text(entry, "manager")
                if text(entry, "subresource") == "status" or by in _CONTROLLERS or at is None:
                    continue
                if made is None or at - made > 1:
                    yield _edit(one, at, f"was edited: {_fields(entry)}".rstrip(": "), by)


def _edit(one: Api, at: float, what: str, by: str) -> Changed:
    kind = text(one, "kind")
    return Changed(
        at,
        kind,
        text(one, "metadata", "namespace") or None,
        text(one, "metadata", "name"),
        what,
        "config" if kind in _CONFIG else "other",
        by,
    )


def _fields(entry: Api) -> str:
    """The fields that a manager holds, two levels deep: "spec.replicas, data.LOG_LEVEL"."""
    found: list[str] = []
    for top, inner in part(entry, "fieldsV1").items():
        if not isinstance(inner, dict) or not top.startswith("f:") or top == "f:metadata":
            continue
        names = [f"{top[2:]}.{key[2:]}" for key in inner if key.startswith("f:")]
        found += names or [top[2:]]
    return ", ".join(found[:6]) + (", ..." if len(found) > 6 else "")


def _scalings(events: Sequence[Api]) -> Iterator[Changed]:
    for one in events:
        about = part(one, "involvedObject") or part(one, "regarding")
        if text(one, "reason") not in _SCALING or text(about, "kind") not in (
            "Deployment",
            "HorizontalPodAutoscaler",
        ):
            continue
        at = parse_stamp(text(one, "lastTimestamp") or text(one, "eventTime"))
        if at is not None:
            yield Changed(
                at,
                text(about, "kind"),
                text(about, "namespace") or text(one, "metadata", "namespace") or None,
                text(about, "name"),
                " ".join((text(one, "message") or text(one, "note")).split())[:200],
                "scale",
                text(one, "source", "component") or text(one, "reportingComponent"),
            )


def _machines(events: Sequence[Api]) -> Iterator[Changed]:
    for one in events:
        about = part(one, "involvedObject") or part(one, "regarding")
        what = _NODE.get(text(one, "reason"))
        at = parse_stamp(text(one, "lastTimestamp") or text(one, "eventTime"))
        if text(about, "kind") == "Node" and what and at is not None:
            yield Changed(at, "Node", None, text(about, "name"), what, "other")
