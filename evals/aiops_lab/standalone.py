"""Runs a topology's manifests without a Kubernetes API: for tests, and for the lab's first step."""

from __future__ import annotations

import base64
import copy
import itertools
import threading
from typing import TYPE_CHECKING, Any, Protocol

from aiops.errors import NotKept

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from aiops_lab.kubelet.ports import PodRuntime


class Orchestrator(Protocol):
    """What decides which pods there are; the Kubernetes API is one."""

    @property
    def kubeconfig(self) -> Path | None:
        """Where its Kubernetes API is described; ``None``: it has none."""
        ...

    def resolve(
        self, kind: str, namespace: str, name: str, key: str | None
    ) -> Mapping[str, str] | None:
        """Content of a ConfigMap or Secret; see aiops_lab.kubelet.environment.Resolve."""
        ...

    def open(self, runtime: PodRuntime) -> None:
        """Start what is wanted."""
        ...

    def pods(self) -> list[tuple[str, str, str, int]]:
        """(service, pod name, uid, container port) of the pods there are."""
        ...

    def close(self) -> None:
        """Stop deciding; what runs is the runtime's to end."""
        ...


class Standalone:
    """Starts so many pods per Deployment and keeps the endpoints of their Services."""

    def __init__(self, objects: Sequence[Mapping[str, Any]]) -> None:
        self._contents = {
            (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]): one
            for one in objects
        }
        self._of = {
            kind: {o["metadata"]["name"]: o for o in objects if o["kind"] == kind}
            for kind in ("Deployment", "Service")
        }
        self._pods: dict[str, dict[str, tuple[str, int]]] = {n: {} for n in self._of["Deployment"]}
        self._ready: dict[str, tuple[tuple[str, int], ...]] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._runtime: PodRuntime | None = None
        self.kubeconfig: Path | None = None

    def resolve(
        self, kind: str, namespace: str, name: str, key: str | None
    ) -> Mapping[str, str] | None:
        """See Orchestrator."""
        del key  # all of it is answered; the caller takes the key it asked for
        found = self._contents.get((kind, namespace, name))
        if found is None:
            return None
        content: Mapping[str, str] = found.get("data") or {}
        if kind == "ConfigMap":
            return content
        return {name: base64.b64decode(value).decode() for name, value in content.items()}

    def open(self, runtime: PodRuntime) -> None:
        """See Orchestrator."""
        self._runtime = runtime
        runtime.watch(self._changed)
        for name, deployment in self._of["Deployment"].items():
            self._balance(name)
            self.scale(name, deployment["spec"]["replicas"])

    def scale(self, name: str, replicas: int) -> None:
        """Have so many pods of a Deployment."""
        runtime = self._running()
        pods = self._pods[name]
        while len(pods) < replicas:
            pod = self.template(name)
            port = pod["spec"]["containers"][0]["ports"][0]["containerPort"]
            uid = pod["metadata"]["uid"]
            with self._lock:
                pods[uid] = (pod["metadata"]["name"], port)
            runtime.start(uid, pod)
        while len(pods) > replicas:
            with self._lock:
                uid, _ = pods.popitem()
            self._balance(name)
            runtime.stop(uid, 2.0)

    def pods(self) -> list[tuple[str, str, str, int]]:
        """See Orchestrator."""
        with self._lock:
            return [
                (service, name, uid, port)
                for service, pods in self._pods.items()
                for uid, (name, port) in pods.items()
            ]

    def close(self) -> None:
        """See Orchestrator."""
        self._runtime = None

    def template(self, name: str) -> dict[str, Any]:
        """A pod of a Deployment that nobody has started; its own to change."""
        deployment = copy.deepcopy(self._of["Deployment"][name])
        number = next(self._numbers)
        template, metadata = deployment["spec"]["template"], deployment["metadata"]
        own = {
            "name": f"{name}-{number}",
            "namespace": metadata["namespace"],
            "uid": f"{name}-{number:04d}",
        }
        return {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {**template["metadata"], **own},
            "spec": template["spec"],
        }

    def _changed(self, uid: str) -> None:
        self._balance(uid.rpartition("-")[0])

    def _balance(self, name: str) -> None:
        runtime, service = self._runtime, self._of["Service"].get(name)
        if runtime is None or service is None:
            return
        (port,) = service["spec"]["ports"]
        with self._lock:
            pods = self._pods[name]
            ready = tuple((uid, port["targetPort"]) for uid in pods if _ready(runtime, uid))
            if self._ready.get(name) == ready:
                return
            self._ready[name] = ready
            namespace = service["metadata"]["namespace"]
            runtime.endpoints(f"{namespace}/{name}:{port['port']}", ready)

    def _running(self) -> PodRuntime:
        if self._runtime is None:
            raise RuntimeError("scale before open, or after close")
        return self._runtime


def _ready(runtime: PodRuntime, uid: str) -> bool:
    try:
        return all(container.ready for container in runtime.state(uid).containers)
    except NotKept:
        return False  # it is only about to start
