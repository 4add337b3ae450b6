"""The kubelet: starts and stops what the scheduler placed, and writes what became of it."""

from collections.abc import Iterable
from contextlib import suppress

from aiops.errors import NotKept
from aiops_lab.kubelet.ports import CannotStart, PodState
from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.controllers.common import Name, with_condition
from aiops_lab.kubernetes.controllers.events import Events
from aiops_lab.kubernetes.controllers.pod_status import (
    ContainerChange,
    container_status,
    readiness,
)
from aiops_lab.kubernetes.store import Change, Missing, Object

BY = "kubelet"


class Kubelet:
    """Drives a PodRuntime by the pods that have a node."""

    # Starting a process may take a while; nobody waits for it.
    locks = False

    def __init__(self, cluster: Cluster, events: Events) -> None:
        self._cluster, self._events = cluster, events
        self._started: dict[str, Name] = {}
        self._refused: dict[str, CannotStart] = {}
        self._seen: dict[str, PodState] = {}

    def touched(self, change: Change) -> Iterable[Name]:
        """A pod."""
        if change.now.key[0] != "pods":
            return ()
        # A pod that was deleted without waiting is found by its id; so is its successor by name.
        if change.type == "DELETED":
            return [("", change.now.object["metadata"]["uid"]), change.now.key[1:]]
        return [change.now.key[1:]]

    def name_of(self, uid: str) -> Name:
        """Which pod the runtime's id belongs to."""
        return self._started.get(uid, ("", uid))

    def reconcile(self, name: Name) -> float | None:
        """Start it, stop it, or write its state."""
        if not name[0]:
            self._end_orphan(name[1])
            return None
        pod = self._cluster.find("pods", *name)
        if pod is None or not pod["spec"].get("nodeName"):
            return None
        uid = pod["metadata"]["uid"]
        if pod["metadata"].get("deletionTimestamp"):
            self._end(pod, uid)
        elif uid not in self._started and pod["status"].get("phase") == "Pending":
            self._start(pod, uid)
        elif uid in self._started and uid not in self._refused:
            self._follow_images(pod, uid)
            self._report(pod, self._cluster.runtime.state(uid))
        return None

    def _start(self, pod: Object, uid: str) -> None:
        self._started[uid] = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        for container in pod["spec"]["containers"]:
            if container["imagePullPolicy"] != "Never":
                text = f'Pulling image "{container["image"]}"'
                self._events.normal(pod, "Pulling", text, BY, _field(container["name"]))
        try:
            self._cluster.runtime.start(uid, pod)
        except CannotStart as refused:
            self._refused[uid] = refused
            self._events.warning(pod, refused.reason, refused.message, BY)
            waiting = {"reason": refused.reason, "message": refused.message}
            statuses = [
                {
                    "name": c["name"],
                    "image": c["image"],
                    "imageID": "",
                    "ready": False,
                    "started": False,
                    "restartCount": 0,
                    "state": {"waiting": waiting},
                }
                for c in pod["spec"]["containers"]
            ]
            status = {**pod["status"], "containerStatuses": statuses, "phase": "Pending"}
            conditions = readiness(pod, statuses, "Pending")
            self._write(pod, status, conditions)
            return
        self._report(pod, self._cluster.runtime.state(uid))

    def _follow_images(self, pod: Object, uid: str) -> None:
        """The image of a running pod's container may be changed, and nothing else of it."""
        wanted = {c["name"]: c["image"] for c in pod["spec"]["containers"]}
        for container in self._cluster.runtime.state(uid).containers:
            if wanted[container.name] != container.image:
                self._cluster.runtime.become(uid, {container.name: wanted[container.name]})

    def _end(self, pod: Object, uid: str) -> None:
        """Stop the containers; once they have ended the object goes."""
        if uid not in self._started or uid in self._refused:
            self._remove(pod, uid)
            return
        try:
            state = self._cluster.runtime.state(uid)
        except NotKept:
            self._remove(pod, uid)
            return
        if all(c.state == "terminated" or c.pid is None for c in state.containers) and any(
            c.state == "terminated" for c in state.containers
        ):
            self._remove(pod, uid)
            return
        grace_s = pod["metadata"].get("deletionGracePeriodSeconds", 0)
        marked = self._seen.get(uid)
        if marked is None or marked.reason != "Stopping":
            for container in state.containers:
                text = f"Stopping container {container.name}"
                self._events.normal(pod, "Killing", text, BY, _field(container.name))
            self._seen[uid] = PodState(uid, state.phase, state.ip, state.containers, "Stopping")
        self._cluster.runtime.stop(uid, grace_s)

    def _remove(self, pod: Object, uid: str) -> None:
        metadata = pod["metadata"]
        if metadata.get("finalizers"):
            cleared = {**metadata, "deletionGracePeriodSeconds": 0}
            self._cluster.change(pod, metadata=cleared)
        else:
            with suppress(Missing):
                self._cluster.store.remove(("pods", metadata["namespace"], metadata["name"]))
        self._forget(uid)

    def _end_orphan(self, uid: str) -> None:
        """A pod whose object is gone is killed."""
        if uid in self._started:
            self._cluster.runtime.stop(uid, 0)
            self._forget(uid)

    def _forget(self, uid: str) -> None:
        self._started.pop(uid, None)
        self._refused.pop(uid, None)
        self._seen.pop(uid, None)
        self._cluster.runtime.forget(uid)

    def _report(self, pod: Object, state: PodState) -> None:
        """Write a runtime's state into the pod's status, and tell what changed by events."""
        before = self._seen.get(state.uid)
        self._seen[state.uid] = state
        old = {c.name: c for c in before.containers} if before else {}
        for container in state.containers:
            self._tell(pod, ContainerChange(old.get(container.name), container))
        if state.phase == "Failed" and state.reason and not (before and before.reason):
            self._events.warning(pod, state.reason, state.message or state.reason, BY)
        statuses = [container_status(c) for c in state.containers]
        status = {
            **pod["status"],
            "phase": state.phase,
            "containerStatuses": statuses,
            "hostIP": self._node_ip(pod),
            "hostIPs": [{"ip": self._node_ip(pod)}],
            "startTime": pod["status"].get("startTime") or self._cluster.now(),
        }
        if state.ip:
            status |= {"podIP": state.ip, "podIPs": [{"ip": state.ip}]}
        for field, value in (("reason", state.reason), ("message", state.message)):
            if value:
                status[field] = value
        self._write(pod, status, readiness(pod, statuses, state.phase))

    def _node_ip(self, pod: Object) -> str:
        node = self._cluster.find("nodes", "", pod["spec"]["nodeName"]) or {}
        addresses = node.get("status", {}).get("addresses") or ()
        return next((a["address"] for a in addresses if a["type"] == "InternalIP"), "127.0.0.1")

    def _write(self, pod: Object, status: Object, conditions: list[Object]) -> None:
        now = self._cluster.now()
        merged = pod["status"].get("conditions")
        for new in conditions:
            merged = with_condition(merged, new, now)
        name = (pod["metadata"]["namespace"], pod["metadata"]["name"])
        with self._cluster.store.lock:
            present = self._cluster.find("pods", *name)
            if present is not None:
                kept = {**present["status"], **status, "conditions": merged}
                self._cluster.change(pod, status=kept)

    def _tell(self, pod: Object, change: ContainerChange) -> None:
        for told in change.told():
            tell = self._events.warning if told.warning else self._events.normal
            tell(pod, told.reason, told.message, BY, _field(change.now.name))
        if change.was_oom_killed():
            node = self._cluster.find("nodes", "", pod["spec"]["nodeName"])
            if node is not None:
                text = (
                    f"Memory cgroup out of memory: Killed process of container {change.now.name} "
                    f"in pod {pod['metadata']['namespace']}/{pod['metadata']['name']}"
                )
                self._events.warning(node, "OOMKilling", text, "kernel-monitor")


def _field(container: str) -> str:
    return f"spec.containers{{{container}}}"
