"""The lab's control plane with experiments on it, and nothing that would enact them."""

from dataclasses import replace
from typing import Any

from lab_kubernetes import ROOT, Lab

from aiops.errors import WrongState
from aiops_lab.faults.effects import Effect
from aiops_lab.kubernetes.deleting import DeleteOptions, delete
from aiops_lab.kubernetes.writing import Write
from aiops_lab.topology.load import SHOP, load

SELECTOR = {"labelSelectors": {"app": "carts"}}
EVERY = {"mode": "all", "selector": SELECTOR}


class Remembered:
    """An Enactor that only remembers what it was told."""

    def __init__(self) -> None:
        self.topology = replace(load(SHOP), namespace="default")
        self.held: dict[str, tuple[Effect, ...]] = {}
        self.refuses = False

    def enact(self, owner: str, effects: tuple[Effect, ...]) -> None:
        if self.refuses:
            raise WrongState("the pod", "is changed already")
        self.held[owner] = effects

    def revert(self, owner: str) -> None:
        self.held.pop(owner, None)

    @property
    def effects(self) -> list[Effect]:
        """All that holds."""
        return [one for effects in self.held.values() for one in effects]


class Chaos:
    """A control plane with pods of two services, and experiments on them."""

    def __init__(self) -> None:
        self.lab, self.enactor = Lab(), Remembered()
        self.lab.plane.enact_with(self.enactor)
        for name, service in (("carts-1", "carts"), ("carts-2", "carts"), ("db-1", "carts-db")):
            container = {
                "name": "main",
                "image": "x:1",
                "resources": {"limits": {"cpu": "1", "memory": "100Mi"}},
            }
            side = {"name": "side", "image": "y:1"}
            self.lab.create(
                "pods",
                {
                    "metadata": {"name": name, "labels": {"app": service}},
                    "spec": {"containers": [container, side]},
                },
            )

    def apply(self, kind: str, name: str = "x", how: Write = ROOT, **spec: Any) -> dict[str, Any]:
        """Create it in the default namespace, on all pods of carts unless said otherwise."""
        wanted = {**EVERY, **spec} if kind != "Workflow" else spec
        body = {
            "apiVersion": "chaos-mesh.org/v1alpha1",
            "kind": kind,
            "metadata": {"name": name},
            "spec": wanted,
        }
        return self.lab.create(resource(kind), body, how)

    def get(self, kind: str, name: str = "x") -> dict[str, Any]:
        return self.lab.get(resource(kind), name)

    def conditions(self, kind: str, name: str = "x") -> dict[str, bool]:
        found = self.get(kind, name)["status"]["conditions"]
        return {one["type"]: one["status"] == "True" for one in found}

    def reason(self, kind: str, name: str = "x") -> str:
        """Why it is not enacted."""
        found = self.get(kind, name)["status"]["conditions"]
        return next(str(one.get("message", "")) for one in found if one["type"] == "AllInjected")

    def delete(self, kind: str, name: str = "x") -> None:
        cluster = self.lab.cluster
        delete(cluster, cluster.kind(resource(kind)), "default", name, DeleteOptions())
        self.lab.settle()


def resource(kind: str) -> str:
    plural = "workflows" if kind == "Workflow" else kind.lower()
    return f"{plural}.chaos-mesh.org"
