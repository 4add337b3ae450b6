"""How an object is, in the word that kubectl would use, and whether that needs a look."""

from collections.abc import Callable
from dataclasses import dataclass

from aiops.analyze.state.api import Api, number, pairs, part, parts, text, truth
from aiops.analyze.state.parse_objects import parse_stamp
from aiops.analyze.state.quantities import quantity

RECENT_S = 3600.0
"""A container that ended badly within this time still needs a look, though it runs again."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How an object is.

    Attributes:
        word: "Running", "CrashLoopBackOff", "2/3 ready", ...
        abnormal: whether somebody should look at it.
        why: what the object says of it; "" where nothing.
    """

    word: str
    abnormal: bool = False
    why: str = ""


def standing(one: Api, now: float) -> Standing:
    """How ``one`` is; its "kind" says what it is. ``now`` in unix seconds."""
    if text(one, "metadata", "deletionTimestamp"):
        return Standing("Terminating", True, "it was asked to go")
    judge = _JUDGES.get(text(one, "kind"))
    return judge(one, now) if judge else Standing("present")


def pod_ready(one: Api) -> bool:
    """Whether a pod takes requests."""
    return any(
        text(c, "type") == "Ready" and text(c, "status") == "True"
        for c in parts(one, "status", "conditions")
    )


def restarts(one: Api) -> int:
    """How often containers of a pod were started anew."""
    return sum(number(c, "restartCount") or 0 for c in parts(one, "status", "containerStatuses"))


def _pod(one: Api, now: float) -> Standing:
    status = part(one, "status")
    phase = text(status, "phase") or "Unknown"
    stuck = _stuck(status)
    if stuck is not None:
        return stuck
    if phase == "Succeeded":
        return Standing("Completed")
    if phase == "Failed":
        word = text(status, "reason") or "Failed"
        return Standing(word, True, text(status, "message") or _ended(status))
    if phase == "Pending":
        return Standing("Pending", True, _condition(status, "PodScheduled") or "not yet started")
    if phase != "Running":
        return Standing(phase, True, text(status, "message"))
    if not pod_ready(one):
        return Standing("NotReady", True, _condition(status, "Ready") or "its probe fails")
    ended = _ended_lately(status, now)
    return Standing("Running", True, ended) if ended else Standing("Running")


def _stuck(status: Api) -> Standing | None:
    """What the first container says that waits or ended badly."""
    for key in ("initContainerStatuses", "containerStatuses"):
        for container in parts(status, key):
            state = part(container, "state")
            for kind in ("waiting", "terminated"):
                reason = text(state, kind, "reason")
                if reason and reason != "Completed":
                    why = text(state, kind, "message") or _last(container)
                    return Standing(reason, True, f"{text(container, 'name')}: {why}".rstrip(": "))
    return None


def _last(container: Api) -> str:
    last = part(container, "lastState", "terminated")
    if not last:
        return ""
    return f"ended before with {text(last, 'reason')}, exit {text(last, 'exitCode')}"


def _ended(status: Api) -> str:
    for container in parts(status, "containerStatuses"):
        ended = part(container, "state", "terminated")
        if ended:
            return f"{text(container, 'name')}: exit {text(ended, 'exitCode')}"
    return ""


def _ended_lately(status: Api, now: float) -> str:
    for container in parts(status, "containerStatuses"):
        last = part(container, "lastState", "terminated")
        then = parse_stamp(text(last, "finishedAt"))
        if then is not None and now - then < RECENT_S:
            times = number(container, "restartCount") or 0
            return (
                f"{text(container, 'name')}: ended with {text(last, 'reason')}, exit "
                f"{text(last, 'exitCode')}, {max(0, round(now - then))} s ago; {times} restarts"
            )
    return ""


def _workload(one: Api, now: float) -> Standing:
    del now
    spec, status = part(one, "spec"), part(one, "status")
    wanted = number(spec, "replicas")
    if wanted is None:
        wanted = number(status, "desiredNumberScheduled")
    wanted = 1 if wanted is None else wanted
    ready = number(status, "readyReplicas") or number(status, "numberReady") or 0
    updated = number(status, "updatedReplicas") or number(status, "updatedNumberScheduled")
    word = f"{ready}/{wanted} ready"
    failed = _bad_conditions(status, {"Available": "True", "Progressing": "True"})
    failed += _bad_conditions(status, {"ReplicaFailure": "False"})
    behind = text(one, "kind") != "ReplicaSet" and updated is not None and updated < wanted
    told = [*failed, *([f"{updated} of {wanted} are of the newest version"] if behind else [])]
    return Standing(word, ready < wanted or bool(told), "; ".join(told))


