"""Nodes: their conditions, and the taints that follow from those and from cordons."""

from collections.abc import Iterable

from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.controllers.common import Name, is_active, with_condition
from aiops_lab.kubernetes.controllers.events import Events
from aiops_lab.kubernetes.controllers.scheduler import tolerates
from aiops_lab.kubernetes.deleting import DeleteOptions, delete
from aiops_lab.kubernetes.store import Change, Object

BY = "node-controller"
_PRESSURE = {
    "MemoryPressure": ("KubeletHasInsufficientMemory", "KubeletHasSufficientMemory", "memory"),
    "DiskPressure": ("KubeletHasDiskPressure", "KubeletHasNoDiskPressure", "disk"),
    "PIDPressure": ("KubeletHasInsufficientPID", "KubeletHasSufficientPID", "pid"),
}
_TEXTS = {
    "MemoryPressure": ("has insufficient memory available", "has sufficient memory available"),
    "DiskPressure": ("has disk pressure", "has no disk pressure"),
    "PIDPressure": ("has insufficient PID available", "has sufficient PID available"),
}
_OURS = ("node.kubernetes.io/", "-pressure")
_NOT_READY = "node.kubernetes.io/not-ready"
_CORDON = "node.kubernetes.io/unschedulable"


class Nodes:
    """Writes what `Cluster.pressure` says of nodes, and evicts what does not tolerate it."""

    locks = True

    def __init__(self, cluster: Cluster, events: Events) -> None:
        self._cluster, self._events = cluster, events

    def touched(self, change: Change) -> Iterable[Name]:
        """A node."""
        return [change.now.key[1:]] if change.now.key[0] == "nodes" else ()

    def reconcile(self, name: Name) -> float | None:
        """Conditions, taints, and who must leave."""
        node = self._cluster.find("nodes", *name)
        if node is None:
            return None
        held = self._cluster.pressure.get(name[1], frozenset())
        node = self._write_conditions(node, held)
        taints = _taints(node, held)
        if taints != (node["spec"].get("taints") or []):
            spec = {k: v for k, v in node["spec"].items() if k != "taints"}
            if taints:
                spec["taints"] = taints
            node = self._cluster.change(node, spec=spec) or node
        self._evict(node)
        return None

    def _write_conditions(self, node: Object, held: frozenset[str]) -> Object:
        now, conditions = self._cluster.now(), node.get("status", {}).get("conditions")
        before = {c["type"]: c["status"] for c in conditions or ()}
        for kind, (bad, good, _) in _PRESSURE.items():
            under = kind in held
            new = {
                "type": kind,
                "status": "True" if under else "False",
                "reason": bad if under else good,
                "message": f"kubelet {_TEXTS[kind][0 if under else 1]}",
            }
            conditions = self._set(conditions, new, now)
            if under and before.get(kind) != "True":
                text = f"Node {node['metadata']['name']} status is now: {new['reason']}"
                self._events.normal(node, str(new["reason"]), text, "kubelet")
        lost = "NotReady" in held
        ready = {
            "type": "Ready",
            "status": "Unknown" if lost else "True",
            "reason": "NodeStatusUnknown" if lost else "KubeletReady",
            "message": "Kubelet stopped posting node status."
            if lost
            else "kubelet is posting ready status",
        }
        if lost and before.get("Ready") == "True":
            text = f"Node {node['metadata']['name']} status is now: NodeNotReady"
            self._events.normal(node, "NodeNotReady", text, BY)
        conditions = self._set(conditions, ready, now)
        status = {**node.get("status", {}), "conditions": conditions}
        return self._cluster.change(node, status=status) or node

    def _set(self, conditions: list[Object] | None, new: Object, now: str) -> list[Object]:
        old = next((c for c in conditions or () if c["type"] == new["type"]), {})
        same = old.get("status") == new["status"]
        beat = old.get("lastHeartbeatTime", now) if same else now
        return with_condition(conditions, {**new, "lastHeartbeatTime": beat}, now)

    def _evict(self, node: Object) -> None:
        drives_out = [t for t in node["spec"].get("taints") or () if t["effect"] == "NoExecute"]
        if not drives_out:
            return
        for pod in self._cluster.every("pods"):
            here = pod["spec"].get("nodeName") == node["metadata"]["name"]
            if here and is_active(pod) and not all(tolerates(pod, t) for t in drives_out):
                namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
                text = f"Marking for deletion Pod {namespace}/{name}"
                self._events.normal(pod, "TaintManagerEviction", text, "taint-eviction-controller")
                delete(self._cluster, self._cluster.kind("pods"), namespace, name, DeleteOptions())


def _taints(node: Object, held: frozenset[str]) -> list[Object]:
    ours = {f"{_OURS[0]}{word}{_OURS[1]}" for _, _, word in _PRESSURE.values()}
    ours |= {_NOT_READY, _CORDON}
    taints = [t for t in node["spec"].get("taints") or () if t["key"] not in ours]
    for kind, (_, _, word) in _PRESSURE.items():
        if kind in held:
            taints.append({"key": f"{_OURS[0]}{word}{_OURS[1]}", "effect": "NoSchedule"})
    if "NotReady" in held:
        taints.append({"key": _NOT_READY, "effect": "NoSchedule"})
    if node["spec"].get("unschedulable"):
        taints.append({"key": _CORDON, "effect": "NoSchedule"})
    return taints
