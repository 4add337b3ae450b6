"""Actions whose process died while it carried them out: looked at, written down, never repeated."""

from dataclasses import dataclass, replace

from aiops.errors import ToolFailed
from aiops.model.approval import Approval
from aiops.model.canonical import parsed
from aiops.model.tool import Outcome, Preview, ToolCall, Verified
from aiops.ports.tools import ToolContext
from aiops.toolbelt import plan
from aiops.toolbelt.catalog import Catalog, is_writing
from aiops.toolbelt.cut import Cut, CutOff
from aiops.toolbelt.doors import Doors
from aiops.toolbelt.refusals import Refused
from aiops.toolbelt.signs import Signs
from aiops.toolbelt.stages import apart
from aiops.toolbelt.trail import Trail, entry


@dataclass(frozen=True, slots=True)
class Aftermath:
    """For whoever alone carries out what is approved, and finds it begun by another."""

    catalog: Catalog
    doors: Doors

    async def of(self, call: ToolCall, approval: Approval) -> Outcome:
        """How ``call`` with a used ``approval`` ended; "unknown" where its process died."""
        earlier = await apart(self.doors.ledger.begin, call, self.doors.clock.now())
        if earlier is None:  # used by a call with another key, which tells its end itself
            said = f"approval {approval.id} is used by another call"
            elsewhere = Outcome(call.id, "unknown", said, reason="begun", approval=approval.id)
            await apart(self.doors.ledger.end, call, elsewhere, 0.0)
            return elsewhere
        if earlier.reason != "begun" or earlier.call != call.id:
            await apart(self._note, approval, earlier)
            return earlier
        signs = Signs(self.doors.ledger)
        await apart(self.doors.ledger.renew, [call])  # or the chore "calls" buries it meanwhile
        signs.hold(call)
        try:
            return await self._of_the_dead(call, approval)
        finally:
            signs.release(call)

    async def _of_the_dead(self, call: ToolCall, approval: Approval) -> Outcome:
        verified, seen = await self._looked_at(call, approval)
        begun = "" if approval.used_at is None else f" at {approval.used_at:%Y-%m-%d %H:%M:%S} UTC"
        said = f"{call.tool} was begun{begun} and its process ended before it did; {seen}"
        said = self.doors.finish.redact(said, call.caller.run)
        outcome = Outcome(
            call.id, "unknown", said, reason="died", approval=approval.id, verified=verified
        )
        trail = Trail(
            call,
            Cut(),
            self.doors.clock.stopwatch(),
            where=tuple(str(target) for target in approval.action.preview.targets),
            action_hash=approval.action_hash,
        )
        await apart(self._write_down, trail, approval, outcome)
        return outcome

    async def _looked_at(self, call: ToolCall, approval: Approval) -> tuple[Verified | None, str]:
        preview = approval.action.preview
        if call.tool != plan.NAME:
            return await self._one_looked_at(call, call.tool, call.arguments, preview)
        steps = plan.steps_of(parsed(call.arguments))
        parts = plan.apart(preview)
        if len(parts) != len(steps):  # approved by a version that did not keep them
            return None, "look at each of its targets"
        found = [
            await self._one_looked_at(call, tool, arguments, part)
            for (tool, arguments), part in zip(steps, parts, strict=True)
        ]
        seen = [
            f"step {number} ({tool}): {said}"
            for number, ((tool, _), (_, said)) in enumerate(zip(steps, found, strict=True), 1)
        ]
        read = [verified for verified, _ in found if verified is not None]
        if len(read) < len(found):
            return None, "\n".join(seen)
        reached = all(verified.reached for verified in read)
        return Verified(reached, "; ".join(verified.seen for verified in read)), "\n".join(seen)

    async def _one_looked_at(
        self, call: ToolCall, tool: str, arguments: str, preview: Preview
    ) -> tuple[Verified | None, str]:
        try:
            asked = self.catalog.ask(tool, arguments, call.caller)
            if not is_writing(asked.item.tool):
                return None, "look at each of its targets"
            context = ToolContext(call.id, f"{call.key}/look", call.caller, lambda _: None)
            look = asked.item.tool.verify(asked.arguments, preview, context)
            verified = await Cut().run(f"verification of {tool}", look, asked.item.spec.timeout_s)
        except (Refused, ToolFailed, CutOff) as failed:
            return None, f"it cannot be read either ({failed}): look at its target by hand"
        return verified, f"read afterwards: {verified.seen}"

    def _write_down(self, trail: Trail, approval: Approval, outcome: Outcome) -> None:
        doors = self.doors
        doors.audit.append(entry(trail, outcome, 0.0, doors.clock, doors.finish))
        doors.ledger.end(trail.call, outcome, 0.0)
        self._note(approval, outcome)

    def _note(self, approval: Approval, outcome: Outcome) -> None:
        if approval.outcome is None:
            noted = replace(approval, outcome=f"{outcome.status}: {outcome.summary}"[:2000])
            self.doors.approvals.swap(approval, noted)
