"""Workflows of Chaos Mesh: their experiments come and go by a timetable."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from math import isinf

from aiops_lab.chaos_mesh.reading import read_plan
from aiops_lab.chaos_mesh.workflow import Step, timetable
from aiops_lab.kubernetes.cluster import Cluster
from aiops_lab.kubernetes.controllers.chaos import BY, GROUP
from aiops_lab.kubernetes.controllers.common import SYSTEM, Name, owner_reference, with_condition
from aiops_lab.kubernetes.controllers.events import Events
from aiops_lab.kubernetes.deleting import DeleteOptions, delete
from aiops_lab.kubernetes.problems import Refused
from aiops_lab.kubernetes.store import Change, Object
from aiops_lab.kubernetes.writing import Writer

RESOURCE = f"workflows.{GROUP}"


@dataclass(slots=True)
class _Progress:
    """A workflow under way: numbers of the steps that were begun and ended."""

    steps: tuple[Step, ...]
    over_s: float
    began: float
    begun: set[int] = field(default_factory=set)
    ended: set[int] = field(default_factory=set)


class Workflows:
    """Makes the experiments of a workflow when they are due, and deletes them at their deadline."""

    locks = True

    def __init__(self, cluster: Cluster, writer: Writer, events: Events) -> None:
        self._cluster, self._writer, self._events = cluster, writer, events
        self._progress: dict[str, _Progress] = {}

    def touched(self, change: Change) -> Iterable[Name]:
        """A workflow."""
        return [change.now.key[1:]] if change.now.key[0] == RESOURCE else ()

    def reconcile(self, name: Name) -> float | None:
        """Begin and end what is due; its experiments go with the workflow itself."""
        obj = self._cluster.find(RESOURCE, *name)
        if obj is None or obj["metadata"].get("deletionTimestamp"):
            return None
        progress = self._progress.get(obj["metadata"]["uid"])
        if progress is None:
            if obj.get("status"):
                return None  # told already that it is not enacted
            progress = self._begin(obj)
            if progress is None:
                return None
        now = self._cluster.clock.stopwatch() - progress.began
        self._move(obj, progress, now)
        self._report(obj, progress, now)
        boundaries = {progress.over_s}.union(*((s.begins_s, s.ends_s) for s in progress.steps))
        later = [at - now for at in boundaries if at > now and not isinf(at)]
        return min(later, default=None)

    def _begin(self, obj: Object) -> _Progress | None:
        workflow, _ = read_plan(obj)
        if left_out := workflow.not_enacted():
            text = f"stored only: nothing in the lab carries out {', '.join(left_out)}"
            self._events.warning(obj, "NotEnacted", text, BY)
            said = {"type": "Scheduled", "status": "False", "reason": "NotEnacted", "message": text}
            conditions = with_condition(None, said, self._cluster.now())
            self._cluster.change(obj, status={"conditions": conditions})
            return None
        steps, over_s = timetable(workflow)
        progress = _Progress(steps, over_s, self._cluster.clock.stopwatch())
        self._progress[obj["metadata"]["uid"]] = progress
        return progress

    def _move(self, obj: Object, progress: _Progress, now: float) -> None:
        for number, step in enumerate(progress.steps):
            if step.ends_s <= now and number not in progress.ended:
                progress.ended.add(number)
                if number in progress.begun:
                    self._end(obj, step, number)
            elif step.begins_s <= now < step.ends_s and number not in progress.begun:
                progress.begun.add(number)
                self._start(obj, step, number)

    def _start(self, obj: Object, step: Step, number: int) -> None:
        namespace = obj["metadata"]["namespace"]
        kind = self._cluster.kind(_resource(step))
        body = {
            "apiVersion": kind.api_version,
            "kind": kind.kind,
            "metadata": {
                "name": _title(obj, step, number),
                "namespace": namespace,
                "labels": {f"{GROUP}/workflow": obj["metadata"]["name"]},
                "ownerReferences": [owner_reference(obj)],
            },
            "spec": dict(step.template.spec),
        }
        try:
            self._writer.create(kind, namespace, body, SYSTEM)
        except Refused as refused:
            self._events.warning(obj, "ChaosCustomResourceCreateFailed", refused.message, BY)
            return
        text = f"Create chaos node {step.template.name}"
        self._events.normal(obj, "ChaosCustomResourceCreated", text, BY)

    def _end(self, obj: Object, step: Step, number: int) -> None:
        kind, namespace = self._cluster.kind(_resource(step)), obj["metadata"]["namespace"]
        with suppress(Refused):  # somebody deleted it already
            delete(self._cluster, kind, namespace, _title(obj, step, number), DeleteOptions())
        text = f"Chaos node {step.template.name} reached its deadline"
        self._events.normal(obj, "DeadlineExceed", text, BY)

    def _report(self, obj: Object, progress: _Progress, now: float) -> None:
        over, old = now >= progress.over_s, obj.get("status") or {}
        conditions = old.get("conditions")
        for kind, holds in (("Scheduled", True), ("Accomplished", over)):
            new = {"type": kind, "status": str(holds), "reason": ""}
            conditions = with_condition(conditions, new, self._cluster.now())
        status = {
            "entryNode": old.get("entryNode") or obj["spec"]["entry"],
            "startTime": old.get("startTime") or self._cluster.now(),
            "conditions": conditions,
        }
        if over:
            status["endTime"] = old.get("endTime") or self._cluster.now()
        self._cluster.change(obj, status=status)


def _resource(step: Step) -> str:
    return f"{step.template.kind.lower()}.{GROUP}"


def _title(obj: Object, step: Step, number: int) -> str:
    return f"{obj['metadata']['name']}-{step.template.name}-{number}"
