"""The scheduler: pods to nodes by requests, selectors, affinity and taints."""

from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from aiops_lab.kubernetes.admission import pod_requests
from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.controllers.common import Name, with_condition
from aiops_lab.kubernetes.controllers.events import Events
from aiops_lab.kubernetes.quantities import parse_quantity
from aiops_lab.kubernetes.selectors import Selector, requirements_of
from aiops_lab.kubernetes.store import Change, Object

BY = "default-scheduler"


class Scheduler:
    """Gives every pod without a node the fitting one with most CPU left."""

    locks = True

    def __init__(self, cluster: Cluster, events: Events) -> None:
        self._cluster, self._events = cluster, events

    def touched(self, change: Change) -> Iterable[Name]:
        """A pod without a node; all of them when room or a node appears."""
        resource, pod = change.now.key[0], change.now.object
        if resource == "pods" and change.type != "DELETED" and not pod["spec"].get("nodeName"):
            return [change.now.key[1:]]
        freed = resource == "pods" and (
            change.type == "DELETED" or pod["status"].get("phase") in ("Succeeded", "Failed")
        )
        if freed or resource == "nodes":
            return [
                kept.key[1:]
                for kept in self._cluster.store.select("pods")
                if not kept.object["spec"].get("nodeName")
            ]
        return ()

    def reconcile(self, name: Name) -> float | None:
        """Place one pod, or say why it cannot be placed."""
        pod = self._cluster.find("pods", *name)
        if pod is None or pod["spec"].get("nodeName") or pod["metadata"].get("deletionTimestamp"):
            return None
        if pod["spec"].get("schedulingGates"):
            return None
        reasons: Counter[str] = Counter()
        best: tuple[Decimal, str] | None = None
        nodes = self._cluster.every("nodes")
        for node in nodes:
            free = self._free(node)
            why = unfit(pod, node, free)
            reasons.update(why)
            if not why:
                candidate = (free.get("cpu", Decimal(0)), node["metadata"]["name"])
                best = max(best, candidate) if best else candidate
        if best is None:
            self._fail(pod, len(nodes), reasons)
        else:
            self._bind(pod, best[1])
        return None

    def _free(self, node: Object) -> dict[str, Decimal]:
        free = {
            name: parse_quantity(value)
            for name, value in (node.get("status", {}).get("allocatable") or {}).items()
        }
        for pod in self._cluster.every("pods"):
            if pod["spec"].get("nodeName") != node["metadata"]["name"]:
                continue
            if pod["status"].get("phase") in ("Succeeded", "Failed"):
                continue
            free["pods"] = free.get("pods", Decimal(110)) - 1
            for name, value in pod_requests(pod["spec"]).items():
                free[name] = free.get(name, Decimal(0)) - value
        return free

    def _fail(self, pod: Object, nodes: int, reasons: Counter[str]) -> None:
        listed = ", ".join(f"{n} {why}" for why, n in sorted(reasons.items()))
        text = f"0/{nodes} nodes are available: {listed}." if nodes else "no nodes available"
        new = {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": text,
        }
        conditions = with_condition(pod["status"].get("conditions"), new, self._cluster.now())
        if self._cluster.change(pod, status={**pod["status"], "conditions": conditions}):
            self._events.warning(pod, "FailedScheduling", text, BY)

    def _bind(self, pod: Object, node: str) -> None:
        new = {"type": "PodScheduled", "status": "True"}
        conditions = with_condition(pod["status"].get("conditions"), new, self._cluster.now())
        self._cluster.change(
            pod,
            spec={**pod["spec"], "nodeName": node},
            status={**pod["status"], "conditions": conditions},
        )
        title = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        text = f"Successfully assigned {title} to {node}"
        self._events.normal(pod, "Scheduled", text, BY)


def unfit(pod: Object, node: Object, free: Mapping[str, Decimal]) -> list[str]:
    """Why a pod cannot run on a node, in the scheduler's words; nothing where it can."""
    spec, labels = pod["spec"], node["metadata"].get("labels") or {}
    cordon = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}
    if node["spec"].get("unschedulable") and not tolerates(pod, cordon):
        return ["node(s) were unschedulable"]
    for taint in node["spec"].get("taints") or ():
        if taint["effect"] != "PreferNoSchedule" and not tolerates(pod, taint):
            return [f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"]
    if not (spec.get("nodeSelector") or {}).items() <= labels.items() or not _affine(spec, node):
        return ["node(s) didn't match Pod's node affinity/selector"]
    wanted = {**pod_requests(spec), "pods": Decimal(1)}
    short = [n for n, v in sorted(wanted.items()) if v and v > free.get(n, Decimal(0))]
    return ["Too many pods" if name == "pods" else f"Insufficient {name}" for name in short]


def tolerates(pod: Object, taint: Mapping[str, Any]) -> bool:
    """Whether a pod tolerates a taint."""
    for toleration in pod["spec"].get("tolerations") or ():
        if toleration.get("effect") not in (None, "", taint["effect"]):
            continue
        key, exists = toleration.get("key"), toleration.get("operator") == "Exists"
        if not key and exists:
            return True
        if key == taint["key"] and (
            exists or toleration.get("value", "") == taint.get("value", "")
        ):
            return True
    return False


def _affine(spec: Mapping[str, Any], node: Object) -> bool:
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    labels = node["metadata"].get("labels") or {}
    fields = {"metadata.name": node["metadata"]["name"]}
    return any(
        Selector(requirements_of(term.get("matchExpressions") or [])).matches(labels)
        and Selector(requirements_of(term.get("matchFields") or [])).matches(fields)
        for term in required["nodeSelectorTerms"]
    )
