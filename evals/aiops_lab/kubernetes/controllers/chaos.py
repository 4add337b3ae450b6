"""Experiments of Chaos Mesh: begun, ended after their duration, paused, and taken back.

The status is that of Chaos Mesh 2 (api/v1alpha1/common_types.go): conditions, and a record of
what became of each pod that was selected.
"""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Protocol

from aiops.errors import AiopsError
from aiops_lab.chaos_mesh.attack import Experiment, Hit
from aiops_lab.chaos_mesh.reading import READERS, read_experiment
from aiops_lab.chaos_mesh.scope import Scope, Target, choose
from aiops_lab.faults.effects import Effect
from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.controllers.common import Name, is_active, service_of, with_condition
from aiops_lab.kubernetes.controllers.events import Events
from aiops_lab.kubernetes.quantities import parse_quantity
from aiops_lab.kubernetes.store import Change, Missing, Object
from aiops_lab.topology.model import Topology

GROUP = "chaos-mesh.org"
BY = "chaos-controller"
FINALIZER = "chaos-mesh/records"
PAUSE = "experiment.chaos-mesh.org/pause"
RETRY_S = 5.0
_KINDS = {f"{kind.lower()}.{GROUP}" for kind in READERS}


class Enactor(Protocol):
    """Carries effects out. Every method may be called from any thread."""

    topology: Topology

    def enact(self, owner: str, effects: tuple[Effect, ...]) -> None:
        """Let the effects be.

        Raises:
            AiopsError: one of them cannot be; none is left.
        """
        ...

    def revert(self, owner: str) -> None:
        """Take back what is the owner's; unknown owners are fine.

        Raises:
            AiopsError: something could not be; the rest was.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Run:
    """An experiment that was begun.

    Attributes:
        records: ids with the selector that chose each: "." or ".Target".
        began: by the stopwatch; stopped runs keep it, so that a pause does not lengthen them.
    """

    obj: Object
    experiment: Experiment
    records: tuple[tuple[str, str], ...]
    began: float
    on: bool = True

    def left_s(self, now: float) -> float | None:
        """Until its duration is over; ``None``: it has none."""
        if self.experiment.duration_s is None or self.experiment.once:
            return None
        return self.began + self.experiment.duration_s - now


class Chaos:
    """Makes experiments happen, and writes what came of them."""

    locks = False

    def __init__(self, cluster: Cluster, events: Events) -> None:
        self._cluster, self._events = cluster, events
        self._enactor: Enactor | None = None
        self._runs: dict[str, _Run] = {}
        self._uids: dict[tuple[str, Name], str] = {}

    def enact_with(self, enactor: Enactor | None) -> None:
        """Who carries experiments out from now on; ``None``: nobody does."""
        self._enactor = enactor

    def touched(self, change: Change) -> Iterable[Name]:
        """An experiment; the plural goes before its name."""
        resource, namespace, name = change.now.key
        if resource not in _KINDS or not _told_more(change):
            return ()
        return [(namespace, f"{resource}/{name}")]

    def reconcile(self, name: Name) -> float | None:
        """Begin it, or end it where it is over, paused or deleted."""
        resource, _, title = name[1].partition("/")
        obj = self._cluster.find(resource, name[0], title)
        place = (resource, name)
        gone = self._uids.get(place)
        if gone is not None and (obj is None or obj["metadata"]["uid"] != gone):
            self._forget(place, gone)
        if obj is None:
            return None
        if obj["metadata"].get("deletionTimestamp"):
            self._forget(place, obj["metadata"]["uid"])
            self._let_go(resource, obj)
            return None
        return self._look(place, obj)

    def _look(self, place: tuple[str, Name], obj: Object) -> float | None:
        run = self._runs.get(obj["metadata"]["uid"])
        paused = (obj["metadata"].get("annotations") or {}).get(PAUSE) == "true"
        if run is None:
            if paused or (obj.get("status") or {}).get("experiment", {}).get("containerRecords"):
                return None  # begun under another lab, or not to begin yet
            return self._begin(place, obj)
        now = self._cluster.clock.stopwatch()
        left_s = run.left_s(now)
        over = left_s is not None and left_s <= 0
        wanted = not paused and not over
        if wanted and not run.on:
            return self._begin(place, obj, run.began)
        if run.on and not wanted:
            self._stop(run)
            run = replace(run, on=False)
            self._runs[obj["metadata"]["uid"]] = run
            told = "Paused" if paused and not over else "TimeUp"
            self._events.normal(obj, told, _ENDED[told], BY)
            self._write(obj, run, paused=paused and not over)
        return left_s if wanted else None

    def _begin(
        self, place: tuple[str, Name], obj: Object, began: float | None = None
    ) -> float | None:
        if self._enactor is None:
            self._refuse(obj, "NoEnactor", "stored only: nothing in this lab enacts it")
            return None
        uid = obj["metadata"]["uid"]
        experiment, _ = read_experiment(obj)
        pods = self._selected(experiment.scope)
        others = self._selected(experiment.others) if experiment.others else None
        if not pods or (others is not None and not others):
            text = "no pod is selected: none runs in the lab that the selector fits"
            self._refuse(obj, "NoPodSelected", text)
            return RETRY_S
        try:
            hit = Hit(pods, others, self._enactor.topology)
            self._enactor.enact(uid, experiment.attack.effects(hit))
        except AiopsError as failure:
            self._refuse(obj, "NotEnacted", str(failure))
            return None
        records = [(one, ".") for one in experiment.records(pods)]
        records += [(one, ".Target") for one in experiment.records(others or ())]
        started = self._cluster.clock.stopwatch() if began is None else began
        run = _Run(obj, experiment, tuple(records), started)
        self._runs[uid], self._uids[place] = run, uid
        for one, _ in records:
            self._events.normal(obj, "Applied", f"Successfully apply chaos for {one}", BY)
        self._write(obj, run, paused=False)
        return run.left_s(self._cluster.clock.stopwatch())

    def _selected(self, scope: Scope) -> tuple[Target, ...]:
        topology = self._enactor.topology if self._enactor else None
        pods = [
            self._target(pod)
            for pod in self._cluster.every("pods", topology.namespace if topology else "")
            if is_active(pod) and pod.get("status", {}).get("phase") == "Running"
        ]
        return choose(scope, pods, self._cluster.chance)

    def _target(self, pod: Object) -> Target:
        metadata, containers = pod["metadata"], pod["spec"]["containers"]
        limits = (containers[0].get("resources") or {}).get("limits") or {}
        return Target(
            namespace=metadata["namespace"],
            name=metadata["name"],
            service=service_of(pod),
            ip=pod["status"].get("podIP", ""),
            containers=tuple(c["name"] for c in containers),
            labels=metadata.get("labels") or {},
            annotations=metadata.get("annotations") or {},
            node=pod["spec"].get("nodeName", ""),
            memory=int(parse_quantity(limits["memory"])) if "memory" in limits else None,
        )

    def _stop(self, run: _Run) -> None:
        if self._enactor is None:
            return
        try:
            self._enactor.revert(run.obj["metadata"]["uid"])
        except AiopsError as failure:
            self._events.warning(run.obj, "Failed", f"Failed to recover chaos: {failure}", BY)

    def _forget(self, place: tuple[str, Name], uid: str) -> None:
        run = self._runs.pop(uid, None)
        self._uids.pop(place, None)
        if run is not None and run.on:
            self._stop(run)

    def _let_go(self, resource: str, obj: Object) -> None:
        """Recovered: nothing of ours keeps it from going."""
        with self._cluster.store.lock:
            metadata = obj["metadata"]
            left = [one for one in metadata.get("finalizers") or () if one != FINALIZER]
            if left:
                self._cluster.change(obj, metadata={**metadata, "finalizers": left})
                return
            with suppress(Missing):
                self._cluster.store.remove((resource, metadata["namespace"], metadata["name"]))

    def _refuse(self, obj: Object, reason: str, text: str) -> None:
        self._events.warning(obj, reason, text, BY)
        selected = reason == "NotEnacted"
        said = {"reason": reason, "message": text}
        self._put(
            obj,
            {"Selected": selected, "AllInjected": False, "AllRecovered": True, "Paused": False},
            {"AllInjected": said} if selected else {"AllInjected": said, "Selected": said},
            {"desiredPhase": "Run"},
        )

    def _write(self, obj: Object, run: _Run, *, paused: bool) -> None:
        now = self._cluster.now()
        old = (obj.get("status") or {}).get("experiment", {}).get("containerRecords") or ()
        known = {(one["id"], one["selectorKey"]): one for one in old}
        records = [_record(one, known.get(one, {}), now, on=run.on) for one in run.records]
        conditions = {
            "Selected": True,
            "AllInjected": run.on,
            "AllRecovered": not run.on,
            "Paused": paused,
        }
        phase = "Run" if run.on else "Stop"
        self._put(obj, conditions, {}, {"containerRecords": records, "desiredPhase": phase})

    def _put(
        self,
        obj: Object,
        conditions: dict[str, bool],
        said: dict[str, dict[str, str]],
        experiment: dict[str, Any],
    ) -> None:
        resource = f"{obj['kind'].lower()}.{GROUP}"
        metadata, now = obj["metadata"], self._cluster.now()
        with self._cluster.store.lock:
            present = self._cluster.find(resource, metadata["namespace"], metadata["name"])
            if present is None or present["metadata"].get("deletionTimestamp"):
                return
            merged = (present.get("status") or {}).get("conditions")
            for kind, holds in conditions.items():
                new = {"type": kind, "status": str(holds), **said.get(kind, {})}
                merged = with_condition(merged, new, now)
            kept = present["metadata"]
            if experiment.get("containerRecords"):
                finalizers = [*(f for f in kept.get("finalizers") or () if f != FINALIZER)]
                kept = {**kept, "finalizers": [*finalizers, FINALIZER]}
            status = {"conditions": merged, "experiment": experiment}
            self._cluster.change(present, metadata=kept, status=status)


def _told_more(change: Change) -> bool:
    """Whether somebody else than this controller changed something."""
    if change.before is None or change.type == "DELETED":
        return True
    old, new = change.before.object["metadata"], change.now.object["metadata"]
    return any(old.get(k) != new.get(k) for k in ("annotations", "deletionTimestamp", "uid"))


_ENDED = {
    "Paused": "Experiment is paused",
    "TimeUp": "Time up according to the duration",
}


def _record(one: tuple[str, str], before: Object, now: str, *, on: bool) -> Object:
    """One pod's record, with what happened to it now if that is new."""
    phase = "Injected" if on else "Not Injected"
    if before.get("phase") == phase:
        return before
    event = {"operation": "Apply" if on else "Recover", "timestamp": now, "type": "Succeeded"}
    return {
        "id": one[0],
        "selectorKey": one[1],
        "phase": phase,
        "events": [*before.get("events", ()), event],
        "injectedCount": before.get("injectedCount", 0) + on,
        "recoveredCount": before.get("recoveredCount", 0) + (not on),
    }
