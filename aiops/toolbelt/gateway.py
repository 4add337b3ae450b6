"""The gateway: one call, one decision, one row in the audit log.

Every stage says no where it cannot say yes, also where it breaks. Tools decide nothing about
permission, and the gateway knows no API.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import ParamSpec, TypeVar

from aiops.errors import AiopsError, AlreadyKept, StoreUnavailable, ToolFailed
from aiops.model.alert import Severity
from aiops.model.approval import Action, Approval
from aiops.model.canonical import canonical
from aiops.model.tool import Caller, Outcome, Preview, Stop, ToolCall, ToolResult, ToolSpec
from aiops.ports.tools import Progress, Tool, ToolContext
from aiops.toolbelt import plan
from aiops.toolbelt.approving import Approving
from aiops.toolbelt.budget import Running
from aiops.toolbelt.carrying import Carrying, Ended, Step, stopped_by
from aiops.toolbelt.catalog import Asked, Catalog, is_reading, is_writing
from aiops.toolbelt.cut import Cut, CutOff
from aiops.toolbelt.doors import Doors, Rules
from aiops.toolbelt.freezes import must_not_be_frozen
from aiops.toolbelt.lasting import AskProgress, Lasting
from aiops.toolbelt.places import place_of
from aiops.toolbelt.refusals import Refused
from aiops.toolbelt.trail import Trail, entry, rollback

P = ParamSpec("P")
T = TypeVar("T")


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
        self._approving = Approving(doors.approvals, doors.clock, doors.ids, rules.approval_s)
        self._running = Running()

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
            steps = await self._looked_at(trail, asked)
            return self._action(asked, steps)
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
        approval = await _apart(self._doors.approvals.get, approval_id)
        name = approval.requested_by
        return await self.call(
            ToolCall(
                id=self._doors.ids.new("call"),
                tool=approval.action.tool,
                arguments=approval.action.arguments,
                caller=Caller(name, "executor", approval.run, approval.incident),
                key=f"approval/{approval.id}",
                approval=approval.id,
                reason=approval.reason,
            )
        )

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
            outcome = await _apart(self._close, trail, outcome)
        return outcome

    def _close(self, trail: Trail, outcome: Outcome) -> Outcome:
        """Write down how a call ended; what cannot be written down is not answered."""
        doors, call = self._doors, trail.call
        seconds = doors.clock.stopwatch() - trail.started
        write = trail.spec is not None and trail.spec.effect == "write"
        try:
            doors.audit.append(entry(trail, outcome, seconds, doors.clock, doors.finish))
            if trail.begun:
                doors.ledger.end(call, outcome, seconds)
            if trail.charged:
                doors.ledger.count(call.caller.run, write=write and trail.begun, seconds=seconds)
        except StoreUnavailable as error:
            if outcome.status in ("done", "started") and not write:
                return Outcome(
                    call.id, "failed", f"{call.tool} cannot be recorded: {error}", reason="store"
                )
            return replace(outcome, summary=f"{outcome.summary}\nIt is not recorded: {error}")
        finally:
            if trail.charged:
                self._running.end(call.caller.run, write=trail.charged == "write")
        return outcome

    async def _decided(self, trail: Trail) -> Outcome:
        call = trail.call
        trail.spec = self._catalog.spec(call.tool)
        asked = self._catalog.ask(call.tool, call.arguments, call.caller)
        trail.where = tuple(str(place) for place in asked.places if str(place))
        if asked.item.spec.effect == "write":
            return await self._write(trail, asked)
        self._rules.policy.decide(asked.item.spec, asked.places)
        if call.approval is not None:
            raise Refused("approval", f"{call.tool} only reads: it takes no approval")
        return await self._read(trail, asked)

    async def _read(self, trail: Trail, asked: Asked) -> Outcome:
        call, tool = trail.call, asked.item.tool
        assert is_reading(tool)  # noqa: S101 - the catalog lets nothing else say "read"
        earlier = await _apart(self._admitted_read, trail)
        if earlier is not None:
            return replace(earlier, call=call.id)
        trail.moving.set()
        work = tool.read(asked.arguments, self._context(trail))
        result = await trail.cut.run(call.tool, work, asked.item.spec.timeout_s)
        return self._done(trail, asked, result)

    async def _write(self, trail: Trail, asked: Asked) -> Outcome:
        call = trail.call
        approval = await _apart(self._admitted_write, trail, asked)
        if isinstance(approval, Outcome):
            return replace(approval, call=call.id)
        steps = await self._looked_at(trail, asked)
        action = self._action(asked, steps)
        trail.action_hash = action.hash
        if approval is None:
            return await self._asked_for(trail, action)
        if action.hash != approval.action_hash:
            anew = await _apart(self._approving.supersede, approval, call, action)
            raise Refused(
                "stale",
                f"what approval {approval.id} was given for has changed; {anew.id} asks anew:\n"
                f"{action.preview.diff}",
                approval=anew.id,
            )
        return await self._carried_out(trail, asked, steps, approval, action)

    def _admitted_read(self, trail: Trail) -> Outcome | None:
        """None, or how the first call with this key ended."""
        self._charge(trail, write=False)
        return self._begin(trail)

    def _admitted_write(self, trail: Trail, asked: Asked) -> Approval | Outcome | None:
        """The approval it is made with; or how the first call with this key ended."""
        call = trail.call
        stop = self._doors.switch.state()
        if stop is not None:
            raise Refused("stopped", stopped_by(stop))
        self._charge(trail, write=call.approval is not None)
        if call.approval is None:
            return None
        if self._rules.mode == "shadow":
            raise Refused("shadow", f"{call.tool}: in shadow mode nothing is changed")
        approval = self._approving.own(call, asked.text)
        if approval.state == "used" and (earlier := self._begin(trail)) is not None:
            return earlier
        self._approving.must_be_given(approval)
        return approval

    def _charge(self, trail: Trail, *, write: bool) -> None:
        run, running = trail.call.caller.run, self._running
        spent = running.with_spent(run, self._doors.ledger.spent(run))
        self._rules.budget.check(spent, write=write)
        running.begin(run, write=write)
        trail.charged = "write" if write else "read"

    def _begin(self, trail: Trail) -> Outcome | None:
        call = trail.call
        try:
            earlier = self._doors.ledger.begin(call, self._doors.clock.now())
        except AlreadyKept as error:
            raise Refused("key", f"{error}; a key stands for one call") from error
        trail.begun = earlier is None
        return earlier

    async def _looked_at(self, trail: Trail, asked: Asked) -> tuple[Step, ...]:
        """Every write of the call, by dry run and by every rule; changes nothing."""
        call, rules = trail.call, self._rules
        if self._doors.finish.holds_secret(asked.text):
            raise Refused(
                "secret",
                f"the arguments of {call.tool} hold a secret, which an approval would show: keep "
                "it where secrets are kept, and refer to it",
            )
        severity = await _apart(self._severity, call.caller)
        must_not_be_frozen(rules.freezes, self._doors.clock.now(), severity)
        writes = self._writes(asked, call.caller)
        for write in writes:
            rules.policy.decide(write.item.spec, write.places)
        steps = [Step(write, await self._previewed(trail, write)) for write in writes]
        for step in steps:
            rules.protection.check(step.preview.targets)
            places = [place_of(target) for target in step.preview.targets]
            rules.policy.decide(step.asked.item.spec, places)
        whole = plan.together([step.preview for step in steps])
        trail.where = tuple(str(target) for target in whole.targets)
        rules.radius.check(whole)
        return tuple(steps)

    def _writes(self, asked: Asked, caller: Caller) -> tuple[Asked, ...]:
        if not isinstance(asked.item.tool, plan.Plan):
            return (asked,)
        given = asked.arguments["steps"]
        if len(given) > self._rules.steps:
            raise Refused("plan", f"the plan has {len(given)} steps; {self._rules.steps} may be")
        found = tuple(
            self._catalog.ask(step["tool"], canonical(step["arguments"]), caller) for step in given
        )
        other = next((one.item.spec for one in found if not is_writing(one.item.tool)), None)
        if other is not None:
            raise Refused("plan", f"{other.name} is no step of a plan: only single changes are")
        return found

    async def _previewed(self, trail: Trail, asked: Asked) -> Preview:
        tool = asked.item.tool
        assert is_writing(tool)  # noqa: S101 - _writes lets nothing else through
        work = tool.preview(asked.arguments, self._context(trail))
        name = f"dry run of {asked.item.spec.name}"
        return await trail.cut.run(name, work, asked.item.spec.timeout_s)

    def _action(self, asked: Asked, steps: Sequence[Step]) -> Action:
        """What people see and approve; nothing in it is secret."""
        whole = plan.together([step.preview for step in steps])
        redacted = self._doors.finish.lasting
        shown = replace(
            whole,
            summary=redacted(whole.summary),
            diff=redacted(whole.diff),
            warnings=tuple(redacted(warning) for warning in whole.warnings),
        )
        risk = plan.riskiest([step.asked.item.spec.risk for step in steps])
        return Action(asked.item.spec.name, asked.text, risk, shown)

    async def _asked_for(self, trail: Trail, action: Action) -> Outcome:
        call, mode = trail.call, self._rules.mode
        reason = self._doors.finish.redact(call.reason, call.caller.run)
        approval = await _apart(self._approving.ask_for, call, action, mode, reason)
        if mode == "shadow":
            said = f"shadow mode: nothing was changed; it would have been: {action.preview.summary}"
            return Outcome(call.id, "shadowed", said, reason="shadow", approval=approval.id)
        said = f"waits for approval {approval.id}: {action.preview.summary}"
        return Outcome(call.id, "waits", said, reason="approval", approval=approval.id)

    async def _carried_out(
        self,
        trail: Trail,
        asked: Asked,
        steps: tuple[Step, ...],
        approval: Approval,
        action: Action,
    ) -> Outcome:
        earlier = await _apart(self._begin, trail)
        if earlier is not None:
            return replace(earlier, call=trail.call.id)
        used = await _apart(self._approving.use, approval, action)
        trail.changing = True
        trail.moving.set()
        carrying = Carrying(
            self._catalog, self._context(trail), trail.cut, self._stopped, self._taker(trail)
        )
        ended = await carrying.carry_out(steps)
        trail.changing = False
        outcome = self._ended(trail, asked, ended)
        await _apart(self._approving.note, used, f"{outcome.status}: {outcome.summary}"[:2000])
        return replace(outcome, approval=approval.id)

    def _ended(self, trail: Trail, asked: Asked, ended: Sequence[Ended]) -> Outcome:
        call, last = trail.call, ended[-1]
        redact = self._doors.finish.redact
        if last.status == "done":
            result = last.result if not isinstance(asked.item.tool, plan.Plan) else _of_plan(ended)
            assert result is not None  # noqa: S101 - what is done has one
            return replace(self._done(trail, asked, result), verified=last.verified)
        said = "\n".join(f"{one.step.asked.item.spec.name}: {one.seen}" for one in ended)
        status = last.status
        if any(one.taken_back is False for one in ended):
            status = "failed"
        elif status != "unknown" and any(one.taken_back for one in ended):
            status = "rolled_back"
        return Outcome(
            call.id,
            status,
            redact(said, call.caller.run),
            reason=last.reason,
            verified=last.verified,
        )

    def _done(self, trail: Trail, asked: Asked, result: ToolResult) -> Outcome:
        call, finish = trail.call, self._doors.finish
        asked.item.schemas.check_result(result.content)
        finished = finish.result(call, result)
        unread = tuple(
            replace(one, reason=finish.redact(one.reason, call.caller.run)) for one in result.unread
        )
        return Outcome(
            call.id,
            "done",
            finished.summary,
            content=finished.content,
            unread=unread,
            refs=result.refs,
            blob=finished.blob,
            suspicious=finished.suspicious,
        )

    def _severity(self, caller: Caller) -> Severity | None:
        return None if caller.incident is None else self._doors.severity(caller.incident)

    async def _stopped(self) -> Stop | None:
        return await _apart(self._doors.switch.state)

    def _taker(self, trail: Trail) -> Callable[[Step, str, bool, str], Awaitable[None]]:
        async def taken(step: Step, tool: str, reached: bool, said: str) -> None:
            where = tuple(str(target) for target in step.preview.targets)
            outcome = "done" if reached else "failed: rollback"
            said = self._doors.finish.redact(said, trail.call.caller.run)
            ref = self._doors.ids.new("call")
            row = rollback(trail, tool, where, ref, outcome, said, self._doors.clock)
            await _apart(self._doors.audit.append, row)

        return taken

    def _context(self, trail: Trail) -> ToolContext:
        return ToolContext(trail.call.id, trail.call.key, trail.call.caller, trail.report)


def _of_plan(ended: Sequence[Ended]) -> ToolResult:
    steps = [
        {"tool": one.step.asked.item.spec.name, "status": one.status, "seen": one.seen}
        for one in ended
    ]
    said = "\n".join(
        f"{number}. {one['tool']}: {one['seen']}" for number, one in enumerate(steps, 1)
    )
    return ToolResult(canonical({"steps": steps}), said)


async def _apart(work: Callable[P, T], /, *args: P.args, **more: P.kwargs) -> T:
    """``work``, which asks a database, off the loop that other calls wait on."""
    return await asyncio.to_thread(work, *args, **more)
