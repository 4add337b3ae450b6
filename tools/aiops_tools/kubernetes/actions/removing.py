"""Evict and delete a pod: neither can be taken back, and both say so."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from aiops.errors import Drifted, ToolFailed
from aiops.model.canonical import digest
from aiops.model.tool import (
    BlastRadius,
    Preview,
    Risk,
    Target,
    ToolResult,
    ToolSpec,
    Verified,
)
from aiops.ports.tools import Progress, ToolContext
from aiops_tools.kubernetes.actions.asked import InNamespace
from aiops_tools.kubernetes.actions.consequences import of_interruption
from aiops_tools.kubernetes.actions.reading import read
from aiops_tools.kubernetes.actions.rollout import replicas_of
from aiops_tools.kubernetes.actions.scene import Scene, Some, budgets_over, is_ready, pods_of
from aiops_tools.kubernetes.kinds import POD, kind_named
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.kubernetes.state_hash import state_hash
from aiops_tools.kubernetes.writer import Writer
from aiops_tools.names import PodName
from aiops_tools.spec import Result, answered, writing
from aiops_tools.watching import Standing, watched

Way = Literal["evict_pod", "delete_pod"]
_KEEPERS = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")


class OnePod(InNamespace):
    """The pod that is to go."""

    KIND: ClassVar[str] = "Pod"
    name: PodName


class Removed(Result):
    """The pod that was asked to go.

    Attributes:
        uid: its own; another pod may come to have its name.
    """

    cluster: str
    namespace: str
    name: str
    uid: str


@dataclass(frozen=True, slots=True)
class Removal:
    """A Writing over one cluster."""

    spec: ToolSpec
    way: Way
    writer: Writer = field(repr=False)

    async def preview(self, arguments: Mapping[str, Any], context: ToolContext) -> Preview:
        """See Writing."""
        del context
        return await asyncio.to_thread(self._preview, self._asked(arguments))

    async def apply(
        self, arguments: Mapping[str, Any], preview: Preview, context: ToolContext
    ) -> ToolResult:
        """See Writing."""
        del context
        return await asyncio.to_thread(self._apply, self._asked(arguments), preview)

    async def verify(
        self, arguments: Mapping[str, Any], preview: Preview, context: ToolContext
    ) -> Verified:
        """See Writing."""
        asked = self._asked(arguments)
        return await watched(
            lambda: self._standing(asked, preview),
            self.spec.timeout_s,
            lambda seen: context.report(Progress(None, seen)),
        )

    def _asked(self, arguments: Mapping[str, Any]) -> OnePod:
        return read(self.spec, OnePod, arguments, self.writer)

    def _preview(self, asked: OnePod) -> Preview:
        pod = self.writer.one(POD, asked.namespace, asked.name)
        if pod["metadata"].get("deletionTimestamp"):
            raise ToolFailed("conflict", f"{asked.target} is ending already; nothing is to be done")
        owner = self._owner(asked.namespace, pod)
        scene = self._around(asked, pod, owner)
        self._send(asked, pod, scene.budgets, dry_run=True)
        ready = int(is_ready(pod))
        radius = BlastRadius(1, ready, max(ready, sum(map(is_ready, scene.pods))))
        return Preview(
            summary=f"{self.way.replace('_', ' ')} {asked.target}",
            targets=(asked.target, *_targets(asked, owner)),
            diff=_diff(asked, pod),
            state=_state(pod),
            radius=radius,
            undo=None,
            warnings=tuple(self._warnings(scene, radius)),
        )

    def _apply(self, asked: OnePod, preview: Preview) -> ToolResult:
        changed = f"{asked.target} is not the pod that was looked at; nothing was changed"
        try:
            pod = self.writer.one(POD, asked.namespace, asked.name)
        except ToolFailed as failure:
            if failure.kind != "not_found":
                raise
            raise Drifted(f"{changed}: it is gone already") from failure
        if _state(pod) != preview.state:
            raise Drifted(f"{changed}: another has its name; look at it and decide anew")
        try:
            self._send(asked, pod, (), dry_run=False)
        except ToolFailed as failure:
            if failure.kind != "conflict" or failure.retryable:
                raise
            raise Drifted(f"{changed}: another took its name meanwhile") from failure
        gone = Removed(
            cluster=asked.cluster,
            namespace=asked.namespace,
            name=asked.name,
            uid=pod["metadata"]["uid"],
        )
        return answered(gone, f"{asked.target} was asked to go")

    def _send(self, asked: OnePod, pod: Api, budgets: Sequence[Api], *, dry_run: bool) -> None:
        only = {"uid": pod["metadata"]["uid"]}
        if self.way == "delete_pod":
            self.writer.delete(
                POD, asked.namespace, asked.name, dry_run=dry_run, preconditions=only
            )
            return
        try:
            self.writer.evict(asked.namespace, asked.name, dry_run=dry_run, preconditions=only)
        except ToolFailed as failure:
            if failure.kind != "throttled":
                raise
            full = ["budget", *(one["metadata"]["name"] for one in budgets if not _allowed(one))]
            raise ToolFailed(
                "conflict",
                f"{asked.target} cannot be evicted: its disruption {' '.join(full)} allows no pod "
                "less now; wait until more pods are ready, or add replicas",
                retryable=True,
            ) from failure

    def _around(self, asked: OnePod, pod: Api, owner: Api | None) -> Scene:
        some = Some(self.writer, asked.namespace)
        return Scene(
            pod,
            pods=tuple(pods_of(self.writer, owner) if owner else ()),
            budgets=budgets_over(some, pod["metadata"].get("labels") or {}),
            unread=tuple(some.unread),
        )

    def _warnings(self, scene: Scene, radius: BlastRadius) -> Iterator[str]:
        yield "this cannot be taken back: the pod, its logs and what it keeps in memory are gone"
        owner = _controller(scene.object)
        if owner:
            yield f"{owner['kind']} {owner['name']} makes another in its place"
        else:
            yield "nothing makes another in its place: no controller owns it"
        if any("emptyDir" in one for one in scene.object["spec"].get("volumes") or ()):
            yield "what it keeps in an emptyDir volume is lost"
        for warning in of_interruption(scene, radius):
            if self.way == "delete_pod" or "disruption budget" not in warning:
                yield warning
        yield from scene.unread

    def _standing(self, asked: OnePod, preview: Preview) -> Standing:
        try:
            pod = self.writer.one(POD, asked.namespace, asked.name)
        except ToolFailed as failure:
            if failure.kind != "not_found":
                raise
        else:
            if _state(pod) == preview.state:
                return Standing(False, "it has not ended yet")
        if len(preview.targets) == 1:
            return Standing(True, "it is gone")
        owner = preview.targets[1]
        workload = self.writer.one(kind_named(owner.kind), owner.namespace, owner.name)
        ready = sum(map(is_ready, pods_of(self.writer, workload)))
        wanted = min(preview.radius.serving, replicas_of(workload))
        return Standing(ready >= wanted, f"it is gone; {ready} pods of {owner.name} ready")

    def _owner(self, namespace: str, pod: Api) -> Api | None:
        """The workload at the top of the pod's chain of controllers, if it keeps replicas."""
        found, one = None, pod
        while (controller := _controller(one)).get("kind") in _KEEPERS:
            kind = kind_named(controller["kind"])
            one = found = self.writer.one(kind, namespace, controller["name"])
        return found


