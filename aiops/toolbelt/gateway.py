"""The gateway: one call, one decision, one row in the audit log.

Every stage says no where it cannot say yes, also where it breaks. Tools decide nothing about
permission, and the gateway knows no API.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

from aiops.errors import AiopsError, StoreUnavailable, ToolFailed
from aiops.model.approval import Action, Approval
from aiops.model.tool import Caller, Outcome, ToolCall, ToolSpec
from aiops.ports.tools import Progress, Tool
from aiops.toolbelt import plan
from aiops.toolbelt.aftermath import Aftermath
from aiops.toolbelt.catalog import Asked, Catalog, is_reading
from aiops.toolbelt.cut import Cut, CutOff
from aiops.toolbelt.doors import Doors, Rules
from aiops.toolbelt.lasting import AskProgress, Lasting
from aiops.toolbelt.refusals import Refused
from aiops.toolbelt.stages import Stages, apart
from aiops.toolbelt.trail import Trail
from aiops.toolbelt.writes import Writes


class Gateway:
    """A Toolbelt over all tools of this process, and the Rehearsal of their writes.

    Args:
        tools: of all toolsets; "calls.progress" and "plan.carry_out" come with the gateway.

    Raises:
        InvalidInput: a tool that cannot be guarded: its name is taken, its schema is none.
    """

    def __init__(self, tools: Sequence[Tool], rules: Rules, doors: Doors) -> None:
        self._rules, self._doors = rules, doors
        self._lasting = Lasting()
        self._catalog = Catalog((*tools, AskProgress(self._lasting), plan.Plan()))
        self._stages = Stages(rules, doors)
        self._writes = Writes(self._catalog, rules, doors, self._stages)

    async def specs(self) -> Sequence[ToolSpec]:
        """See Toolbelt."""
        return self._catalog.specs()

    async def call(
        self, call: ToolCall, report: Callable[[Progress], None] | None = None
    ) -> Outcome:
        """See Toolbelt. Whoever is cancelled while waiting cuts the call off."""
        trail = Trail(call, Cut(), self._doors.clock.stopwatch(), listener=report)
        whole = asyncio.create_task(self._recorded(trail), name=f"call {call.id}")
        spec = self._catalog.spec(call.tool)
        if spec is not None and spec.lasting:
            return await self._started(trail, whole)
        try:
            return await asyncio.shield(whole)
        except asyncio.CancelledError:
            trail.cut.now()
            await asyncio.wait({whole})
            raise

    async def rehearse(self, tool: str, arguments: str, caller: Caller) -> Action:
        """See Rehearsal."""
        call = ToolCall(self._doors.ids.new("call"), tool, arguments, caller, key="")
        trail = Trail(call, Cut(), self._doors.clock.stopwatch())
        try:
            asked = self._catalog.ask(tool, arguments, caller)
            return await self._writes.rehearsed(trail, asked)
        except Refused as refused:
            kind = "invalid" if refused.why in ("schema", "unknown_tool") else "denied"
            raise ToolFailed(kind, refused.sentence) from refused
        except CutOff as cut:
            raise ToolFailed("timeout", str(cut), retryable=True) from cut

    async def carry_out(self, approval_id: str) -> Outcome:
        """Carry out an approved action, once, for the run that asked for it.

        Raises:
            NotKept: there is no such approval.
        """
        return await self.call(_carrying(await apart(self._doors.approvals.get, approval_id)))

    async def look_after(self, approval_id: str) -> Outcome | None:
        """How an action ended that was begun before; None where it may still be carried out.

        Only for whoever alone has the work of carrying it out: to them, what was begun and has not
        ended was begun by a process that died. It is looked at and "unknown", and never repeated.

        Raises:
            NotKept: there is no such approval.
        """
        approval = await apart(self._doors.approvals.get, approval_id)
        if approval.state != "used":
            return None
        return await Aftermath(self._catalog, self._doors).of(_carrying(approval), approval)

    async def close(self) -> None:
        """Cut off lasting calls, and wait until each is recorded."""
        await self._lasting.close()

    async def _started(self, trail: Trail, whole: "asyncio.Task[Outcome]") -> Outcome:
        moving = asyncio.create_task(trail.moving.wait())
        try:
            await asyncio.wait({whole, moving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            moving.cancel()
            self._lasting.keep(trail, whole)
        if whole.done():
            return whole.result()
        call = trail.call
        said = f"{call.tool} has begun; ask calls.progress with handle {call.id}"
        return Outcome(call.id, "started", said, handle=call.id, approval=call.approval)

    async def _recorded(self, trail: Trail) -> Outcome:
        """How the call ends, and its row in the audit log, whatever happens on the way."""
        call, redact = trail.call, self._doors.finish.redact
        outcome = Outcome(call.id, "failed", "the gateway broke down; see its log", reason="broken")
        try:
            outcome = await self._decided(trail)
        except Refused as refused:
            said = redact(refused.sentence, call.caller.run)
            outcome = Outcome(
                call.id, "denied", said, reason=refused.why, approval=refused.approval
            )
        except (ToolFailed, CutOff) as failed:
            why = failed.kind if isinstance(failed, ToolFailed) else failed.why
            said = redact(str(failed), call.caller.run)
            outcome = Outcome(call.id, "failed", said, reason=why)
        except StoreUnavailable as error:
            outcome = Outcome(
                call.id, "denied", f"{call.tool} is denied since {error}", reason="store"
            )
        except AiopsError as error:
            said = redact(str(error), call.caller.run)
            outcome = Outcome(call.id, "failed", said, reason="failed")
        finally:
            if trail.changing and outcome.status in ("denied", "failed"):
                outcome = replace(outcome, status="unknown")
            outcome = await apart(self._stages.close, trail, outcome)
        return outcome

    async def _decided(self, trail: Trail) -> Outcome:
        call = trail.call
        trail.spec = self._catalog.spec(call.tool)
        asked = self._catalog.ask(call.tool, call.arguments, call.caller)
        trail.where = tuple(str(place) for place in asked.places if str(place))
        if asked.item.spec.effect == "write":
            return await self._writes.decided(trail, asked)
        self._rules.policy.decide(asked.item.spec, asked.places)
        if call.approval is not None:
            raise Refused("approval", f"{call.tool} only reads: it takes no approval")
        return await self._read(trail, asked)

    async def _read(self, trail: Trail, asked: Asked) -> Outcome:
        call, tool = trail.call, asked.item.tool
        assert is_reading(tool)  # noqa: S101 - the catalog lets nothing else say "read"
        earlier = await apart(self._admitted, trail)
        if earlier is not None:
            return replace(earlier, call=call.id)
        trail.moving.set()
        work = tool.read(asked.arguments, self._stages.context(trail))
        result = await trail.cut.run(call.tool, work, asked.item.spec.timeout_s)
        return self._stages.done(trail, asked, result)

    def _admitted(self, trail: Trail) -> Outcome | None:
        """None, or how the first call with this key ended."""
        self._stages.charge(trail, write=False)
        return self._stages.begin(trail)


def _carrying(approval: Approval) -> ToolCall:
    """The one call that carries an approved action out; every process makes the same."""
    return ToolCall(
        id=f"call-of-{approval.id}",
        tool=approval.action.tool,
        arguments=approval.action.arguments,
        caller=Caller(approval.requested_by, "executor", approval.run, approval.incident),
        key=f"approval/{approval.id}",
        approval=approval.id,
        reason=approval.reason,
    )
