"""What everything in the cluster works on: objects, kinds, time, ids and what runs pods."""

import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiops.ports.clock import Clock
from aiops_lab.kubelet.ports import PodRuntime
from aiops_lab.kubernetes.kinds import Kind, Registry
from aiops_lab.kubernetes.store import Kept, Object, ObjectStore

# Without vowels and look-alikes, as Kubernetes makes names (apimachinery/pkg/util/rand).
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


def timestamp(moment: datetime) -> str:
    """RFC 3339 in seconds, as Kubernetes writes times."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment_of(text: str) -> datetime:
    """The time behind an RFC 3339 text."""
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


@dataclass(slots=True)
class Cluster:
    """The parts that API and controllers share.

    Args:
        uid: makes a new unique id.
        chance: makes the random ends of names.
        pressure: conditions such as "MemoryPressure" that hold on a node now, by node name; the
            faults of the lab set it.
    """

    store: ObjectStore
    registry: Registry
    runtime: PodRuntime
    clock: Clock
    uid: Callable[[], str]
    chance: random.Random
    pressure: dict[str, frozenset[str]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def now(self) -> str:
        """The present time as Kubernetes writes it."""
        return timestamp(self.clock.now())

    def suffix(self, length: int = 5) -> str:
        """A random end for a name."""
        with self._lock:
            return "".join(self.chance.choice(_LETTERS) for _ in range(length))

    def find(self, resource: str, namespace: str, name: str) -> Object | None:
        """One object or None; never change it."""
        kept = self.store.get(resource, namespace, name)
        return kept.object if kept else None

    def every(self, resource: str, namespace: str = "") -> list[Object]:
        """The objects of a resource; never change them."""
        return [kept.object for kept in self.store.select(resource, namespace)]

    def kind(self, resource: str) -> Kind:
        """The kind of a resource."""
        return self.registry.stored(resource)

    def insert(self, resource: str, new: Mapping[str, Any]) -> Kept:
        """Keep a new object as the server itself, past admission: it is given what it lacks.

        Raises:
            aiops_lab.kubernetes.store.Taken: the name is taken.
        """
        kind = self.kind(resource)
        metadata = {"uid": self.uid(), "creationTimestamp": self.now(), **new["metadata"]}
        whole = {"apiVersion": kind.api_version, "kind": kind.kind, **new, "metadata": metadata}
        return self.store.create((resource, metadata.get("namespace", ""), metadata["name"]), whole)

    def change(self, obj: Object, **parts: Any) -> Object | None:
        """Replace top-level parts of what is kept under an object's name; None if it is gone.

        An object of the same name with another uid counts as gone.
        """
        metadata = obj["metadata"]
        kind = self.registry.of(obj["apiVersion"], obj["kind"])
        if kind is None:
            return None
        key = (kind.resource, metadata.get("namespace", ""), metadata["name"])
        with self.store.lock:
            kept = self.store.get(*key)
            if kept is None or kept.object["metadata"]["uid"] != metadata["uid"]:
                return None
            present = kept.object
            if all(present.get(name) == part for name, part in parts.items()):
                return present
            new = {**present, **parts}
            if _spec_changed(present, new) and "generation" in present["metadata"]:
                generation = present["metadata"]["generation"] + 1
                new["metadata"] = {**new["metadata"], "generation": generation}
            return self.store.replace(key, new).object


def _spec_changed(old: Object, new: Object) -> bool:
    free = {"metadata", "status"}
    return any(old.get(k) != new.get(k) for k in (old.keys() | new.keys()) - free)
