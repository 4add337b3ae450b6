"""What stands around an object that is to change: pods, budgets, autoscalers, quotas, history."""

from collections.abc import Mapping
from dataclasses import dataclass

from aiops.errors import ToolFailed
from aiops_tools.kubernetes.kinds import POD, kind_named
from aiops_tools.kubernetes.revisions import owned
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.kubernetes.selectors import chooses, selector_text
from aiops_tools.kubernetes.writer import Writer


@dataclass(frozen=True, slots=True)
class Scene:
    """An object and what stands around it; what has nothing to do with it is left out.

    Attributes:
        pods: the object's own; of a ConfigMap, those that use it; of a node, those on it.
        history: ReplicaSets or ControllerRevisions that the object owns.
        budgets: PodDisruptionBudgets over the pods.
        autoscalers: HorizontalPodAutoscalers of the object.
        quotas: ResourceQuotas of the namespace.
        nodes: for a node, all the others.
        unread: what could not be read, and why, a sentence each.
    """

    object: Api
    pods: tuple[Api, ...] = ()
    history: tuple[Api, ...] = ()
    budgets: tuple[Api, ...] = ()
    autoscalers: tuple[Api, ...] = ()
    quotas: tuple[Api, ...] = ()
    nodes: tuple[Api, ...] = ()
    unread: tuple[str, ...] = ()


_HISTORY = {
    "Deployment": "ReplicaSet",
    "StatefulSet": "ControllerRevision",
    "DaemonSet": "ControllerRevision",
}


def around_workload(writer: Writer, workload: Api) -> Scene:
    """What stands around a Deployment, StatefulSet or DaemonSet."""
    some = Some(writer, workload["metadata"]["namespace"])
    labels = (workload["spec"]["template"].get("metadata") or {}).get("labels") or {}
    name, kind = workload["metadata"]["name"], workload["kind"]
    return Scene(
        workload,
        pods=tuple(pods_of(writer, workload)),
        history=tuple(
            one
            for one in writer.every(
                kind_named(_HISTORY[kind]),
                workload["metadata"]["namespace"],
            )
            if owned(one, workload)
        ),
        budgets=budgets_over(some, labels),
        autoscalers=tuple(
            one
            for one in some.every("HorizontalPodAutoscaler")
            if (one["spec"]["scaleTargetRef"].get("kind"), one["spec"]["scaleTargetRef"]["name"])
            == (kind, name)
        ),
        quotas=tuple(some.every("ResourceQuota")),
        unread=tuple(some.unread),
    )


def alone(writer: Writer, one: Api) -> Scene:
    """Nothing but the object."""
    del writer
    return Scene(one)


def pods_of(writer: Writer, workload: Api) -> list[Api]:
    """The pods that a workload selects, or that an autoscaler's does; none for anything else.

    Raises:
        ToolFailed: they cannot be read; how much an action interrupts would be a guess.
    """
    spec = workload.get("spec") or {}
    if "scaleTargetRef" in spec:
        return _scaled(writer, spec["scaleTargetRef"], workload["metadata"]["namespace"])
    if "selector" not in spec or "template" not in spec:
        return []
    namespace = workload["metadata"]["namespace"]
    return [
        pod
        for pod in writer.every(POD, namespace, labels=selector_text(spec["selector"]))
        if (pod.get("status") or {}).get("phase") not in ("Succeeded", "Failed")
    ]


def _scaled(writer: Writer, target: Api, namespace: str) -> list[Api]:
    """The pods of what an autoscaler scales; none where it is gone, or of a kind not known here."""
    try:
        scaled = writer.one(kind_named(str(target["kind"])), namespace, target["name"])
    except ToolFailed as failure:
        if failure.kind in ("invalid", "not_found"):
            return []
        raise
    return pods_of(writer, scaled)


class Some:
    """Reads what an action can be judged without; what fails is noted."""

    def __init__(self, writer: Writer, namespace: str) -> None:
        self._writer, self._namespace = writer, namespace
        self.unread: list[str] = []

    def every(self, kind: str) -> list[Api]:
        """All of a kind in the namespace; empty where they cannot be read."""
        try:
            return self._writer.every(kind_named(kind), self._namespace)
        except ToolFailed as failure:
            self.unread.append(f"not looked at: {failure}")
            return []


def budgets_over(some: Some, labels: Mapping[str, str]) -> tuple[Api, ...]:
    """The disruption budgets that select pods with ``labels``."""
    found = some.every("PodDisruptionBudget")
    return tuple(
        one
        for one in found
        if "selector" in one["spec"] and chooses(one["spec"]["selector"], labels)
    )


def is_ready(pod: Api) -> bool:
    """Whether a pod serves."""
    if pod["metadata"].get("deletionTimestamp"):
        return False
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)
