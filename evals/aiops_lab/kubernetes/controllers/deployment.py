"""Deployments: rolling from one ReplicaSet to the next (pkg/controller/deployment)."""

import json
from collections.abc import Iterable
from datetime import timedelta

from aiops_lab.kubernetes.cluster import Cluster, moment_of
from aiops_lab.kubernetes.controllers.common import (
    Name,
    condition,
    owned_by,
    owner_reference,
    share,
    template_hash,
    touched_owner,
    with_condition,
)
from aiops_lab.kubernetes.controllers.events import Events
from aiops_lab.kubernetes.store import Change, Object, Taken

RESOURCE, SETS = "deployments.apps", "replicasets.apps"
BY = "deployment-controller"
HASH = "pod-template-hash"
REVISION = "deployment.kubernetes.io/revision"
HISTORY = "deployment.kubernetes.io/revision-history"
DESIRED = "deployment.kubernetes.io/desired-replicas"
MOST = "deployment.kubernetes.io/max-replicas"
_NOT_COPIED = {"kubectl.kubernetes.io/last-applied-configuration", REVISION, HISTORY, DESIRED, MOST}


def _replicas(sets: Iterable[Object]) -> int:
    return sum(s["spec"]["replicas"] for s in sets)


def _status_sum(sets: Iterable[Object], field: str) -> int:
    return sum(s.get("status", {}).get(field, 0) for s in sets)


def revision_of(obj: Object) -> int:
    """The revision a ReplicaSet stands for; 0 for none."""
    return int((obj["metadata"].get("annotations") or {}).get(REVISION, 0))


def _template_of(replica_set: Object) -> Object:
    """A ReplicaSet's template without the label that tells its pods apart."""
    template: Object = json.loads(json.dumps(replica_set["spec"]["template"]))
    template.get("metadata", {}).get("labels", {}).pop(HASH, None)
    return template


