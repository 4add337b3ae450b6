"""A live cluster read out in the shape of recorded snapshots, so that one reader reads both."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from aiops.analyze.state.api import Api, text
from aiops.model import RecordedOutput
from aiops_tools.kubernetes.kinds import EVENT, Kind, kind_named

NAMESPACED = tuple(
    kind_named(name)
    for name in (
        "Pod",
        "Deployment",
        "ReplicaSet",
        "StatefulSet",
        "DaemonSet",
        "ControllerRevision",
        "Job",
        "CronJob",
        "Service",
        "Endpoints",
        "Ingress",
        "NetworkPolicy",
        "ConfigMap",
        "PersistentVolumeClaim",
        "ResourceQuota",
        "LimitRange",
        "HorizontalPodAutoscaler",
        "PodDisruptionBudget",
        "ServiceAccount",
        "Event",
    )
)
"""What a snapshot of a namespace holds; of Secrets not even the names are needed."""
WIDE = tuple(kind_named(name) for name in ("Node", "PersistentVolume", "StorageClass", "Namespace"))
EVENTS = 1000
_BOOKKEEPING = ("managedFields", "selfLink", "uid")


def outputs(
    found: Mapping[Kind, Sequence[Api]], namespaces: Sequence[str], read_at: datetime
) -> Iterator[RecordedOutput]:
    """One answer a kind and namespace, an empty one too: that nothing is there is worth knowing.

    Args:
        found: objects by kind; a kind that could not be read is left out.
        read_at: ages are counted from then.
    """
    for kind, all_ in found.items():
        objects = _telling(all_) if kind == EVENT else all_
        if not kind.namespaced:
            yield _output(kind, "", objects, read_at)
            continue
        by_namespace: dict[str, list[Api]] = {name: [] for name in namespaces}
        for one in objects:
            by_namespace.setdefault(text(one, "metadata", "namespace"), []).append(one)
        for namespace, own in by_namespace.items():
            yield _output(kind, namespace, own, read_at)


def _telling(events: Sequence[Api]) -> list[Api]:
    """The warnings and latest of them: hundreds of pods that start say the same."""

    def order(one: Api) -> tuple[bool, str]:
        last = text(one, "lastTimestamp") or text(one, "eventTime")
        return text(one, "type") != "Normal", last

    return sorted(events, key=order, reverse=True)[:EVENTS]


def _output(
    kind: Kind, namespace: str, objects: Sequence[Api], read_at: datetime
) -> RecordedOutput:
    place = f" -n {namespace}" if namespace else ""
    stamp = read_at.strftime("%Y-%m-%dT%H:%M:%SZ")
    items = [_lean(one) for one in objects]
    listed = {"kind": "List", "metadata": {"creationTimestamp": stamp}, "items": items}
    return RecordedOutput(f"kubectl get {kind.plural}{place} -o json", json.dumps(listed))


def _lean(one: Api) -> Api:
    metadata = {k: v for k, v in one["metadata"].items() if k not in _BOOKKEEPING}
    return {**one, "metadata": metadata}
