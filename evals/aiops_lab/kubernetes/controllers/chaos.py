"""Chaos Mesh resources: enacted by whoever brings the hook, and saying so where nobody does."""

from collections.abc import Iterable
from typing import Protocol

from aiops.errors import AiopsError
from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.controllers.common import Name, with_condition
from aiops_lab.kubernetes.controllers.events import Events
from aiops_lab.kubernetes.store import Change, Object

GROUP = "chaos-mesh.org"
BY = "chaos-controller"


class CannotEnact(AiopsError):
    """The experiment cannot be carried out; says why."""


class Enactor(Protocol):
    """Makes chaos resources happen. Called again whenever the resource's spec changes."""

    def enact(self, obj: Object) -> Object | None:
        """Begin what a resource asks for; returns its status, None for what is not enacted here.

        Raises:
            CannotEnact: it is asked for wrongly.
        """
        ...

    def revert(self, obj: Object) -> None:
        """End it; unknown resources are fine."""
        ...


class NoEnactor:
    """Enacts nothing."""

    def enact(self, obj: Object) -> Object | None:  # noqa: ARG002 - part of the port
        """Not here."""
        return None

    def revert(self, obj: Object) -> None:
        """Nothing to end."""


class Chaos:
    """Hands chaos resources to the enactor and writes what came of it."""

    locks = False

    def __init__(self, cluster: Cluster, enactor: Enactor, events: Events) -> None:
        self._cluster, self._enactor, self._events = cluster, enactor, events
        self._enacted: dict[tuple[str, str, str], Object] = {}

    def touched(self, change: Change) -> Iterable[Name]:
        """A chaos resource; the plural goes before its name."""
        resource, namespace, name = change.now.key
        if not resource.endswith(f".{GROUP}"):
            return ()
        return [(namespace, f"{resource}/{name}")]

    def reconcile(self, name: Name) -> float | None:
        """Enact, re-enact or revert."""
        resource, _, title = name[1].partition("/")
        key = (resource, name[0], title)
        obj = self._cluster.find(*key)
        known = self._enacted.get(key)
        if obj is None:
            if known is not None:
                self._enactor.revert(self._enacted.pop(key))
            return None
        if known is not None and known["metadata"]["uid"] == obj["metadata"]["uid"]:
            if known["spec"] == obj["spec"]:
                return None
            self._enactor.revert(known)
        self._enacted[key] = obj
        self._write(obj)
        return None

    def _write(self, obj: Object) -> None:
        try:
            status = self._enactor.enact(obj)
            reason, text = "NoEnactor", "stored only: nothing in this lab enacts it"
        except CannotEnact as cannot:
            status, reason, text = None, "CannotEnact", str(cannot)
        if status is None:
            self._events.warning(obj, reason, text, BY)
            new = {"type": "AllInjected", "status": "False", "reason": reason, "message": text}
            conditions = with_condition(None, new, self._cluster.now())
            status = {"conditions": conditions, "experiment": {"desiredPhase": "Stop"}}
        else:
            self._events.normal(obj, "Applied", "Successfully enacted", BY)
        self._cluster.change(obj, status=status)
