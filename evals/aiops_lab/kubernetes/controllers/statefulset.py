"""StatefulSets: numbered pods, one after the other (pkg/controller/statefulset)."""

from collections.abc import Iterable
from contextlib import suppress

from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.controllers.common import (
    SYSTEM,
    Name,
    count_available,
    is_ready,
    owned_by,
    pod_from,
    touched_with_pods,
)
from aiops_lab.kubernetes.controllers.events import Events
from aiops_lab.kubernetes.controllers.revisions import current_revision, hash_of
from aiops_lab.kubernetes.deleting import DeleteOptions, delete
from aiops_lab.kubernetes.problems import Refused
from aiops_lab.kubernetes.store import Change, Object, Taken
from aiops_lab.kubernetes.writing import Writer

RESOURCE = "statefulsets.apps"
BY = "statefulset-controller"
RETRY_S = 5.0


def _ordinal(pod: Object) -> int:
    return int(pod["metadata"]["name"].rpartition("-")[2])


class StatefulSets:
    """Keeps pods name-0 to name-(n-1), each only after the one before is ready."""

    locks = True

    def __init__(self, cluster: Cluster, writer: Writer, events: Events) -> None:
        self._cluster, self._writer, self._events = cluster, writer, events

    def touched(self, change: Change) -> Iterable[Name]:
        """A StatefulSet, or one whose pod changed."""
        return touched_with_pods(change, RESOURCE, "StatefulSet")

    def reconcile(self, name: Name) -> float | None:
        """One step towards the wanted pods, then the status."""
        owner = self._cluster.find(RESOURCE, *name)
        if owner is None:
            return None
        revision = hash_of(current_revision(self._cluster, owner))
        failed = False
        if not owner["metadata"].get("deletionTimestamp"):
            try:
                self._step(owner, self._pods(owner), revision)
            except Refused as refused:
                failed = True
                self._events.warning(owner, "FailedCreate", refused.message, BY)
        self._update_status(owner, revision)
        return RETRY_S if failed else None

    def _pods(self, owner: Object) -> dict[int, Object]:
        pods = owned_by(owner, self._cluster.every("pods", owner["metadata"]["namespace"]))
        return {_ordinal(pod): pod for pod in pods}

    def _step(self, owner: Object, pods: dict[int, Object], revision: str) -> None:
        ordered = owner["spec"]["podManagementPolicy"] == "OrderedReady"
        wanted = owner["spec"]["replicas"]
        for ordinal in range(wanted):
            pod = pods.get(ordinal)
            if pod is None:
                self._create(owner, ordinal, revision)
            elif pod["status"].get("phase") in ("Succeeded", "Failed"):
                self._delete(owner, pod)
            if ordered and not (pod and is_ready(pod)):
                return
        extra = sorted((n for n in pods if n >= wanted), reverse=True)
        for ordinal in extra:
            self._delete(owner, pods[ordinal])
            if ordered:
                return
        self._roll(owner, pods, revision)

    def _roll(self, owner: Object, pods: dict[int, Object], revision: str) -> None:
        """Replace pods of an old template, the highest first, each when all others are ready."""
        strategy = owner["spec"]["updateStrategy"]
        if strategy["type"] != "RollingUpdate":
            return
        partition = strategy.get("rollingUpdate", {}).get("partition", 0)
        for ordinal in sorted(pods, reverse=True):
            if ordinal < partition:
                return
            if hash_of(pods[ordinal]) != revision:
                self._delete(owner, pods[ordinal])
                return
            if not is_ready(pods[ordinal]):
                return

    def _create(self, owner: Object, ordinal: int, revision: str) -> None:
        metadata = owner["metadata"]
        name = f"{metadata['name']}-{ordinal}"
        pod = pod_from(owner["spec"]["template"], owner, name)
        pod["metadata"]["labels"] = {
            **(pod["metadata"].get("labels") or {}),
            "controller-revision-hash": revision,
            "statefulset.kubernetes.io/pod-name": name,
            "apps.kubernetes.io/pod-index": str(ordinal),
        }
        pod["spec"]["hostname"] = name
        pod["spec"]["subdomain"] = owner["spec"].get("serviceName", "")
        for claim in owner["spec"].get("volumeClaimTemplates") or ():
            self._claim(owner, claim, pod, ordinal)
        kind = self._cluster.kind("pods")
        self._writer.create(kind, metadata["namespace"], pod, SYSTEM)
        text = f"create Pod {name} in StatefulSet {metadata['name']} successful"
        self._events.normal(owner, "SuccessfulCreate", text, BY)

    def _claim(self, owner: Object, template: Object, pod: Object, ordinal: int) -> None:
        volume = template["metadata"]["name"]
        name = f"{volume}-{owner['metadata']['name']}-{ordinal}"
        namespace = owner["metadata"]["namespace"]
        claim = {
            "metadata": {"name": name, "namespace": namespace},
            "spec": template["spec"],
            "status": {"phase": "Pending"},
        }
        with suppress(Taken):  # claims outlive their pods
            self._cluster.insert("persistentvolumeclaims", claim)
        source = {"name": volume, "persistentVolumeClaim": {"claimName": name}}
        others = [v for v in pod["spec"].get("volumes") or () if v["name"] != volume]
        pod["spec"]["volumes"] = [*others, source]

    def _delete(self, owner: Object, pod: Object) -> None:
        if pod["metadata"].get("deletionTimestamp"):
            return
        name, namespace = pod["metadata"]["name"], pod["metadata"]["namespace"]
        delete(self._cluster, self._cluster.kind("pods"), namespace, name, DeleteOptions())
        text = f"delete Pod {name} in StatefulSet {owner['metadata']['name']} successful"
        self._events.normal(owner, "SuccessfulDelete", text, BY)

    def _update_status(self, owner: Object, revision: str) -> None:
        pods = list(self._pods(owner).values())
        available, _ = count_available(self._cluster, pods, owner["spec"].get("minReadySeconds", 0))
        updated = sum(hash_of(pod) == revision for pod in pods)
        current = owner.get("status", {}).get("currentRevision", "")
        name = f"{owner['metadata']['name']}-{revision}"
        if updated == owner["spec"]["replicas"] == len(pods) or not current:
            current = name
        self._cluster.change(
            owner,
            status={
                "observedGeneration": owner["metadata"].get("generation", 1),
                "replicas": len(pods),
                "readyReplicas": sum(map(is_ready, pods)),
                "currentReplicas": updated if current == name else len(pods) - updated,
                "updatedReplicas": updated,
                "availableReplicas": available,
                "currentRevision": current,
                "updateRevision": name,
                "collisionCount": 0,
            },
        )
