"""Writes: looked at by dry run and by every rule, asked for, and carried out once approved."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from aiops.errors import ToolFailed
from aiops.model.alert import Severity
from aiops.model.approval import Action, Approval
from aiops.model.canonical import canonical
from aiops.model.tool import Caller, Outcome, Preview, Stop, ToolResult, Verified
from aiops.toolbelt import plan
from aiops.toolbelt.approving import Approving
from aiops.toolbelt.carrying import Carrying, Ended, Step, stopped_by
from aiops.toolbelt.catalog import Asked, Catalog, is_writing
from aiops.toolbelt.doors import Doors, Rules
from aiops.toolbelt.freezes import must_not_be_frozen
from aiops.toolbelt.places import place_of
from aiops.toolbelt.refusals import Refused
from aiops.toolbelt.stages import Stages, apart
from aiops.toolbelt.trail import Trail, rollback
from aiops.toolbelt.watching import Watch


class Writes:
    """Nothing here is changed but what a person approved, exactly so."""

    def __init__(self, catalog: Catalog, rules: Rules, doors: Doors, stages: Stages) -> None:
        self._catalog, self._rules, self._doors, self._stages = catalog, rules, doors, stages
        self._approving = Approving(doors.approvals, doors.clock, doors.ids, rules.approval_s)

    async def decided(self, trail: Trail, asked: Asked) -> Outcome:
        """How a write ends; raises what it was refused or failed with."""
        call = trail.call
        approval = await apart(self._admitted_write, trail, asked)
        if isinstance(approval, Outcome):
            return replace(approval, call=call.id)
        steps = await self._looked_at(trail, asked)
        action = self._action(asked, steps)
        trail.action_hash = action.hash
        if approval is None:
            return await self._asked_for(trail, action)
        if action.hash != approval.action_hash:
            anew = await apart(self._approving.supersede, approval, call, action)
            raise Refused(
                "stale",
                f"what approval {approval.id} was given for has changed; {anew.id} asks anew:\n"
                f"{action.preview.diff}",
                approval=anew.id,
            )
        return await self._carried_out(trail, asked, steps, approval, action)

    async def rehearsed(self, trail: Trail, asked: Asked) -> Action:
        """What it would do now; changes nothing and asks nobody."""
        return self._action(asked, await self._looked_at(trail, asked))

    def _admitted_write(self, trail: Trail, asked: Asked) -> Approval | Outcome | None:
        """The approval it is made with; or how the first call with this key ended."""
        call = trail.call
        stop = self._doors.switch.state()
        if stop is not None:
            raise Refused("stopped", stopped_by(stop))
        if call.approval is None:
            self._stages.charge(trail, write=False)
            return None
        if self._rules.mode == "shadow":
            raise Refused("shadow", f"{call.tool}: in shadow mode nothing is changed")
        approval = self._approving.own(call, asked.text)
        if approval.state == "used" and (earlier := self._stages.begin(trail)) is not None:
            return earlier
        self._approving.must_be_given(approval)
        self._stages.charge(trail, write=True)
        return approval

    async def _looked_at(self, trail: Trail, asked: Asked) -> tuple[Step, ...]:
        """Every write of the call, by dry run and by every rule; changes nothing."""
        call, rules = trail.call, self._rules
        if self._doors.finish.holds_secret(asked.text):
            raise Refused(
                "secret",
                f"the arguments of {call.tool} hold a secret, which an approval would show: keep "
                "it where secrets are kept, and refer to it",
            )
        severity = await apart(self._severity, call.caller)
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
        if is_writing(asked.item.tool):
            return (asked,)
        if not isinstance(asked.item.tool, plan.Plan):
            raise Refused("schema", f"{asked.item.spec.name} changes nothing: just call it")
        given = plan.steps_of(asked.arguments)
        if len(given) > self._rules.steps:
            raise Refused("plan", f"the plan has {len(given)} steps; {self._rules.steps} may be")
        found = tuple(self._catalog.ask(tool, arguments, caller) for tool, arguments in given)
        other = next((one.item.spec for one in found if not is_writing(one.item.tool)), None)
        if other is not None:
            raise Refused("plan", f"{other.name} is no step of a plan: only single changes are")
        return found

    async def _previewed(self, trail: Trail, asked: Asked) -> Preview:
        tool = asked.item.tool
        assert is_writing(tool)  # noqa: S101 - _writes lets nothing else through
        work = tool.preview(asked.arguments, self._stages.context(trail))
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
        approval = await apart(self._approving.ask_for, call, action, mode, reason)
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
        earlier = await apart(self._stages.begin, trail)
        if earlier is not None:
            return replace(earlier, call=trail.call.id)
        used = await apart(self._approving.use, approval, action)
        trail.changing = True
        trail.moving.set()
        carrying = Carrying(
            self._catalog,
            self._stages.context(trail),
            trail.cut,
            self._stopped,
            self._taker(trail),
            self._doors.clock.now,
            self._watch(),
        )
        ended = await carrying.carry_out(steps)
        trail.changing = False
        outcome = self._ended(trail, asked, ended)
        await apart(self._approving.note, used, _noted(outcome))
        return replace(outcome, approval=approval.id)

    def _ended(self, trail: Trail, asked: Asked, ended: Sequence[Ended]) -> Outcome:
        call, last = trail.call, ended[-1]
        redact = self._doors.finish.redact
        if last.status == "done":
            return replace(self._told(trail, asked, ended), verified=self._verified(trail, last))
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
            verified=self._verified(trail, last),
        )

    def _verified(self, trail: Trail, last: Ended) -> Verified | None:
        if last.verified is None:
            return None
        seen = self._doors.finish.redact(last.verified.seen, trail.call.caller.run)
        return replace(last.verified, seen=seen)

    def _told(self, trail: Trail, asked: Asked, ended: Sequence[Ended]) -> Outcome:
        """Of what was done; it stays done, whatever its tool says of it."""
        result = ended[-1].result if len(ended) == 1 else None
        if result is None or isinstance(asked.item.tool, plan.Plan):
            result = _of_plan(ended)
        try:
            return self._stages.done(trail, asked, result)
        except ToolFailed as broken:
            seen = self._doors.finish.redact(ended[-1].seen, trail.call.caller.run)
            return Outcome(trail.call.id, "done", f"{seen} ({broken.reason})", reason="invalid")

    def _watch(self) -> Watch | None:
        doors, rules = self._doors, self._rules
        if doors.objectives is None or rules.watch_s <= 0:
            return None
        return Watch(doors.objectives, doors.clock, rules.watch_s, doors.pause, rules.mend_s)

    def _severity(self, caller: Caller) -> Severity | None:
        return None if caller.incident is None else self._doors.severity(caller.incident)

    async def _stopped(self) -> Stop | None:
        return await apart(self._doors.switch.state)

    def _taker(self, trail: Trail) -> Callable[[Step, str, bool, str], Awaitable[None]]:
        async def taken(step: Step, tool: str, reached: bool, said: str) -> None:
            where = tuple(str(target) for target in step.preview.targets)
            outcome = "done" if reached else "failed: rollback"
            said = self._doors.finish.redact(said, trail.call.caller.run)
            ref = self._doors.ids.new("call")
            row = rollback(trail, tool, where, ref, outcome, said, self._doors.clock)
            await apart(self._doors.audit.append, row)

        return taken


def _noted(outcome: Outcome) -> str:
    """For whoever looks at the approval: what was seen, also where the tool's words are others."""
    said = f"{outcome.status}: {outcome.summary}"
    if outcome.status == "done" and outcome.verified is not None:
        said = f"{said}; {outcome.verified.seen}"
    return said[:2000]


def _of_plan(ended: Sequence[Ended]) -> ToolResult:
    steps = [
        {"tool": one.step.asked.item.spec.name, "status": one.status, "seen": one.seen}
        for one in ended
    ]
    said = "\n".join(
        f"{number}. {one['tool']}: {one['seen']}" for number, one in enumerate(steps, 1)
    )
    return ToolResult(canonical({"steps": steps}), said)
