"""The cluster as ``kubectl get -o json`` shows it at one moment."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiops_lab.kubernetes.cluster import Cluster

NAMESPACED = (
    "pods",
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "services",
    "endpoints",
    "configmaps",
    "secrets",
    "resourcequotas",
    "limitranges",
    "horizontalpodautoscalers.autoscaling",
    "poddisruptionbudgets.policy",
    "networkpolicies.networking.k8s.io",
    "persistentvolumeclaims",
    "events",
)


def snapshot(cluster: Cluster, namespace: str) -> dict[str, str]:
    """Command -> its output, of one namespace and the nodes, taken at one moment."""
    with cluster.store.lock:
        found = {
            f"kubectl get {resource.partition('.')[0]} -n {namespace} -o json": _listed(
                cluster.every(resource, namespace)
            )
            for resource in NAMESPACED
        }
        nodes = cluster.every("nodes")
    found["kubectl get nodes -o json"] = _listed(nodes)
    found["kubectl get nodes"] = "\n".join(["NAME", *(n["metadata"]["name"] for n in nodes), ""])
    return found


def _listed(objects: list[dict[str, Any]]) -> str:
    whole = {"apiVersion": "v1", "kind": "List", "items": list(map(shown, objects))}
    return json.dumps(whole, separators=(",", ":"), sort_keys=True)


def shown(obj: Mapping[str, Any]) -> dict[str, Any]:
    """An object without who wrote which field, and a Secret without its values."""
    metadata = {key: part for key, part in obj["metadata"].items() if key != "managedFields"}
    found = {**obj, "metadata": metadata}
    if obj.get("kind") == "Secret":
        found["data"] = dict.fromkeys(obj.get("data") or {}, "")
        found.pop("stringData", None)
    return found
