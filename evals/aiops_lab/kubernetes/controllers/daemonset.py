"""DaemonSets: one pod on every node that can take it (pkg/controller/daemon)."""

from collections.abc import Iterable

from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.controllers.common import (
    SYSTEM,
    Name,
    is_active,
    is_ready,
    name_of,
    owned_by,
    pod_from,
    share,
    touched_owner,
)
from aiops_lab.kubernetes.controllers.events import Events
from aiops_lab.kubernetes.controllers.revisions import current_revision, hash_of
from aiops_lab.kubernetes.controllers.scheduler import tolerates
from aiops_lab.kubernetes.deleting import DeleteOptions, delete
from aiops_lab.kubernetes.problems import Refused
from aiops_lab.kubernetes.store import Change, Object
from aiops_lab.kubernetes.writing import Writer

RESOURCE = "daemonsets.apps"
BY = "daemonset-controller"
RETRY_S = 5.0
# What a daemon's pods tolerate: nodes that take no other new pods.
_TOLERATED = (
    ("node.kubernetes.io/not-ready", "NoExecute"),
    ("node.kubernetes.io/unreachable", "NoExecute"),
    ("node.kubernetes.io/disk-pressure", "NoSchedule"),
    ("node.kubernetes.io/memory-pressure", "NoSchedule"),
    ("node.kubernetes.io/pid-pressure", "NoSchedule"),
    ("node.kubernetes.io/unschedulable", "NoSchedule"),
)


class DaemonSets:
    """Keeps one pod of each DaemonSet on every node."""

    locks = True

    def __init__(self, cluster: Cluster, writer: Writer, events: Events) -> None:
        self._cluster, self._writer, self._events = cluster, writer, events

    def touched(self, change: Change) -> Iterable[Name]:
        """A DaemonSet, one whose pod changed, or all when a node comes, goes or is relabelled."""
        resource = change.now.key[0]
        if resource == RESOURCE:
            return [change.now.key[1:]]
        if resource == "nodes":
            return [name_of(obj) for obj in self._cluster.every(RESOURCE)]
        return touched_owner(change, "DaemonSet") if resource == "pods" else ()

    def reconcile(self, name: Name) -> float | None:
        """Make and delete pods, replace old ones, write the status."""
        owner = self._cluster.find(RESOURCE, *name)
        if owner is None:
            return None
        revision = hash_of(current_revision(self._cluster, owner))
        nodes = [
            node["metadata"]["name"] for node in self._cluster.every("nodes") if _takes(owner, node)
        ]
        failed = False
        if not owner["metadata"].get("deletionTimestamp"):
            failed = self._manage(owner, nodes, revision)
        self._update_status(owner, nodes, revision)
        return RETRY_S if failed else None

    def _pods(self, owner: Object) -> dict[str, Object]:
        """The daemon's pods by the node they are for."""
        pods = owned_by(owner, self._cluster.every("pods", owner["metadata"]["namespace"]))
        return {_node_of(pod): pod for pod in pods if is_active(pod)}

    def _manage(self, owner: Object, nodes: list[str], revision: str) -> bool:
        pods = self._pods(owner)
        for node, pod in pods.items():
            if node not in nodes:
                self._delete(owner, pod)
        for node in nodes:
            if node not in pods:
                try:
                    self._create(owner, node, revision)
                except Refused as refused:
                    text = f"Error creating: {refused.message}"
                    self._events.warning(owner, "FailedCreate", text, BY)
                    return True
        strategy = owner["spec"]["updateStrategy"]
        if strategy["type"] == "RollingUpdate":
            allowed = share(strategy["rollingUpdate"]["maxUnavailable"], len(nodes), up=True)
            allowed -= sum(not is_ready(pod) for pod in pods.values() if hash_of(pod) == revision)
            old = [pod for pod in pods.values() if hash_of(pod) != revision]
            for pod in sorted(old, key=is_ready)[: max(0, allowed)]:
                self._delete(owner, pod)
        return False

    def _create(self, owner: Object, node: str, revision: str) -> None:
        pod = pod_from(owner["spec"]["template"], owner)
        labels = pod["metadata"].get("labels") or {}
        pod["metadata"]["labels"] = {**labels, "controller-revision-hash": revision}
        field = {"key": "metadata.name", "operator": "In", "values": [node]}
        required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
        affinity = {"requiredDuringSchedulingIgnoredDuringExecution": required}
        pod["spec"]["affinity"] = {**(pod["spec"].get("affinity") or {}), "nodeAffinity": affinity}
        pod["spec"]["tolerations"] = [
            *(pod["spec"].get("tolerations") or ()),
            *({"key": k, "operator": "Exists", "effect": e} for k, e in _TOLERATED),
        ]
        namespace = owner["metadata"]["namespace"]
        made = self._writer.create(self._cluster.kind("pods"), namespace, pod, SYSTEM)
        text = f"Created pod: {made.object['metadata']['name']}"
        self._events.normal(owner, "SuccessfulCreate", text, BY)

    def _delete(self, owner: Object, pod: Object) -> None:
        namespace, name = name_of(pod)
        delete(self._cluster, self._cluster.kind("pods"), namespace, name, DeleteOptions())
        self._events.normal(owner, "SuccessfulDelete", f"Deleted pod: {name}", BY)

    def _update_status(self, owner: Object, nodes: list[str], revision: str) -> None:
        pods = {node: pod for node, pod in self._pods(owner).items() if node in nodes}
        ready = sum(map(is_ready, pods.values()))
        status = {
            "currentNumberScheduled": len(pods),
            "numberMisscheduled": 0,
            "desiredNumberScheduled": len(nodes),
            "numberReady": ready,
            "observedGeneration": owner["metadata"].get("generation", 1),
            "updatedNumberScheduled": sum(hash_of(pod) == revision for pod in pods.values()),
            "numberAvailable": ready,
            "numberUnavailable": len(nodes) - ready,
        }
        self._cluster.change(owner, status=status)


def _node_of(pod: Object) -> str:
    affinity = pod["spec"].get("affinity", {}).get("nodeAffinity", {})
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {})
    for term in required.get("nodeSelectorTerms", ()):
        for field in term.get("matchFields", ()):
            return str(field["values"][0])
    return str(pod["spec"].get("nodeName", ""))


def _takes(owner: Object, node: Object) -> bool:
    template = owner["spec"]["template"]["spec"]
    labels = node["metadata"].get("labels") or {}
    if not (template.get("nodeSelector") or {}).items() <= labels.items():
        return False
    tolerated = {key for key, _ in _TOLERATED}
    pod = {"spec": template}
    return all(
        taint["key"] in tolerated or taint["effect"] == "PreferNoSchedule" or tolerates(pod, taint)
        for taint in node["spec"].get("taints") or ()
    )
