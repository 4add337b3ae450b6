"""How a container's state reads in a pod's status, and which events its changes make."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from aiops_lab.kubelet.ports import ContainerState
from aiops_lab.kubernetes.cluster import timestamp
from aiops_lab.kubernetes.store import Object


@dataclass(frozen=True, slots=True)
class Told:
    """One event to write."""

    reason: str
    message: str
    warning: bool = False


def _times(started: datetime | None, finished: datetime | None) -> Object:
    found = {"startedAt": started, "finishedAt": finished}
    return {name: timestamp(moment) for name, moment in found.items() if moment}


def _ended(
    reason: str | None, code: int | None, started: datetime | None, finished: datetime | None
) -> Object:
    ended = {"exitCode": code or 0, "reason": reason or ("Error" if code else "Completed")}
    return {"terminated": {**ended, **_times(started, finished)}}


def container_status(container: ContainerState) -> Object:
    """A `containerStatus`."""
    state: Object
    match container.state:
        case "running":
            state = {"running": _times(container.started_at, None)}
        case "terminated":
            state = _ended(
                container.reason,
                container.exit_code,
                container.started_at,
                container.finished_at,
            )
            if container.message:
                state["terminated"]["message"] = container.message
        case "waiting":
            state = {"waiting": {"reason": container.reason or "ContainerCreating"}}
            if container.message:
                state["waiting"]["message"] = container.message
    last: Object = {}
    if container.last_reason is not None or container.last_exit_code is not None:
        last = _ended(
            container.last_reason,
            container.last_exit_code,
            container.last_started_at,
            container.last_finished_at,
        )
    return {
        "name": container.name,
        "image": container.image,
        "imageID": container.image if container.state == "running" else "",
        "containerID": f"lab://{container.pid}" if container.pid else "",
        "ready": container.ready,
        "started": container.state == "running",
        "restartCount": container.restarts,
        "state": state,
        "lastState": last,
    }


def readiness(pod: Object, statuses: list[Object], phase: str) -> list[Object]:
    """The conditions of a pod by its containers."""
    unready = [status["name"] for status in statuses if not status["ready"]]
    # As the kubelet: a pod that has ended is not ready because it is completed.
    if phase in ("Succeeded", "Failed"):
        why = {"reason": "PodCompleted" if phase == "Succeeded" else "PodFailed"}
        ready: Object = {"status": "False", **why}
    elif unready:
        text = f"containers with unready status: [{' '.join(unready)}]"
        ready = {"status": "False", "reason": "ContainersNotReady", "message": text}
    else:
        ready = {"status": "True"}
    gates = pod["spec"].get("readinessGates") or ()
    held = {c["type"]: c["status"] for c in pod["status"].get("conditions") or ()}
    closed = [g["conditionType"] for g in gates if held.get(g["conditionType"]) != "True"]
    whole = ready
    if closed and ready["status"] == "True":
        text = f'corresponding condition of pod readiness gate "{closed[0]}" is not true'
        whole = {"status": "False", "reason": "ReadinessGatesNotReady", "message": text}
    return [
        {"type": "PodReadyToStartContainers", "status": "True"},
        {"type": "Initialized", "status": "True"},
        {"type": "Ready", **whole},
        {"type": "ContainersReady", **ready},
    ]


@dataclass(frozen=True, slots=True)
class ContainerChange:
    """A container before and after the runtime told of a change."""

    before: ContainerState | None
    now: ContainerState

    def was_oom_killed(self) -> bool:
        """Whether it has just been killed for its memory."""
        return self._killed(self.now) and not (self.before and self._killed(self.before))

    @staticmethod
    def _killed(container: ContainerState) -> bool:
        return "OOMKilled" in (container.reason, container.last_reason)

    def told(self) -> Iterator[Told]:
        """The events the kubelet would write."""
        now, before = self.now, self.before
        was = before.state if before else None
        restarted = before is not None and now.restarts > before.restarts
        if now.state == "running" and (was != "running" or restarted):
            present = " already present on machine" if now.restarts else ""
            pulled = f'Container image "{now.image}"{present}' if present else None
            yield Told("Pulled", pulled or f'Successfully pulled image "{now.image}"')
            yield Told("Created", f"Created container: {now.name}")
            yield Told("Started", f"Started container {now.name}")
        if now.state == "waiting" and (
            was != "waiting" or before is None or restarted or (before.reason != now.reason)
        ):
            yield from self._waiting()
        if now.unhealthy and (before is None or before.unhealthy != now.unhealthy):
            yield Told("Unhealthy", now.unhealthy, warning=True)

    def _waiting(self) -> Iterator[Told]:
        image, message = self.now.image, self.now.message
        match self.now.reason:
            case "CrashLoopBackOff":
                text = f"Back-off restarting failed container {self.now.name}"
                yield Told("BackOff", text, warning=True)
            case "ErrImagePull":
                text = message or "not found"
                yield Told("Failed", f'Failed to pull image "{image}": {text}', warning=True)
                yield Told("Failed", "Error: ErrImagePull", warning=True)
            case "ImagePullBackOff":
                yield Told("BackOff", f'Back-off pulling image "{image}"')
                yield Told("Failed", "Error: ImagePullBackOff", warning=True)
            case None | "ContainerCreating" | "PodInitializing":
                return
            case other:
                yield Told("Failed", f"Error: {message or other}", warning=True)