def _job(one: Api, now: float) -> Standing:
    del now
    status = part(one, "status")
    done, wanted = number(status, "succeeded") or 0, number(one, "spec", "completions") or 1
    failed = number(status, "failed") or 0
    for condition in parts(status, "conditions"):
        if text(condition, "type") == "Failed" and text(condition, "status") == "True":
            return Standing("Failed", True, text(condition, "message"))
    if truth(one, "spec", "suspend"):
        return Standing("Suspended")
    word = "Complete" if done >= wanted else f"{done}/{wanted} done"
    return Standing(word, failed > 0, f"{failed} pods failed" if failed else "")


def _cron_job(one: Api, now: float) -> Standing:
    del now
    if truth(one, "spec", "suspend"):
        return Standing("Suspended", True, "it makes no jobs until it is resumed")
    return Standing(f"{len(parts(one, 'status', 'active'))} active")


def _node(one: Api, now: float) -> Standing:
    del now
    status = part(one, "status")
    pressed = [
        f"{text(c, 'type')}: {text(c, 'message') or text(c, 'reason')}"
        for c in parts(status, "conditions")
        if text(c, "type") != "Ready" and text(c, "status") == "True"
    ]
    ready = [c for c in parts(status, "conditions") if text(c, "type") == "Ready"]
    if not ready or text(ready[0], "status") != "True":
        why = text(ready[0], "message") or text(ready[0], "reason") if ready else "it says nothing"
        return Standing("NotReady", True, "; ".join([why, *pressed]))
    if truth(one, "spec", "unschedulable"):
        return Standing("Ready,SchedulingDisabled", True, "; ".join(["cordoned", *pressed]))
    return Standing("Ready", bool(pressed), "; ".join(pressed))


def _phase(good: tuple[str, ...]) -> Callable[[Api, float], Standing]:
    def judge(one: Api, now: float) -> Standing:
        del now
        phase = text(one, "status", "phase") or "Unknown"
        return Standing(phase, phase not in good, text(one, "status", "message"))

    return judge


def _autoscaler(one: Api, now: float) -> Standing:
    del now
    status, spec = part(one, "status"), part(one, "spec")
    current, most = number(status, "currentReplicas") or 0, number(spec, "maxReplicas") or 0
    told = _bad_conditions(status, {"AbleToScale": "True", "ScalingActive": "True"})
    if most and current >= most:
        told.append("it is at its maximum and can add nothing")
    low = number(spec, "minReplicas") or 1
    return Standing(f"{current} of {low}-{most}", bool(told), "; ".join(told))


def _quota(one: Api, now: float) -> Standing:
    del now
    hard, used = pairs(one, "status", "hard"), pairs(one, "status", "used")
    full = [
        f"{name}: {used[name]} of {hard[name]}"
        for name in sorted(hard.keys() & used.keys())
        if (quantity(used[name]) or 0) >= (quantity(hard[name]) or 0)
    ]
    return Standing("full" if full else "room left", bool(full), "; ".join(full))


def _budget(one: Api, now: float) -> Standing:
    del now
    allowed = number(one, "status", "disruptionsAllowed") or 0
    return Standing(f"{allowed} disruptions allowed")


def _endpoints(one: Api, now: float) -> Standing:
    del now
    ready = sum(len(parts(s, "addresses")) for s in parts(one, "subsets"))
    waiting = sum(len(parts(s, "notReadyAddresses")) for s in parts(one, "subsets"))
    why = f"{waiting} addresses are not ready" if waiting else "nothing is behind it"
    return Standing(f"{ready} addresses", ready == 0, why if ready == 0 else "")


def _bad_conditions(status: Api, good: dict[str, str]) -> list[str]:
    return [
        f"{text(c, 'type')}={text(c, 'status')} {text(c, 'reason')}: {text(c, 'message')}"
        for c in parts(status, "conditions")
        if text(c, "type") in good and text(c, "status") not in (good[text(c, "type")], "")
    ]


def _condition(status: Api, type_: str) -> str:
    for one in parts(status, "conditions"):
        if text(one, "type") == type_ and text(one, "status") != "True":
            return text(one, "message") or text(one, "reason")
    return ""


_JUDGES: dict[str, Callable[[Api, float], Standing]] = {
    "Pod": _pod,
    "Deployment": _workload,
    "ReplicaSet": _workload,
    "StatefulSet": _workload,
    "DaemonSet": _workload,
    "Job": _job,
    "CronJob": _cron_job,
    "Node": _node,
    "PersistentVolumeClaim": _phase(("Bound",)),
    "PersistentVolume": _phase(("Bound", "Available")),
    "Namespace": _phase(("Active",)),
    "HorizontalPodAutoscaler": _autoscaler,
    "ResourceQuota": _quota,
    "PodDisruptionBudget": _budget,
    "Endpoints": _endpoints,
}
