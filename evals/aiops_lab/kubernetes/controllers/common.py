"""What several controllers ask of objects: who owns them, whether pods are ready."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import timedelta
from math import ceil, floor
from typing import Any

from aiops_lab.kubernetes.access import MASTERS, User
from aiops_lab.kubernetes.cluster import Cluster, moment_of
from aiops_lab.kubernetes.selectors import label_selector
from aiops_lab.kubernetes.store import Change, Object
from aiops_lab.kubernetes.writing import Write

SYSTEM = Write(User("system:kube-controller-manager", (MASTERS,)), "kube-controller-manager")
Name = tuple[str, str]


def name_of(obj: Object) -> Name:
    """Namespace and name."""
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def controller_of(obj: Object) -> Mapping[str, Any] | None:
    """The owner that controls an object, or None."""
    owners = obj["metadata"].get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), None)


def owner_reference(owner: Object) -> Object:
    """The reference by which an owner controls what it makes."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def service_of(pod: Mapping[str, Any]) -> str:
    """The service whose pod it is, by its labels."""
    labels = pod["metadata"].get("labels") or {}
    return str(labels.get("name") or labels.get("app") or pod["metadata"]["name"])


def owned_by(owner: Object, candidates: Iterable[Object]) -> list[Object]:
    """The candidates that the owner controls."""
    uid = owner["metadata"]["uid"]
    return [c for c in candidates if (controller_of(c) or {}).get("uid") == uid]


def touched_owner(change: Change, kind: str) -> list[Name]:
    """The owner of a kind that controls the changed object, before or after the change."""
    found = []
    for kept in (change.now, change.before):
        owner = controller_of(kept.object) if kept else None
        if owner and owner["kind"] == kind:
            found.append((kept.key[1] if kept else "", owner["name"]))
    return found


def touched_with_pods(change: Change, resource: str, kind: str) -> list[Name]:
    """A changed object of a resource, or the one that owns a changed pod."""
    if change.now.key[0] == resource:
        return [change.now.key[1:]]
    return touched_owner(change, kind) if change.now.key[0] == "pods" else []


def condition(obj: Object, kind: str) -> Object:
    """One condition of an object's status; empty where it has none."""
    conditions = obj.get("status", {}).get("conditions") or ()
    return next((c for c in conditions if c["type"] == kind), {})


def with_condition(conditions: Iterable[Object] | None, new: Object, now: str) -> list[Object]:
    """The conditions with one set; its transition time moves only with its status."""
    result, found = [], False
    for old in conditions or ():
        if old["type"] != new["type"]:
            result.append(old)
            continue
        found = True
        same = old["status"] == new["status"]
        since = old.get("lastTransitionTime", now) if same else now
        result.append({**new, "lastTransitionTime": since})
    if not found:
        result.append({**new, "lastTransitionTime": now})
    return result


def is_active(pod: Object) -> bool:
    """Neither ended nor being deleted."""
    phase = pod.get("status", {}).get("phase")
    return phase not in ("Succeeded", "Failed") and not pod["metadata"].get("deletionTimestamp")


def is_ready(pod: Object) -> bool:
    """Whether the pod's Ready condition holds."""
    return condition(pod, "Ready").get("status") == "True"


def unavailable_for(cluster: Cluster, pod: Object, min_ready_s: int) -> float | None:
    """Seconds until a pod counts as available; 0 where it does, None while it is not ready."""
    if not is_ready(pod):
        return None
    since = moment_of(condition(pod, "Ready")["lastTransitionTime"])
    left = (since + timedelta(seconds=min_ready_s) - cluster.clock.now()).total_seconds()
    return max(0.0, left) if min_ready_s else 0.0


def count_available(
    cluster: Cluster, pods: Iterable[Object], min_ready_s: int
) -> tuple[int, float | None]:
    """How many pods are available, and after how many seconds the next one will be."""
    waits = [unavailable_for(cluster, pod, min_ready_s) for pod in pods]
    later = [wait for wait in waits if wait]
    return sum(wait == 0 for wait in waits), min(later) if later else None


def share(value: int | str, total: int, *, up: bool) -> int:
    """A count, or a percentage of a total."""
    if isinstance(value, int):
        return value
    part = total * int(value.rstrip("%")) / 100
    return ceil(part) if up else floor(part)


def template_hash(template: Object, salt: int = 0) -> str:
    """Ten letters that stand for a pod template."""
    text = json.dumps(template, sort_keys=True) + (str(salt) if salt else "")
    digest = hashlib.sha256(text.encode()).digest()
    letters = "bcdfghjklmnpqrstvwxz2456789"
    return "".join(letters[byte % len(letters)] for byte in digest[:10])


def pod_from(template: Object, owner: Object, name: str = "") -> Object:
    """A new pod of a template."""
    # A name in a template names no pod.
    kept = ("labels", "annotations", "finalizers")
    metadata = {k: v for k, v in (template.get("metadata") or {}).items() if k in kept}
    metadata["ownerReferences"] = [owner_reference(owner)]
    if name:
        metadata["name"] = name
    else:
        metadata["generateName"] = f"{owner['metadata']['name']}-"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": metadata,
        "spec": json.loads(json.dumps(template["spec"])),
    }


def selected(cluster: Cluster, owner: Object) -> list[Object]:
    """The pods of the owner's namespace that its selector chooses."""
    selector = label_selector(owner["spec"].get("selector"))
    return [
        pod
        for pod in cluster.every("pods", owner["metadata"]["namespace"])
        if selector.matches(pod["metadata"].get("labels") or {})
    ]
