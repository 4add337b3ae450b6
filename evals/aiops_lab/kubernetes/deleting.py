"""Deleting objects: with grace, with finalizers, and with or without what they own."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from aiops_lab.kubernetes import problems
from aiops_lab.kubernetes.cluster import Cluster, timestamp
from aiops_lab.kubernetes.kinds import Kind
from aiops_lab.kubernetes.selectors import label_selector
from aiops_lab.kubernetes.store import Kept, Object

# Kinds of which the API answers a delete with the object itself, not with a Status.
_RETURNED = frozenset(
    {
        "pods",
        "services",
        "serviceaccounts",
        "resourcequotas",
        "persistentvolumes",
        "persistentvolumeclaims",
        "storageclasses.storage.k8s.io",
    }
)
FOREGROUND, ORPHAN = "foregroundDeletion", "orphan"


@dataclass(frozen=True, slots=True)
class DeleteOptions:
    """How to delete.

    Args:
        grace_s: seconds a pod is given to end; None: what the pod says.
        propagation: "Background", "Foreground" or "Orphan".
        uid, revision: only the object that has these.
    """

    grace_s: int | None = None
    propagation: str = "Background"
    uid: str = ""
    revision: str = ""
    dry_run: bool = False


def read_options(body: Any, query: dict[str, str]) -> DeleteOptions:
    """Options from a body and, where that says nothing, from the query.

    Raises:
        Refused: 400 for values that mean nothing.
    """
    body = body if isinstance(body, dict) else {}
    grace = body.get("gracePeriodSeconds", query.get("gracePeriodSeconds"))
    propagation = body.get("propagationPolicy") or query.get("propagationPolicy")
    orphan = body.get("orphanDependents", query.get("orphanDependents"))
    if propagation is None:
        propagation = "Orphan" if str(orphan).lower() == "true" else "Background"
    if propagation not in ("Background", "Foreground", "Orphan"):
        raise problems.bad_request(f"invalid propagationPolicy {propagation!r}")
    try:
        grace_s = None if grace is None else max(0, int(grace))
    except ValueError as wrong:
        raise problems.bad_request(f"invalid gracePeriodSeconds {grace!r}") from wrong
    conditions = body.get("preconditions") or {}
    dry_run = body.get("dryRun") or ([query["dryRun"]] if query.get("dryRun") else [])
    return DeleteOptions(
        grace_s,
        propagation,
        conditions.get("uid", ""),
        conditions.get("resourceVersion", ""),
        bool(dry_run),
    )


def delete(
    cluster: Cluster, kind: Kind, namespace: str, name: str, options: DeleteOptions
) -> Object:
    """Begin to delete an object; returns it, or a Status where it is gone at once.

    Raises:
        Refused: 404, or 409 where a precondition fails.
    """
    with cluster.store.lock:
        kept = cluster.store.get(kind.resource, namespace, name)
        if kept is None:
            raise problems.not_found(kind, name)
        metadata = kept.object["metadata"]
        for what, want, have in (
            ("UID", options.uid, metadata["uid"]),
            ("ResourceVersion", options.revision, metadata["resourceVersion"]),
        ):
            if want and want != have:
                why = f"Precondition failed: {what} in precondition: {want}, in object: {have}"
                raise problems.conflict(kind, name, why)
        marked = _marked(cluster, kind, kept, options)
        if options.dry_run:
            return marked or _deleted(kind, kept.object)
        if marked is None:
            cluster.store.remove(kept.key)
            return _deleted(kind, kept.object)
        return cluster.store.replace(kept.key, marked).object


def _marked(cluster: Cluster, kind: Kind, kept: Kept, options: DeleteOptions) -> Object | None:
    """The object as it waits for its end, or None where nothing keeps it."""
    obj, metadata = kept.object, kept.object["metadata"]
    grace = _grace(kind, obj, options)
    finalizers = list(metadata.get("finalizers") or ())
    if not metadata.get("deletionTimestamp"):
        if options.propagation == "Foreground" and FOREGROUND not in finalizers:
            finalizers.append(FOREGROUND)
        if options.propagation == "Orphan" and ORPHAN not in finalizers:
            finalizers.append(ORPHAN)
    waits = finalizers or (kind.resource == "namespaces" and obj["spec"].get("finalizers"))
    if not grace and not waits:
        return None
    already = metadata.get("deletionTimestamp")
    if already and metadata.get("deletionGracePeriodSeconds", 0) <= grace:
        return obj
    end = timestamp(cluster.clock.now() + timedelta(seconds=grace))
    marks: Object = {"deletionTimestamp": end, "deletionGracePeriodSeconds": grace}
    if finalizers:
        marks["finalizers"] = finalizers
    new = {**obj, "metadata": {**metadata, **marks}}
    if "generation" in metadata:
        new["metadata"]["generation"] = metadata["generation"] + 1
    if kind.resource == "namespaces":
        new["status"] = {**obj.get("status", {}), "phase": "Terminating"}
    return new


def _grace(kind: Kind, obj: Object, options: DeleteOptions) -> int:
    if kind.resource != "pods" or not obj["spec"].get("nodeName"):
        return 0
    if obj.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    if options.grace_s is not None:
        return options.grace_s
    return int(obj["spec"].get("terminationGracePeriodSeconds", 30))


def _deleted(kind: Kind, obj: Object) -> Object:
    if kind.resource in _RETURNED:
        return obj
    details = {"name": obj["metadata"]["name"], "kind": kind.plural, "uid": obj["metadata"]["uid"]}
    if kind.group:
        details["group"] = kind.group
    return {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "details": details,
    }


def evict(cluster: Cluster, namespace: str, name: str, options: DeleteOptions) -> None:
    """Delete a pod if the disruption budgets over it allow one more disruption.

    Raises:
        Refused: 404 without the pod, 429 where a budget does not allow it.
    """
    kind = cluster.kind("pods")
    with cluster.store.lock:
        pod = cluster.find("pods", namespace, name)
        if pod is None:
            raise problems.not_found(kind, name)
        if pod.get("status", {}).get("phase") not in ("Succeeded", "Failed", "Pending"):
            labels = pod["metadata"].get("labels") or {}
            budgets = [
                budget
                for budget in cluster.every("poddisruptionbudgets.policy", namespace)
                if label_selector(budget["spec"].get("selector")).matches(labels)
            ]
            if len(budgets) > 1:
                message = "This pod has more than one PodDisruptionBudget"
                raise problems.Refused(500, "InternalError", message)
            for budget in budgets:
                _take_from(cluster, budget, name, dry_run=options.dry_run)
        delete(cluster, kind, namespace, name, options)


def _take_from(cluster: Cluster, budget: Object, pod: str, *, dry_run: bool) -> None:
    status = budget.get("status") or {}
    allowed = status.get("disruptionsAllowed", 0)
    title = budget["metadata"]["name"]
    if allowed < 1:
        text = (
            f"The disruption budget {title} needs {status.get('desiredHealthy', 0)} healthy pods "
            f"and has {status.get('currentHealthy', 0)} currently"
        )
        raise problems.too_many_requests(
            "Cannot evict pod as it would violate the pod's disruption budget.",
            (problems.Cause("DisruptionBudget", text, ""),),
        )
    if not dry_run:
        disrupted = {**(status.get("disruptedPods") or {}), pod: cluster.now()}
        cluster.change(
            budget,
            status={**status, "disruptionsAllowed": allowed - 1, "disruptedPods": disrupted},
        )
