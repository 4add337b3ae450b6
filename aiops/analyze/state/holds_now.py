"""Does it still hold? Clusters grumble while they start and remember it for an hour.

A warning counts against an object that is unwell at the moment of the snapshot; what has since
recovered is history. Objects much older than the trouble are background.
"""

from aiops.analyze.state.scene import SIDECARS, App, Scene
from aiops.model.cluster import ClusterObject, Event, Pod
from aiops.model.pod_spec import Container

STALE_EVENT_S = 900.0
"""Seconds since a warning was last repeated, after which it no longer describes the present: the
kubelet and the controllers back off to at most five minutes between tries."""
RESTARTED_LATELY_S = 600.0
"""Seconds: the longest pause of a crash loop is five minutes; twice that without a restart and
the container has recovered."""
SETTLED_S = 3600.0
"""Seconds: an object that has been as it is for an hour, in a snapshot where younger objects fail,
was there before the trouble."""
BACKGROUND = 0.25
"""Weight left to a sign of a settled object: it may have been changed in place, which its age does
not show, but it worked before."""
_DEAD = ("Evicted", "NodeShutdown", "Terminated", "ContainerStatusUnknown", "Preempting")
_DONE = ("Completed", "Succeeded")


def unwell(pod: Pod) -> bool:
    """The pod does not serve: not running, or a container of it not ready."""
    if pod.status in _DONE or pod.phase == "Succeeded":
        return False
    if pod.status not in ("Running", ""):
        return True
    if pod.phase in ("Pending", "Failed", "Unknown"):
        return True
    if pod.spec.containers:
        return any(container.ready is False for container in pod.spec.containers)
    return any(one.type == "Ready" and one.status == "False" for one in pod.conditions)


def short(app: App) -> int:
    """How many pods of the app are missing or do not serve."""
    bad = sum(unwell(pod) and not _replaced(pod, app) for pod in app.pods)
    workload = app.workload
    if workload is None or workload.desired is None:
        return bad
    missing = max(0, workload.desired - len(app.pods)) if _pods_known(app) else 0
    not_ready = workload.desired - workload.ready if workload.ready is not None else 0
    return max(bad + missing, not_ready, 0)


def _replaced(pod: Pod, app: App) -> bool:
    """A dead pod that is kept for its status alone: others have taken its place."""
    workload = app.workload
    return (
        (pod.phase == "Failed" or pod.status in _DEAD)
        and workload is not None
        and workload.desired is not None
        and workload.ready is not None
        and workload.ready >= workload.desired
    )


def _pods_known(app: App) -> bool:
    workload = app.workload
    return bool(app.pods) or (workload is not None and workload.ready == 0)


def restarting(container: Container, pod: Pod) -> bool:
    """The container keeps dying: it waits for another try, or has died more than once lately."""
    if container.reason in ("CrashLoopBackOff", "Error", "OOMKilled", "RunContainerError"):
        return True
    lately = pod.age_s is None or pod.age_s <= RESTARTED_LATELY_S * max(container.restarts, 1)
    return container.restarts >= 2 and lately


def current(event: Event) -> bool:
    """The event was last repeated a short while ago."""
    return event.last_s is None or event.last_s <= STALE_EVENT_S


def weight(one: ClusterObject | None, scene: Scene) -> float:
    """1, or BACKGROUND for an object settled long before the cluster's youngest objects."""
    if one is None or one.age_s is None or one.age_s < SETTLED_S:
        return 1.0
    ages = [found.age_s for found in scene.state.workloads if found.age_s is not None]
    return BACKGROUND if ages and min(ages) < one.age_s / 4 else 1.0


def own_containers(pod: Pod) -> tuple[Container, ...]:
    """The application's containers, without a mesh's sidecars."""
    return tuple(c for c in pod.spec.containers if c.name not in SIDECARS)