def _controller(one: Api) -> Api:
    owners = one["metadata"].get("ownerReferences") or ()
    return next((each for each in owners if each.get("controller")), {})


def _allowed(budget: Api) -> int:
    return int((budget.get("status") or {}).get("disruptionsAllowed") or 0)


def _targets(asked: OnePod, owner: Api | None) -> tuple[Target, ...]:
    """The workload that loses the pod: who may not touch it may not take its pods either."""
    if owner is None:
        return ()
    return (Target(asked.cluster, owner["kind"], owner["metadata"]["name"], asked.namespace),)


def _state(pod: Api) -> str:
    """Another pod of the same name is another pod, whatever it asks for."""
    return digest({"uid": pod["metadata"]["uid"], "spec": state_hash(pod)})


def _diff(asked: OnePod, pod: Api) -> str:
    status = pod.get("status") or {}
    lines = [
        f"--- {asked.target} (now)",
        "+++ /dev/null",
        f"-uid: {pod['metadata']['uid']}",
        f"-node: {pod['spec'].get('nodeName', 'none')}",
        f"-images: {', '.join(one['image'] for one in pod['spec']['containers'])}",
        f"-phase: {status.get('phase', 'unknown')}",
    ]
    return "\n".join(lines)


def removals(toolset: str, writer: Writer, rollout_s: float) -> tuple[Removal, ...]:
    """Both ways to remove a pod, as tools of the toolset called ``toolset``."""
    return tuple(
        Removal(
            writing(
                f"{toolset}.{way}",
                description,
                OnePod,
                Removed,
                risk=risk,
                idempotent=False,
                reversible=False,
                timeout_s=rollout_s,
                examples=examples,
            ),
            way,
            writer,
        )
        for way, description, risk, examples in _WAYS
    )


_WAYS: tuple[tuple[Way, str, Risk, tuple[str, ...]], ...] = (
    (
        "evict_pod",
        "Ask one pod to end, if its disruption budgets allow; cannot be undone.",
        "medium",
        ("move a copy off its machine",),
    ),
    (
        "delete_pod",
        "Delete one pod, whatever its disruption budgets say; cannot be undone.",
        "high",
        ("replace a copy that hangs",),
    ),
)