class Deployments:
    """Brings each Deployment to its template and number, a few pods at a time."""

    locks = True

    def __init__(self, cluster: Cluster, events: Events) -> None:
        self._cluster, self._events = cluster, events

    def touched(self, change: Change) -> Iterable[Name]:
        """A Deployment, or one whose ReplicaSet changed."""
        if change.now.key[0] == RESOURCE:
            return [change.now.key[1:]]
        if change.now.key[0] == SETS:
            return touched_owner(change, "Deployment")
        # A Recreate rollout waits for the last old pod to go.
        if change.now.key[0] == "pods" and change.type == "DELETED":
            return self._owners_of_pod(change)
        return ()

    def _owners_of_pod(self, change: Change) -> list[Name]:
        return [
            (namespace, owner["name"])
            for namespace, set_name in touched_owner(change, "ReplicaSet")
            if (replica_set := self._cluster.find(SETS, namespace, set_name))
            for owner in replica_set["metadata"].get("ownerReferences") or ()
        ]

    def reconcile(self, name: Name) -> float | None:
        """One step of the rollout, then the status."""
        owner = self._cluster.find(RESOURCE, *name)
        if owner is None:
            return None
        sets = self._sets(owner)
        if not owner["metadata"].get("deletionTimestamp"):
            new = next((s for s in sets if _template_of(s) == owner["spec"]["template"]), None)
            if owner["spec"].get("paused"):
                self._scale_only(owner, sets)
            else:
                self._roll(owner, sets, new)
        owner = self._cluster.find(RESOURCE, *name) or owner
        return self._update_status(owner, self._sets(owner))

    def _sets(self, owner: Object) -> list[Object]:
        found = owned_by(owner, self._cluster.every(SETS, owner["metadata"]["namespace"]))
        return sorted(found, key=revision_of)

    def _roll(self, owner: Object, sets: list[Object], new: Object | None) -> None:
        old = [s for s in sets if s is not new]
        recreate = owner["spec"]["strategy"]["type"] == "Recreate"
        if new is None:
            waits = recreate and self._has_pods(owner, old)
            if waits:
                for replica_set in old:
                    self._scale(owner, replica_set, 0)
                return
            new = self._create_set(owner, old, 0 if recreate else None)
        new = self._mark_revision(owner, old, new)
        if recreate:
            for replica_set in old:
                self._scale(owner, replica_set, 0)
            if not self._has_pods(owner, old):
                self._scale(owner, new, owner["spec"]["replicas"])
        else:
            self._roll_up(owner, old, new)
            self._roll_down(owner, self._sets(owner), new["metadata"]["uid"])
        self._clean_up(owner, old)

    def _has_pods(self, owner: Object, sets: list[Object]) -> bool:
        pods = self._cluster.every("pods", owner["metadata"]["namespace"])
        return any(
            pod.get("status", {}).get("phase") not in ("Succeeded", "Failed")
            for s in sets
            for pod in owned_by(s, pods)
        )

    def _scale_only(self, owner: Object, sets: list[Object]) -> None:
        """While paused the number still follows; the newest ReplicaSet with pods takes it."""
        active = [s for s in sets if s["spec"]["replicas"] > 0] or sets[-1:]
        if active:
            others = _replicas(sets) - active[-1]["spec"]["replicas"]
            self._scale(owner, active[-1], max(0, owner["spec"]["replicas"] - others))

    def _room(self, owner: Object) -> tuple[int, int]:
        """How many pods may be above and below the wanted number."""
        wanted, rolling = owner["spec"]["replicas"], owner["spec"]["strategy"]["rollingUpdate"]
        surge = share(rolling["maxSurge"], wanted, up=True)
        unavailable = share(rolling["maxUnavailable"], wanted, up=False)
        return surge, max(unavailable, 0 if surge else 1)

    def _new_size(self, owner: Object, sets: list[Object], present: int) -> int:
        wanted = owner["spec"]["replicas"]
        if present >= wanted:
            return int(wanted)
        room = wanted + self._room(owner)[0] - _replicas(sets)
        return int(min(wanted, present + max(0, room)))

    def _roll_up(self, owner: Object, old: list[Object], new: Object) -> None:
        self._scale(owner, new, self._new_size(owner, [*old, new], new["spec"]["replicas"]))

    def _roll_down(self, owner: Object, sets: list[Object], new_uid: str) -> None:
        """Take away old pods as far as enough stay available; unhealthy ones first."""
        old = [s for s in sets if s["metadata"]["uid"] != new_uid]
        new = next(s for s in sets if s["metadata"]["uid"] == new_uid)
        if not _replicas(old):
            return
        least = owner["spec"]["replicas"] - self._room(owner)[1]
        missing_new = new["spec"]["replicas"] - new.get("status", {}).get("availableReplicas", 0)
        room = _replicas(sets) - least - missing_new
        left = {s["metadata"]["uid"]: s["spec"]["replicas"] for s in old}
        for replica_set in old:
            uid = replica_set["metadata"]["uid"]
            healthy = replica_set.get("status", {}).get("availableReplicas", 0)
            gone = max(0, min(room, left[uid] - healthy))
            left[uid] -= gone
            room -= gone
        spare = _status_sum(sets, "availableReplicas") - least
        for replica_set in old:
            uid = replica_set["metadata"]["uid"]
            gone = max(0, min(spare, left[uid], room))
            left[uid] -= gone
            spare -= gone
            room -= gone
        for replica_set in old:
            self._scale(owner, replica_set, left[replica_set["metadata"]["uid"]])

    def _scale(self, owner: Object, replica_set: Object, size: int) -> None:
        before = replica_set["spec"]["replicas"]
        annotations = {
            **(replica_set["metadata"].get("annotations") or {}),
            DESIRED: str(owner["spec"]["replicas"]),
            MOST: str(self._most(owner)),
        }
        metadata = {**replica_set["metadata"], "annotations": annotations}
        if before == size:
            self._cluster.change(replica_set, metadata=metadata)
            return
        spec = {**replica_set["spec"], "replicas": size}
        self._cluster.change(replica_set, metadata=metadata, spec=spec)
        way, title = ("up" if size > before else "down"), replica_set["metadata"]["name"]
        text = f"Scaled {way} replica set {title} from {before} to {size}"
        self._events.normal(owner, "ScalingReplicaSet", text, BY)

    def _most(self, owner: Object) -> int:
        rolling = owner["spec"]["strategy"]["type"] == "RollingUpdate"
        return int(owner["spec"]["replicas"]) + (self._room(owner)[0] if rolling else 0)

    def _create_set(self, owner: Object, old: list[Object], size: int | None) -> Object:
        metadata, template = owner["metadata"], owner["spec"]["template"]
        if size is None:
            size = self._new_size(owner, old, 0)
        collisions = owner.get("status", {}).get("collisionCount", 0)
        while True:
            label = template_hash(template, collisions)
            labels = {**(template.get("metadata", {}).get("labels") or {}), HASH: label}
            marked = {**template, "metadata": {**template.get("metadata", {}), "labels": labels}}
            selector = owner["spec"]["selector"]
            matched = {**selector, "matchLabels": {**selector.get("matchLabels", {}), HASH: label}}
            copied = metadata.get("annotations") or {}
            annotations = {k: v for k, v in copied.items() if k not in _NOT_COPIED}
            spec: Object = {"replicas": size, "selector": matched, "template": marked}
            if "minReadySeconds" in owner["spec"]:
                spec["minReadySeconds"] = owner["spec"]["minReadySeconds"]
            new: Object = {
                "metadata": {
                    "name": f"{metadata['name']}-{label}",
                    "namespace": metadata["namespace"],
                    "labels": labels,
                    "generation": 1,
                    "annotations": {
                        **annotations,
                        DESIRED: str(owner["spec"]["replicas"]),
                        MOST: str(self._most(owner)),
                    },
                    "ownerReferences": [owner_reference(owner)],
                },
                "spec": spec,
                "status": {"replicas": 0},
            }
            try:
                made = self._cluster.insert(SETS, new).object
            except Taken:
                collisions += 1
                continue
            if size:
                text = f"Scaled up replica set {made['metadata']['name']} from 0 to {size}"
                self._events.normal(owner, "ScalingReplicaSet", text, BY)
            return made

    def _mark_revision(self, owner: Object, old: list[Object], new: Object) -> Object:
        """The template in use has the highest revision; going back to one makes it the newest."""
        highest = max(map(revision_of, old), default=0)
        present = revision_of(new)
        revision = present if present > highest else highest + 1
        copied = {
            k: v
            for k, v in (owner["metadata"].get("annotations") or {}).items()
            if k not in _NOT_COPIED
        }
        annotations = {**(new["metadata"].get("annotations") or {}), **copied}
        if revision != present:
            annotations[REVISION] = str(revision)
            if present:
                past = [p for p in annotations.get(HISTORY, "").split(",") if p]
                annotations[HISTORY] = ",".join([*past, str(present)])
        metadata = {**new["metadata"], "annotations": annotations}
        marked = self._cluster.change(new, metadata=metadata) or new
        mine = {**(owner["metadata"].get("annotations") or {}), REVISION: str(revision)}
        present_owner = self._cluster.find(RESOURCE, *_key(owner)) or owner
        self._cluster.change(
            present_owner, metadata={**present_owner["metadata"], "annotations": mine}
        )
        return marked

    def _clean_up(self, owner: Object, old: list[Object]) -> None:
        idle = [s for s in old if not s["spec"]["replicas"] and not s["status"].get("replicas")]
        for extra in idle[: max(0, len(idle) - owner["spec"]["revisionHistoryLimit"])]:
            self._cluster.store.remove((SETS, *_key(extra)))

    def _update_status(self, owner: Object, sets: list[Object]) -> float | None:
        new = next((s for s in sets if _template_of(s) == owner["spec"]["template"]), None)
        wanted, total = owner["spec"]["replicas"], _status_sum(sets, "replicas")
        available = _status_sum(sets, "availableReplicas")
        counts = {
            "replicas": total,
            "updatedReplicas": _status_sum([new] if new else [], "replicas"),
            "readyReplicas": _status_sum(sets, "readyReplicas"),
            "availableReplicas": available,
            "unavailableReplicas": max(0, max(wanted, total) - available),
        }
        old = owner.get("status") or {}
        status = {"observedGeneration": owner["metadata"].get("generation", 1)}
        status |= {field: count for field, count in counts.items() if count}
        conditions, later = self._conditions(owner, sets, new, counts)
        if old.get("collisionCount"):
            status["collisionCount"] = old["collisionCount"]
        self._cluster.change(owner, status={**status, "conditions": conditions})
        return later

    def _conditions(
        self, owner: Object, sets: list[Object], new: Object | None, counts: dict[str, int]
    ) -> tuple[list[Object], float | None]:
        now = self._cluster.now()
        least = owner["spec"]["replicas"]
        if owner["spec"]["strategy"]["type"] == "RollingUpdate":
            least -= self._room(owner)[1]
        enough = counts["availableReplicas"] >= least
        present = owner.get("status", {}).get("conditions")
        conditions = _set(
            present,
            "Available",
            "True" if enough else "False",
            "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
            f"Deployment {'has' if enough else 'does not have'} minimum availability.",
            now,
        )
        failure = next((f for s in sets if (f := condition(s, "ReplicaFailure"))), None)
        conditions = [c for c in conditions if c["type"] != "ReplicaFailure"]
        if failure:
            conditions = _set(
                conditions, "ReplicaFailure", "True", "FailedCreate", failure["message"], now
            )
        return self._progress(owner, conditions, new, counts, now)

    def _progress(
        self,
        owner: Object,
        conditions: list[Object],
        new: Object | None,
        counts: dict[str, int],
        now: str,
    ) -> tuple[list[Object], float | None]:
        wanted = owner["spec"]["replicas"]
        old = condition(owner, "Progressing")
        title = new["metadata"]["name"] if new else owner["metadata"]["name"]
        if owner["spec"].get("paused"):
            text = "Deployment is paused"
            return _set(conditions, "Progressing", "Unknown", "DeploymentPaused", text, now), None
        complete = (
            counts["updatedReplicas"] == wanted
            and counts["replicas"] == wanted
            and counts["availableReplicas"] == wanted
        )
        if complete:
            text = f'ReplicaSet "{title}" has successfully progressed.'
            return _set(
                conditions, "Progressing", "True", "NewReplicaSetAvailable", text, now
            ), None
        before = owner.get("status") or {}
        advanced = (
            any(
                counts[field] > before.get(field, 0)
                for field in ("updatedReplicas", "readyReplicas", "availableReplicas")
            )
            or before.get("observedGeneration") != owner["metadata"].get("generation")
            or old.get("reason") in (None, "DeploymentPaused")
        )
        if advanced:
            text = f'ReplicaSet "{title}" is progressing.'
            updated = _set(conditions, "Progressing", "True", "ReplicaSetUpdated", text, now)
            return updated, float(owner["spec"]["progressDeadlineSeconds"])
        if old.get("reason") == "NewReplicaSetAvailable":
            return conditions, None
        since = moment_of(old["lastUpdateTime"])
        deadline = since + timedelta(seconds=owner["spec"]["progressDeadlineSeconds"])
        left = (deadline - self._cluster.clock.now()).total_seconds()
        if left > 0:
            return conditions, left
        text = f'ReplicaSet "{title}" has timed out progressing.'
        return _set(conditions, "Progressing", "False", "ProgressDeadlineExceeded", text, now), None


def _key(obj: Object) -> Name:
    return obj["metadata"]["namespace"], obj["metadata"]["name"]


def _set(
    conditions: Iterable[Object] | None, kind: str, status: str, reason: str, text: str, now: str
) -> list[Object]:
    """The conditions with one set; its update time moves only where something in it changed."""
    old = next((c for c in conditions or () if c["type"] == kind), {})
    same = (old.get("status"), old.get("reason"), old.get("message")) == (status, reason, text)
    keeps = same and reason != "ReplicaSetUpdated"
    new = {
        "type": kind,
        "status": status,
        "lastUpdateTime": old["lastUpdateTime"] if keeps else now,
        "reason": reason,
        "message": text,
    }
    return with_condition(conditions, new, now)
