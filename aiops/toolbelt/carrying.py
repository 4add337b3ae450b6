"""Carrying out what was approved: in order, looked at afterwards, taken back where it failed."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aiops.errors import ToolFailed
from aiops.model.tool import OutcomeStatus, Preview, Stop, ToolResult, Verified
from aiops.ports.tools import ToolContext, Writing
from aiops.toolbelt.catalog import Asked, Catalog, is_writing
from aiops.toolbelt.cut import Cut, CutOff
from aiops.toolbelt.refusals import Refused
from aiops.toolbelt.watching import Watch


@dataclass(frozen=True, slots=True)
class Step:
    """One write, as it was looked at before it was approved."""

    asked: Asked
    preview: Preview

    @property
    def tool(self) -> Writing:
        """What carries it out."""
        assert is_writing(self.asked.item.tool)  # noqa: S101 - only writes become steps
        return self.asked.item.tool

    @property
    def seconds(self) -> float:
        """What each of its stages may take."""
        return self.asked.item.spec.timeout_s


@dataclass(frozen=True, slots=True)
class Ended:
    """What became of one step.

    Attributes:
        seen: in a sentence.
        applied: whether the API took it, so that there is something to take back.
        taken_back: whether it was; None where that was not tried.
    """

    step: Step
    status: OutcomeStatus
    seen: str
    reason: str | None = None
    applied: bool = False
    result: ToolResult | None = None
    verified: Verified | None = None
    taken_back: bool | None = None


@dataclass(frozen=True, slots=True)
class Carrying:
    """Of one approved call.

    Attributes:
        stopped: asks the kill switch; the last thing before each change.
        taken: notes a rollback in the audit log: the step, the tool, how it ended, in a sentence.
        now: tells the time.
        watch: over the objectives, once all is done; None where nobody wants that.
    """

    catalog: Catalog
    context: ToolContext
    cut: Cut
    stopped: Callable[[], Awaitable[Stop | None]]
    taken: Callable[[Step, str, bool, str], Awaitable[None]]
    now: Callable[[], datetime]
    watch: Watch | None = None

    async def carry_out(self, steps: Sequence[Step]) -> tuple[Ended, ...]:
        """In order; at the first that is not done, those applied are taken back, last first.

        So are all of them where an objective burns faster afterwards, or, of what is done for an
        incident, where one burns on as before.
        """
        began = self.now()
        ended: list[Ended] = []
        for number, step in enumerate(steps):
            ended.append(await self._one(step, self._context(f"{number}" if number else "")))
            if ended[-1].status != "done":
                return tuple(await self._all_taken_back(ended))
        return tuple(await self._watched(ended, began))

    async def _watched(self, ended: list[Ended], began: datetime) -> list[Ended]:
        if self.watch is None or not ended:
            return ended
        targets = sorted({target for one in ended for target in one.step.preview.targets})
        mends = self.context.caller.incident is not None
        held = await self.watch.over(targets, began, self.cut, mends=mends)
        last = ended[-1]
        seen = f"{last.seen}; {held.seen}"
        if held.held is not False:
            ended[-1] = replace(last, seen=seen, verified=Verified(True, seen))
            return ended
        ended[-1] = replace(
            last, status="failed", reason="objective", seen=seen, verified=Verified(False, seen)
        )
        return await self._all_taken_back(ended)

    async def _one(self, step: Step, context: ToolContext) -> Ended:
        stop = await self.stopped()
        if stop is not None:
            return Ended(step, "denied", stopped_by(stop), "stopped")
        name = step.asked.item.spec.name
        apply = step.tool.apply(step.asked.arguments, step.preview, context)
        try:
            result = await self.cut.run(name, apply, step.seconds)
        except CutOff as cut:
            return await self._looked_after(step, context, str(cut), cut.why)
        except ToolFailed as failed:
            if failed.kind == "crashed":
                return await self._looked_after(step, context, str(failed), "crashed")
            return Ended(step, "failed", failed.reason, failed.kind)
        try:
            verified = await self._verified(step, context)
        except ToolFailed as failed:
            seen = f"carried out, but it cannot be read what came of it: {failed.reason}"
            return Ended(step, "unknown", seen, failed.kind, result=result)
        if not verified.reached:
            return Ended(step, "failed", verified.seen, "unverified", True, result, verified)
        return Ended(step, "done", verified.seen, None, True, result, verified)

    async def _looked_after(self, step: Step, context: ToolContext, why: str, reason: str) -> Ended:
        """Of a change that may have happened or not, or may happen yet: only looked at."""
        try:
            verified = await self._verified(step, context)
        except ToolFailed as failed:
            seen = f"{why}; it cannot be read either: {failed.reason}; look at it by hand"
            return Ended(step, "unknown", seen, reason)
        seen = f"{why}; read afterwards: {verified.seen}"
        return Ended(step, "unknown", seen, reason, verified=verified)

    async def _verified(self, step: Step, context: ToolContext) -> Verified:
        name = f"verification of {step.asked.item.spec.name}"
        look = step.tool.verify(step.asked.arguments, step.preview, context)
        try:
            return await self.cut.afterwards(name, look, step.seconds)
        except CutOff as cut:
            return Verified(False, str(cut))

    async def _all_taken_back(self, ended: Sequence[Ended]) -> list[Ended]:
        found: list[Ended] = []
        for number, one in reversed(list(enumerate(ended))):
            if not one.applied:
                found.append(one)
                continue
            back, said = await self._taken_back(one.step, self._context(f"undo-{number}"))
            status: OutcomeStatus = "rolled_back" if back else "failed"
            found.append(replace(one, status=status, taken_back=back, seen=f"{one.seen}; {said}"))
        return found[::-1]

    async def _taken_back(self, step: Step, context: ToolContext) -> tuple[bool, str]:
        undo = step.preview.undo
        if undo is None:
            await self.taken(step, step.asked.item.spec.name, False, "it cannot be taken back")
            return False, "it cannot be taken back: do what is needed by hand"
        try:
            seen = await self._undone(step, undo.tool, undo.arguments, context)
        except (Refused, ToolFailed, CutOff) as failed:
            await self.taken(step, undo.tool, False, str(failed))
            return False, f"it was NOT taken back ({failed}): do it by hand with {undo.tool}"
        await self.taken(step, undo.tool, seen.reached, seen.seen)
        if not seen.reached:
            return False, f"taking it back did not reach its end ({seen.seen}): look at it"
        return True, f"taken back: {seen.seen}"

    async def _undone(
        self, step: Step, tool: str, arguments: str, context: ToolContext
    ) -> Verified:
        asked = self.catalog.ask(tool, arguments, context.caller)
        if not is_writing(asked.item.tool):
            raise Refused("undo", f"{tool} takes nothing back")
        seconds = asked.item.spec.timeout_s
        look = asked.item.tool.preview(asked.arguments, context)
        preview = await self.cut.afterwards(f"dry run of {tool}", look, seconds)
        others = set(preview.targets) - set(step.preview.targets)
        if others:
            raise Refused("undo", f"it would change {min(others)}, which was not approved")
        stop = await self.stopped()
        if stop is not None:
            raise Refused("stopped", stopped_by(stop))
        undo = Step(asked, preview)
        apply = undo.tool.apply(asked.arguments, preview, context)
        await self.cut.afterwards(tool, apply, seconds)
        return await self._verified(undo, context)

    def _context(self, suffix: str) -> ToolContext:
        """Every change has a key of its own."""
        if not suffix:
            return self.context
        return replace(self.context, key=f"{self.context.key}/{suffix}")


def stopped_by(stop: Stop) -> str:
    """What the kill switch is refused with."""
    return (
        f"{stop.by} stopped all changes at {stop.at:%Y-%m-%d %H:%M} UTC: {stop.reason}; they pass "
        "again after `aiops resume`"
    )
