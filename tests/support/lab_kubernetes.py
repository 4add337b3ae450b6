"""A control plane without processes, for tests of the lab's Kubernetes API."""

import itertools
import random
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from aiops.store.clock import ManualClock
from aiops_lab.kubernetes.access import MASTERS, User
from aiops_lab.kubernetes.no_processes import NoProcesses
from aiops_lab.kubernetes.server import ControlPlane, Parts
from aiops_lab.kubernetes.writing import Write

ROOT = Write(User("root", (MASTERS,)), "test")


class Lab:
    """A control plane whose controllers work when `settle` is called."""

    def __init__(self) -> None:
        self.time = ManualClock(datetime(2026, 1, 1, tzinfo=UTC))
        self.runtime = NoProcesses(self.time)
        numbers = itertools.count()
        parts = Parts(
            self.runtime,
            self.time,
            lambda: f"uid-{next(numbers)}",
            lambda: f"token-{next(numbers)}",
            random.Random(0),  # noqa: S311 - names only
        )
        self.plane = ControlPlane(parts)
        self.cluster = self.plane.cluster

    def create(self, resource: str, obj: dict[str, Any], how: Write = ROOT) -> dict[str, Any]:
        """Create in the namespace the object names, or in default."""
        kind = self.cluster.kind(resource)
        namespace = obj["metadata"].get("namespace", "default") if kind.namespaced else ""
        written = self.plane.writer.create(kind, namespace, obj, how)
        self.settle()
        return written.object

    def patch(self, resource: str, name: str, body: Any, form: Any = "merge") -> dict[str, Any]:
        kind = self.cluster.kind(resource)
        written = self.plane.writer.patch(kind, "default", name, body, form, ROOT)
        self.settle()
        return written.object

    def find(self, resource: str, name: str) -> dict[str, Any] | None:
        kind = self.cluster.kind(resource)
        return self.cluster.find(resource, "default" if kind.namespaced else "", name)

    def get(self, resource: str, name: str) -> dict[str, Any]:
        found = self.find(resource, name)
        assert found is not None, f"no {resource} {name}"
        return found

    def every(self, resource: str) -> list[dict[str, Any]]:
        return self.cluster.every(resource, "default")

    def settle(self) -> None:
        self.plane.loop.settle()

    def forward(self, seconds: float) -> None:
        self.time.advance(seconds)
        self.settle()

    def fail(self, pod: dict[str, Any], **changes: Any) -> None:
        """Let the runtime say something else of the pod's containers."""
        state = self.runtime.state(pod["metadata"]["uid"])
        containers = tuple(replace(c, **changes) for c in state.containers)
        self.runtime.put(replace(state, containers=containers))
        self.settle()

    def reasons(self) -> set[str]:
        """The reasons of all events in the default namespace."""
        return {event["reason"] for event in self.every("events")}


def deployment(
    name: str = "web", replicas: int = 3, image: str = "web:1", **spec: Any
) -> dict[str, Any]:
    labels = {"app": name}
    container = {"name": "main", "image": image, "resources": {"requests": {"cpu": "100m"}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    selector = {"matchLabels": labels}
    body = {"replicas": replicas, "selector": selector, "template": template, **spec}
    return {"metadata": {"name": name}, "spec": body}


def pod(name: str, **spec: Any) -> dict[str, Any]:
    containers = [{"name": "main", "image": "web:1"}]
    return {
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {"containers": containers, **spec},
    }
