"""A lab without processes: it remembers what faults do to it, on a clock that moves when told."""

from collections.abc import Mapping
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiops.errors import AiopsError, NotKept
from aiops.store.clock import ManualClock
from aiops_lab.faults.edits import operations
from aiops_lab.faults.effects import Edited, Evicted, Lasting, Made, OnObjects, Removed, Swept
from aiops_lab.faults.engine import Engine
from aiops_lab.faults.journal import Journal
from aiops_lab.faults.ports import Ground
from aiops_lab.kubernetes.patches import json_patch
from aiops_lab.topology.load import SHOP, load
from aiops_lab.topology.manifests import manifests
from aiops_lab.topology.model import Topology

START = datetime(2026, 1, 1, tzinfo=UTC)
RESOURCES = {
    "Deployment": "deployments.apps",
    "Service": "services",
    "ConfigMap": "configmaps",
    "Secret": "secrets",
    "Namespace": "namespaces",
}


class Refusing(AiopsError):
    """The lab does not do that."""


class Remembering:
    """LabControl without a lab; ``refuses``: what it will not do."""

    def __init__(self, topology: Topology, *, nodes: tuple[str, ...] = ("node-1",)) -> None:
        self.ground = Ground(topology, nodes)
        self.held: tuple[Lasting, ...] = ()
        self.rate = 2.0
        self.refuses: type | None = None
        self.evicted: list[str] = []
        self.objects: dict[tuple[str, str], dict[str, Any]] = {
            (RESOURCES[one["kind"]], one["metadata"]["name"]): one
            for one in manifests(topology, now=START, password="x")
        }
        for name in topology.services:
            self.objects["pods", f"{name}-1"] = {"metadata": {"name": f"{name}-1"}}

    def users_rate(self) -> float:
        return self.rate

    def read(self, resource: str, name: str) -> Mapping[str, Any] | None:
        return self.objects.get((resource, name))

    def pods(self, service: str | None) -> tuple[str, ...]:
        names = [name for resource, name in self.objects if resource == "pods"]
        return tuple(n for n in names if service is None or n == f"{service}-1")

    def hold(self, effects: tuple[Lasting, ...]) -> None:
        if self.refuses and any(isinstance(one, self.refuses) for one in effects):
            raise Refusing("not here")
        self.held = effects

    def write(self, effect: OnObjects) -> None:
        if self.refuses and isinstance(effect, self.refuses):
            raise Refusing("not here")
        match effect:
            case Edited(resource, name):
                if (resource, name) not in self.objects:
                    raise NotKept(resource, name)
                present = self.objects[resource, name]
                self.objects[resource, name] = json_patch(present, operations(effect, present))
            case Made(resource, name, body):
                self.objects[resource, name] = deepcopy(dict(body))
            case Removed(resource, name):
                del self.objects[resource, name]
            case Evicted(service):
                self.evicted.append(service)
            case Swept(service):
                self.evicted.remove(service)


class Bench:
    """An engine over a remembering lab."""

    def __init__(self, folder: Path, topology: Path = SHOP) -> None:
        self.lab = Remembering(load(topology))
        self.clock = ManualClock(START)
        self.journal = Journal(folder / "faults.jsonl")
        self.engine = Engine(self.lab, self.journal, self.clock)

    def forward(self, seconds: float) -> None:
        """Let time pass, a step a second at most, as the engine's thread would see it."""
        while seconds > 0:
            step = min(seconds, 1.0)
            self.clock.advance(step)
            self.engine.step()
            seconds -= step
