"""ReplicaSets: as many pods as wanted (pkg/controller/replicaset)."""

from collections.abc import Iterable

from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.controllers.common import (
    SYSTEM,
    Name,
    controller_of,
    count_available,
    is_active,
    is_ready,
    owned_by,
    owner_reference,
    pod_from,
    selected,
    touched_with_pods,
    with_condition,
)
from aiops_lab.kubernetes.controllers.events import Events
from aiops_lab.kubernetes.deleting import DeleteOptions, delete
from aiops_lab.kubernetes.problems import Refused
from aiops_lab.kubernetes.store import Change, Object
from aiops_lab.kubernetes.writing import Writer

RESOURCE = "replicasets.apps"
BY = "replicaset-controller"
RETRY_S = 5.0
# At most this many pods are made or deleted in one look, so that others are looked at between.
BURST = 100


class ReplicaSets:
    """Makes and deletes pods until there are as many as each ReplicaSet wants."""

    locks = True

    def __init__(self, cluster: Cluster, writer: Writer, events: Events) -> None:
        self._cluster, self._writer, self._events = cluster, writer, events
        self._failed: dict[str, tuple[float, str]] = {}

    def touched(self, change: Change) -> Iterable[Name]:
        """A ReplicaSet, or one whose pod changed."""
        return touched_with_pods(change, RESOURCE, "ReplicaSet")

    def reconcile(self, name: Name) -> float | None:
        """Make the number of pods right, then the status."""
        owner = self._cluster.find(RESOURCE, *name)
        if owner is None:
            return None
        self._adopt(owner)
        pods = [p for p in owned_by(owner, self._cluster.every("pods", name[0])) if is_active(p)]
        failure, more = None, False
        if not owner["metadata"].get("deletionTimestamp"):
            failure, more = self._paced(owner, pods)
        pods = [p for p in owned_by(owner, self._cluster.every("pods", name[0])) if is_active(p)]
        later = self._update_status(owner, pods, failure)
        if more:
            return 0.0
        return RETRY_S if failure else later

    def _adopt(self, owner: Object) -> None:
        """Take over pods that match and belong to nobody."""
        for pod in selected(self._cluster, owner):
            if controller_of(pod) is None and is_active(pod):
                references = [
                    *(pod["metadata"].get("ownerReferences") or ()),
                    owner_reference(owner),
                ]
                metadata = {**pod["metadata"], "ownerReferences": references}
                self._cluster.change(pod, metadata=metadata)

    def _paced(self, owner: Object, pods: list[Object]) -> tuple[str | None, bool]:
        """As `_manage`, but what was refused is tried again only after a while."""
        uid, now = owner["metadata"]["uid"], self._cluster.clock.stopwatch()
        since, failure = self._failed.get(uid, (0.0, ""))
        wants_more = owner["spec"]["replicas"] > len(pods)
        if failure and wants_more and now < since + RETRY_S:
            return failure, False
        self._failed.pop(uid, None)
        refused, more = self._manage(owner, pods)
        if refused:
            self._failed[uid] = (now, refused)
        return refused, more

    def _manage(self, owner: Object, pods: list[Object]) -> tuple[str | None, bool]:
        """Make or delete what is needed; returns why it failed, and whether there is more to do."""
        missing = owner["spec"]["replicas"] - len(pods)
        namespace = owner["metadata"]["namespace"]
        if missing > 0:
            pod = pod_from(owner["spec"]["template"], owner)
            for _ in range(min(missing, BURST)):
                try:
                    made = self._writer.create(self._cluster.kind("pods"), namespace, pod, SYSTEM)
                except Refused as refused:
                    text = f"Error creating: {refused.message}"
                    self._events.warning(owner, "FailedCreate", text, BY)
                    return refused.message, False
                title = made.object["metadata"]["name"]
                self._events.normal(owner, "SuccessfulCreate", f"Created pod: {title}", BY)
        for pod in sorted(pods, key=_worth)[: max(0, -missing)]:
            title = pod["metadata"]["name"]
            delete(self._cluster, self._cluster.kind("pods"), namespace, title, DeleteOptions())
            self._events.normal(owner, "SuccessfulDelete", f"Deleted pod: {title}", BY)
        return None, missing > BURST

    def _update_status(
        self, owner: Object, pods: list[Object], failure: str | None
    ) -> float | None:
        min_ready_s = owner["spec"].get("minReadySeconds", 0)
        available, later = count_available(self._cluster, pods, min_ready_s)
        labels = owner["spec"]["template"].get("metadata", {}).get("labels") or {}
        old = owner.get("status") or {}
        conditions = [c for c in old.get("conditions", ()) if c["type"] != "ReplicaFailure"]
        if failure:
            new = {
                "type": "ReplicaFailure",
                "status": "True",
                "reason": "FailedCreate",
                "message": failure,
            }
            conditions = with_condition(old.get("conditions"), new, self._cluster.now())
        labelled = sum(
            labels.items() <= (pod["metadata"].get("labels") or {}).items() for pod in pods
        )
        status = {
            "replicas": len(pods),
            "fullyLabeledReplicas": labelled,
            "readyReplicas": sum(map(is_ready, pods)),
            "availableReplicas": available,
            "observedGeneration": owner["metadata"].get("generation", 1),
        }
        kept = {k: v for k, v in status.items() if v or k in ("replicas", "observedGeneration")}
        if conditions:
            kept["conditions"] = conditions
        self._cluster.change(owner, status=kept)
        return later


def _worth(pod: Object) -> tuple[bool, int, bool, int, int]:
    """Pods to delete first come first: unscheduled, pending, unready, cheap, young."""
    status, metadata = pod.get("status", {}), pod["metadata"]
    cost = (metadata.get("annotations") or {}).get("controller.kubernetes.io/pod-deletion-cost")
    phases = {"Pending": 0, "Unknown": 1}
    return (
        bool(pod["spec"].get("nodeName")),
        phases.get(status.get("phase"), 2),
        is_ready(pod),
        int(cost or 0),
        -int(metadata["resourceVersion"]),
    )
