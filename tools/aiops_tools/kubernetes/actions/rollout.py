"""Rollouts: how far one is, and how many pods it takes away at once.

As kubectl's ``rollout status`` decides it (pkg/polymorphichelpers/rollout_status.go), and sooner
where a pod of the new template can never start.
"""

from collections.abc import Sequence
from typing import Any

from aiops.model.tool import BlastRadius
from aiops_tools.kubernetes.actions.scene import Scene, is_ready
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.watching import Standing

_STUCK = frozenset(
    {"ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError"}
)
"""What a container waits for that time does not bring."""
_DECIDES = ("image", "command", "args", "env", "envFrom")


def replicas_of(workload: Api) -> int:
    """The pods that a workload should have."""
    if workload["kind"] == "DaemonSet":
        return int((workload.get("status") or {}).get("desiredNumberScheduled") or 0)
    return int(workload["spec"].get("replicas", 1))


def rolled_out(workload: Api, pods: Sequence[Api]) -> Standing:
    """Whether every pod of a workload is of its present template, and available."""
    spec, status = workload["spec"], workload.get("status") or {}
    if status.get("observedGeneration", 0) < workload["metadata"].get("generation", 0):
        return Standing(False, "its controller has not looked at it yet")
    if spec.get("paused"):
        return Standing(True, "its rollout is paused: pods change once it is resumed")
    if _on_delete(workload):
        return Standing(True, "pods change when they are deleted, as its strategy says")
    wanted, updated, total, available = _counts(workload)
    seen = f"{updated} of {wanted} pods are of the new template, {available} available"
    if min(updated, available) >= wanted and total <= wanted:
        return Standing(True, seen)
    stuck = _stuck(workload, pods)
    if stuck:
        return Standing(False, f"{seen}; {stuck}", hopeless=True)
    late = any(
        one["type"] == "Progressing" and one.get("reason") == "ProgressDeadlineExceeded"
        for one in status.get("conditions") or ()
    )
    return Standing(False, seen + ("; its progress deadline has passed" if late else ""), late)


def rolling_radius(scene: Scene, after: Api) -> BlastRadius:
    """What a new template takes away at once, as the workload's strategy allows."""
    serving = sum(map(is_ready, scene.pods))
    return BlastRadius(1, min(serving, _at_once(after)), serving)


def _counts(workload: Api) -> tuple[int, int, int, int]:
    """Pods wanted of the present template, and there; all pods; those available."""
    status, wanted = workload.get("status") or {}, replicas_of(workload)
    if workload["kind"] == "DaemonSet":
        updated = status.get("updatedNumberScheduled") or 0
        return wanted, updated, wanted, status.get("numberAvailable") or 0
    updated = status.get("updatedReplicas") or 0
    total = status.get("replicas") or 0
    if workload["kind"] == "StatefulSet":
        rolling = (workload["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
        kept = min(wanted, rolling.get("partition") or 0)
        ready = status.get("readyReplicas") or 0
        return wanted, min(wanted, updated + kept), total, ready
    return wanted, updated, total, status.get("availableReplicas") or 0


def _on_delete(workload: Api) -> bool:
    return (workload["spec"].get("updateStrategy") or {}).get("type") == "OnDelete"


def _at_once(workload: Api) -> int:
    spec, wanted = workload["spec"], replicas_of(workload)
    if spec.get("paused") or _on_delete(workload):
        return 0
    if workload["kind"] != "Deployment":
        rolling = (spec.get("updateStrategy") or {}).get("rollingUpdate") or {}
        surge = share(rolling.get("maxSurge", 0), wanted, up=True)
        return share(rolling.get("maxUnavailable", 0 if surge else 1), wanted, up=True)
    strategy = spec.get("strategy") or {}
    if strategy.get("type") == "Recreate":
        return wanted
    rolling = strategy.get("rollingUpdate") or {}
    surge = share(rolling.get("maxSurge", "25%"), wanted, up=True)
    down = share(rolling.get("maxUnavailable", "25%"), wanted, up=False)
    return max(down, 0 if surge else 1)


def share(amount: Any, of: int, *, up: bool) -> int:
    """A number, or a percentage of ``of`` rounded up or down."""
    text = str(amount)
    if not text.endswith("%"):
        return int(text)
    hundredths = int(text[:-1]) * of
    return -(-hundredths // 100) if up else hundredths // 100


def _stuck(workload: Api, pods: Sequence[Api]) -> str:
    for pod in pods:
        if not _follows(pod, workload["spec"]["template"]):
            continue
        for one in (pod.get("status") or {}).get("containerStatuses") or ():
            waiting = (one.get("state") or {}).get("waiting") or {}
            if waiting.get("reason") in _STUCK:
                name = pod["metadata"]["name"]
                return f"container {one['name']} of pod {name} cannot start: {waiting['reason']}"
    return ""


def _follows(pod: Api, template: Api) -> bool:
    """Whether a pod is made from ``template``, as far as what decides about its start."""
    noted = pod["metadata"].get("annotations") or {}
    wanted = (template.get("metadata") or {}).get("annotations") or {}
    if any(noted.get(key) != value for key, value in wanted.items()):
        return False
    present = {one["name"]: one for one in pod["spec"]["containers"]}
    return all(
        one["name"] in present
        and all(present[one["name"]].get(field) == one.get(field) for field in _DECIDES)
        for one in template["spec"]["containers"]
    )
