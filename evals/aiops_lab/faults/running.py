"""LabControl over a running lab: processes, network, users, and the Kubernetes API it serves."""

from __future__ import annotations

import threading
from functools import reduce
from math import prod
from typing import TYPE_CHECKING, Any

from aiops.errors import NotKept, WrongState
from aiops_lab.by_kubernetes import ByKubernetes
from aiops_lab.faults.edits import operations
from aiops_lab.faults.effects import (
    Edited,
    Evicted,
    Killed,
    Linked,
    Made,
    Pressed,
    Removed,
    Strained,
    Surged,
    Swept,
    Unresolved,
)
from aiops_lab.faults.ports import Ground
from aiops_lab.kubernetes.credentials import ADMIN
from aiops_lab.kubernetes.deleting import DeleteOptions, delete
from aiops_lab.kubernetes.writing import Write
from aiops_lab.topology.model import Behaviour

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aiops_lab.faults.effects import Lasting, OnObjects
    from aiops_lab.faults.experiments import Experiments
    from aiops_lab.kubernetes.server import ControlPlane
    from aiops_lab.lab import Lab

CALM = Behaviour()
# Whoever diagnoses may read who manages a field; that gives no fault away.
_HOW = Write(ADMIN, "kubectl-edit")
_EVICTED = "Evicted"
_GONE = "The node was low on resource"


class RunningLab:
    """What faults do to a lab that is up; see LabControl.

    Processes are told anew whenever one starts, so a fault outlives the restarts that it causes.
    """

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        plane = self._plane()
        nodes = plane.cluster.every("nodes") if plane else ()
        self.ground = Ground(lab.topology, tuple(one["metadata"]["name"] for one in nodes))
        self._strains: tuple[Strained, ...] = ()
        self._told: dict[str, tuple[int, Behaviour]] = {}
        self._telling = threading.Lock()
        self._stirred, self._closed = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._tell_on, name="lab-strains", daemon=True)

    def open(self) -> None:
        """Follow which processes there are, until ``close``."""
        self._lab.runtime.watch(lambda _uid: self._stirred.set())
        self._thread.start()

    def close(self) -> None:
        """Follow no more."""
        self._closed.set()
        self._stirred.set()
        self._thread.join()

    def enact_with(self, experiments: Experiments | None) -> None:
        """Who carries the Kubernetes API's experiments out, where there is that API."""
        if plane := self._plane():
            plane.enact_with(experiments)

    def users_rate(self) -> float:
        """See Sight."""
        return self._lab.status().rate

    def read(self, resource: str, name: str) -> Mapping[str, Any] | None:
        """See Sight."""
        return self._api().cluster.find(resource, self._namespace, name)

    def pods(self, service: str | None) -> tuple[str, ...]:
        """See Sight."""
        listed = self._lab.orchestrator.pods()
        return tuple(name for owner, name, _, _ in listed if service in (None, owner))

    def hold(self, effects: tuple[Lasting, ...]) -> None:
        """See LabControl."""
        self._strains = tuple(one for one in effects if isinstance(one, Strained))
        self._tell()
        links = [one.link for one in effects if isinstance(one, Linked)]
        lookups = [one.lookup for one in effects if isinstance(one, Unresolved)]
        self._lab.runtime.network.weather(links, lookups)
        self._lab.surge(prod(one.factor for one in effects if isinstance(one, Surged)))
        pressed = [one for one in effects if isinstance(one, Pressed)]
        for node in self.ground.nodes:
            held = frozenset(one.condition for one in pressed if one.node == node)
            if held != self._api().cluster.pressure.get(node, frozenset()):
                self._api().press(node, held)

    def write(self, effect: OnObjects) -> None:
        """See LabControl."""
        plane = self._api()
        match effect:
            case Edited(resource, name):
                kind = plane.cluster.kind(resource)
                present = self.read(resource, name)
                if present is None:
                    raise NotKept(resource, name)
                if patch := operations(effect, present):
                    plane.writer.patch(kind, self._namespace, name, patch, "json", _HOW)
            case Made(resource, _, body):
                plane.writer.create(plane.cluster.kind(resource), self._namespace, body, _HOW)
            case Removed(resource, name, grace_s):
                kind = plane.cluster.kind(resource)
                delete(plane.cluster, kind, self._namespace, name, DeleteOptions(grace_s))
            case Evicted() | Swept() | Killed():
                self._end_pods(effect)

    def _end_pods(self, effect: Evicted | Swept | Killed) -> None:
        runtime, listed = self._lab.runtime, self._lab.orchestrator.pods()
        match effect:
            case Evicted(service, of):
                for uid in (uid for owner, _, uid, _ in listed if owner == service):
                    runtime.evict(uid, _EVICTED, f"{_GONE}: {of}. ")
            case Swept(service):
                cluster = self._api().cluster
                for name in self._evicted(service):
                    delete(cluster, cluster.kind("pods"), self._namespace, name, DeleteOptions())
            case Killed(pod, container):
                for uid in (uid for _, name, uid, _ in listed if name == pod):
                    runtime.kill(uid, container)

    def _evicted(self, service: str) -> list[str]:
        """Names of a service's evicted pods that are still listed."""
        return [
            pod["metadata"]["name"]
            for pod in self._api().cluster.every("pods", self._namespace)
            if pod["status"].get("reason") == _EVICTED
            and (pod["metadata"].get("labels") or {}).get("name") == service
        ]

    @property
    def _namespace(self) -> str:
        return self._lab.topology.namespace

    def _plane(self) -> ControlPlane | None:
        orchestrator = self._lab.orchestrator
        return orchestrator.plane if isinstance(orchestrator, ByKubernetes) else None

    def _api(self) -> ControlPlane:
        plane = self._plane()
        if plane is None:
            raise WrongState("this lab", "has no Kubernetes API")
        return plane

    def _tell_on(self) -> None:
        while not self._closed.is_set():
            self._stirred.wait()
            self._stirred.clear()
            self._tell()

    def _tell(self) -> None:
        """Tell every process that does not know it yet how to behave."""
        with self._telling:
            wanted = strained(self._strains, self._lab.orchestrator.pods())
            for uid, behaviour in wanted.items():
                try:
                    containers = self._lab.runtime.state(uid).containers
                except NotKept:
                    continue  # it has gone meanwhile
                for one in containers[:1]:
                    known = self._told.get(uid, (0, CALM))
                    if one.pid is None or known == (one.pid, behaviour):
                        continue
                    if known[0] == one.pid or behaviour != CALM:
                        self._lab.runtime.strain(uid, one.name, behaviour)
                    self._told[uid] = (one.pid, behaviour)
            self._told = {uid: told for uid, told in self._told.items() if uid in wanted}


def strained(
    strains: tuple[Strained, ...], pods: list[tuple[str, str, str, int]]
) -> dict[str, Behaviour]:
    """How each pod is to behave, by uid, all strains on it together."""
    wanted: dict[str, list[Behaviour]] = {uid: [] for _, _, uid, _ in pods}
    for one in strains:
        own = [
            uid
            for service, name, uid, _ in sorted(pods, key=lambda p: p[1])
            if service == one.service and (one.only is None or name in one.only)
        ]
        for uid in own[: one.pods]:
            wanted[uid].append(one.behaviour)
    return {uid: reduce(Behaviour.beside, listed, CALM) for uid, listed in wanted.items()}
