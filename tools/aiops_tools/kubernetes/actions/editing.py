"""An action that edits one object: dry run, the same request in earnest, and a look afterwards."""

import asyncio
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any, Generic

from aiops.errors import Drifted, ToolFailed
from aiops.model.canonical import canonical
from aiops.model.tool import Preview, Target, ToolResult, ToolSpec, Undo, Verified
from aiops.ports.tools import Progress, ToolContext
from aiops_tools.kubernetes.actions.asked import OnObject
from aiops_tools.kubernetes.actions.change import Asked, Change
from aiops_tools.kubernetes.actions.diff import hides_a_change, unified
from aiops_tools.kubernetes.actions.merging import merge_patch
from aiops_tools.kubernetes.actions.reading import read
from aiops_tools.kubernetes.actions.scene import Scene, pods_of
from aiops_tools.kubernetes.kinds import kind_named
from aiops_tools.kubernetes.sealed import Api
from aiops_tools.kubernetes.state_hash import state_hash
from aiops_tools.kubernetes.writer import Writer
from aiops_tools.spec import Result, answered, writing
from aiops_tools.watching import Standing, watched

_TRIES = 5
"""Status updates move an object's version without changing what it asks for."""
LOOK_S = 20.0
"""Time of a call that waits for no pod."""


class Changed(Result):
    """What an edit did.

    Attributes:
        before, after: state hashes.
    """

    cluster: str
    namespace: str | None
    kind: str
    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Trial:
    """A dry run: the object and its surroundings, what would be sent, what would come of it."""

    scene: Scene
    patch: Api
    after: Api
    diff: str

    @property
    def state(self) -> str:
        """The state hash of the object as it was read."""
        return state_hash(self.scene.object)


@dataclass(frozen=True, slots=True)
class Editing(Generic[Asked]):
    """A Writing over one cluster."""

    spec: ToolSpec
    change: Change[Asked]
    writer: Writer = field(repr=False)

    async def preview(self, arguments: Mapping[str, Any], context: ToolContext) -> Preview:
        """See Writing."""
        del context
        asked = read(self.spec, self.change.asks, arguments, self.writer)
        trial = await asyncio.to_thread(self._try, asked)
        return self._preview(asked, trial)

    async def apply(
        self, arguments: Mapping[str, Any], preview: Preview, context: ToolContext
    ) -> ToolResult:
        """See Writing."""
        del context
        asked = read(self.spec, self.change.asks, arguments, self.writer)
        return await asyncio.to_thread(self._apply, asked, preview)

    async def verify(
        self, arguments: Mapping[str, Any], preview: Preview, context: ToolContext
    ) -> Verified:
        """See Writing."""
        del preview
        asked = read(self.spec, self.change.asks, arguments, self.writer)
        return await watched(
            lambda: self._standing(asked),
            self.spec.timeout_s,
            lambda seen: context.report(Progress(None, seen)),
        )

    def _try(self, asked: Asked) -> Trial:
        before = self._read(asked.target)
        if before["metadata"].get("deletionTimestamp"):
            raise ToolFailed("conflict", f"{asked.target} is being deleted; nothing can be changed")
        scene = self.change.look(self.writer, before)
        edited = self.change.edit(asked, scene)
        patch = merge_patch(before, edited)
        if not patch:
            raise ToolFailed("invalid", f"{asked.target} is so already; there is nothing to change")
        patch.setdefault("metadata", {})["resourceVersion"] = before["metadata"]["resourceVersion"]
        after = self._send(asked.target, patch, dry_run=True)
        return Trial(scene, patch, after, unified(asked.target, before, after))

    def _preview(self, asked: Asked, trial: Trial) -> Preview:
        scene, after = trial.scene, trial.after
        inverse = self.change.undo(asked, scene, after)
        undo = inverse and Undo(
            f"{self.spec.toolset}.{inverse[0]}",
            canonical({"cluster": asked.target.cluster, **inverse[1]}),
        )
        warnings = [*self.change.warn(asked, scene, after), *scene.unread]
        if undo is None:
            warnings.append("this cannot be taken back by a call: nothing is kept to go back to")
        if hides_a_change(scene.object, after):
            warnings.append("a value that looks like a secret changes; it is not shown")
        return Preview(
            summary=f"{self.change.verb.replace('_', ' ')} {asked.target}",
            targets=(asked.target,),
            diff=trial.diff,
            state=trial.state,
            radius=self.change.radius(scene, after),
            undo=undo,
            warnings=tuple(warnings),
        )

    def _apply(self, asked: Asked, preview: Preview) -> ToolResult:
        for _ in range(_TRIES):
            try:
                trial = self._try(asked)
                if (trial.state, trial.diff) != (preview.state, preview.diff):
                    break
                after = self._send(asked.target, trial.patch, dry_run=False)
            except ToolFailed as failure:
                if failure.kind != "conflict":
                    raise
                continue
            return _answer(asked.target, trial.state, after)
        raise Drifted(
            f"{asked.target} is not what it was when this was looked at; nothing was changed: "
            "look at it and decide anew"
        )

    def _standing(self, asked: Asked) -> Standing:
        now = self._read(asked.target)
        return self.change.standing(asked, now, pods_of(self.writer, now))

    def _read(self, target: Target) -> Api:
        return self.writer.one(kind_named(target.kind), target.namespace, target.name)

    def _send(self, target: Target, patch: Api, *, dry_run: bool) -> Api:
        kind = kind_named(target.kind)
        sent = deepcopy(patch)
        found = self.writer.patch(kind, target.namespace, target.name, sent, dry_run=dry_run)
        return {**found, "kind": kind.name}


def editing(
    toolset: str, change: Change[Asked], writer: Writer, rollout_s: float
) -> Editing[Asked]:
    """``change`` as a tool of the toolset called ``toolset``."""
    spec = writing(
        f"{toolset}.{change.verb}",
        change.description,
        change.asks,
        Changed,
        risk=change.risk,
        idempotent=change.idempotent,
        timeout_s=rollout_s if change.waits_for_pods else LOOK_S,
        examples=change.examples,
    )
    return Editing(spec, change, writer)


def _answer(target: Target, before: str, after: Api) -> ToolResult:
    done = Changed(
        cluster=target.cluster,
        namespace=target.namespace,
        kind=target.kind,
        name=target.name,
        before=before,
        after=state_hash(after),
    )
    return answered(done, f"changed {target}")


def placed(asked: OnObject) -> dict[str, Any]:
    """The arguments that say which object is meant, but for its cluster."""
    given = asked.model_dump(mode="json")
    return {key: given[key] for key in ("namespace", "kind", "name") if key in given}
