"""The status an object has before any controller saw it."""

from aiops_lab.kubernetes.kinds import Kind
from aiops_lab.kubernetes.store import Object

NO_EFFECT = "lab.aiops/effect"
NO_EFFECT_TEXT = "stored only: nothing in the lab acts on this kind"


def start_status(kind: Kind, obj: Object) -> None:
    """Give a new object its first status; one that nothing acts on is told so."""
    starts: dict[str, Object] = {
        "pods": {"phase": "Pending", "qosClass": _qos(obj) if kind.resource == "pods" else ""},
        "namespaces": {"phase": "Active"},
        "services": {"loadBalancer": {}},
        "persistentvolumes": {"phase": "Available"},
        "persistentvolumeclaims": {"phase": "Pending"},
        "ingresses.networking.k8s.io": {"loadBalancer": {}},
        "replicasets.apps": {"replicas": 0},
        "replicationcontrollers": {"replicas": 0},
        "statefulsets.apps": {"replicas": 0},
        "horizontalpodautoscalers.autoscaling": {"desiredReplicas": 0, "currentReplicas": 0},
        "daemonsets.apps": {
            "currentNumberScheduled": 0,
            "numberMisscheduled": 0,
            "desiredNumberScheduled": 0,
            "numberReady": 0,
        },
        "poddisruptionbudgets.policy": {
            "disruptionsAllowed": 0,
            "currentHealthy": 0,
            "desiredHealthy": 0,
            "expectedPods": 0,
        },
    }
    if kind.status and not kind.custom:
        obj.setdefault("status", starts.get(kind.resource, {}))
    if not kind.effect:
        annotations = obj["metadata"].setdefault("annotations", {})
        annotations.setdefault(NO_EFFECT, NO_EFFECT_TEXT)


def _qos(pod: Object) -> str:
    """The quality of service class of a pod (its requests and limits of CPU and memory)."""
    all_set, any_set = True, False
    for container in pod["spec"]["containers"]:
        resources = container.get("resources") or {}
        limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
        for name in ("cpu", "memory"):
            any_set |= name in limits or name in requests
            all_set &= name in limits and requests.get(name) == limits[name]
    return "Guaranteed" if all_set else "Burstable" if any_set else "BestEffort"
