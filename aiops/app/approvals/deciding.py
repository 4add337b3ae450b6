"""The one way to answer an approval, whichever door the answer comes through.

What is answered is the action that was shown: whoever decides states its hash, and an approval of
something that would be done differently by now is refused, with the new one to look at instead.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from aiops.app.approvals.carrying_out import job_of
from aiops.app.approvals.refusals import NotAsSeen, allowed, as_seen, role_reached
from aiops.app.incidents.acts import words
from aiops.errors import AiopsError, InvalidInput, NotKept, StoreUnavailable, WrongState
from aiops.model.access import Role
from aiops.model.approval import Action, Approval, Decision
from aiops.model.canonical import canonical
from aiops.model.investigation import AuditEntry
from aiops.model.tool import Caller
from aiops.ports.approvals import ApprovalStore, Rehearsal
from aiops.ports.clock import Clock
from aiops.ports.ids import Ids
from aiops.ports.jobs import JobQueue
from aiops.ports.repositories import AuditLog


@dataclass(frozen=True, slots=True)
class Decider:
    """A person who answers; their role is what their token says, never what they say."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer.

    Attributes:
        action_hash: of the action that was looked at, 64 hex digits.
        reason: needed for all but an approval.
        arguments: canonical JSON of an object, with "modify" only.
    """

    decision: Decision
    action_hash: str
    reason: str = ""
    arguments: str | None = None


@dataclass(frozen=True, slots=True)
class Terms:
    """How long things hold.

    Attributes:
        answer: until an unanswered approval is escalated, and from then until it lapses.
        usable: from an approval until it can no longer be carried out.
    """

    answer: timedelta = timedelta(minutes=15)
    usable: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Desk:
    """Where approvals are decided.

    Attributes:
        rehearsal: looks at the action again before it is approved; None where no tool is at hand:
            then the gateway alone does so, before it carries it out.
        queue: takes what is approved, for a worker to carry it out.
    """

    approvals: ApprovalStore
    audit: AuditLog
    clock: Clock
    ids: Ids
    rehearsal: Rehearsal | None = None
    terms: Terms = Terms()
    queue: JobQueue | None = None

    async def decide(self, by: Decider, approval_id: str, verdict: Verdict) -> Approval:
        """Write an answer down; the approval as it is then, with "modify" the new one.

        Raises:
            NotKept: there is no such approval.
            NotAllowed: not with this role, or not by who requested it.
            NotAsSeen: it is another action by now, or decided; carries the approval to look at.
            InvalidInput: no reason, or arguments that cannot be used.
            ToolFailed: the action could not be carried out now, so it cannot be approved.
        """
        asked = await asyncio.to_thread(self.approvals.get, approval_id)
        try:
            answered = await self._decided(by, asked, verdict)
        except AiopsError as refusal:
            await self._note(by, asked, verdict, f"refused: {refusal}")
            raise
        await self._note(by, asked, verdict, "done")
        return answered

    async def _decided(self, by: Decider, asked: Approval, verdict: Verdict) -> Approval:
        now = self.clock.now()
        allowed(by.name, by.role, asked, verdict.decision)
        await asyncio.to_thread(self._must_be_as_seen, asked, verdict, now)
        reason = verdict.reason.strip()
        if reason or verdict.decision != "approve":
            reason = words(reason, f"a reason to {verdict.decision}")
        answered = replace(asked, decided_by=by.name, decided_at=now, decision_reason=reason)
        match verdict.decision:
            case "approve":
                return await self._approved(by, asked, answered)
            case "modify":
                return await self._modified(by, asked, answered, verdict.arguments)
            case "reject":
                return await asyncio.to_thread(
                    self._swapped, asked, replace(answered, state="rejected")
                )
            case "escalate":
                return await asyncio.to_thread(self._swapped, asked, self.escalated(answered, now))

    def escalated(self, approval: Approval, now: datetime) -> Approval:
        """As it is once others are asked; raises WrongState where they have been."""
        if approval.state == "escalated":
            raise WrongState(f"approval {approval.id}", "is escalated already; an admin decides")
        return replace(
            approval,
            state="escalated",
            needed_role="admin",
            expires_at=now + self.terms.answer,
        )

    async def _approved(self, by: Decider, asked: Approval, answered: Approval) -> Approval:
        if asked.mode == "shadow":  # never carried out, so what it would do now is no matter
            return await asyncio.to_thread(
                self._swapped, asked, replace(answered, state="approved")
            )
        if self.rehearsal is not None:
            fresh = await self._rehearsed(self.rehearsal, asked, asked.action.arguments)
            if fresh.hash != asked.action_hash:
                drifted = replace(answered, decision_reason="what it would do has changed")
                new = await asyncio.to_thread(self._replaced, drifted, fresh, asked.requested_by)
                raise NotAsSeen(
                    asked,
                    f"would do something else by now; look at {new.id}, which stands in its place",
                    new,
                )
            role_reached(by.name, by.role, asked, fresh.risk)
        usable = replace(
            answered, state="approved", expires_at=self.clock.now() + self.terms.usable
        )
        approved = await asyncio.to_thread(self._swapped, asked, usable)
        return await asyncio.to_thread(self._ordered, approved)

    def _ordered(self, approved: Approval) -> Approval:
        """Hand it to the workers; where that fails, the service's next round does it."""
        job = job_of(approved, self.clock.now())
        if self.queue is not None and job is not None:
            with suppress(StoreUnavailable):
                self.queue.put(job)
        return approved

    async def _modified(
        self, by: Decider, asked: Approval, answered: Approval, arguments: str | None
    ) -> Approval:
        if arguments is None:
            raise InvalidInput("arguments: say with which arguments it is to be done instead")
        if asked.mode == "shadow":
            raise InvalidInput(
                "an action in shadow mode is not carried out, so not modified either: reject it, "
                "and say in the reason what you would have done"
            )
        if self.rehearsal is None:
            raise InvalidInput(
                "there is no tool here to see what other arguments would do; configure one in "
                "[tools.NAME], or modify it through the service's API"
            )
        action = await self._rehearsed(self.rehearsal, asked, arguments)
        if action.hash == asked.action_hash:
            raise InvalidInput("arguments: they would do what is asked for already; approve it")
        # Whoever chose the arguments is who asks now, and somebody else has to approve.
        return await asyncio.to_thread(self._replaced, answered, action, by.name)

    async def _rehearsed(self, rehearsal: Rehearsal, asked: Approval, arguments: str) -> Action:
        caller = Caller(asked.requested_by, "executor", asked.run, asked.incident)
        return await rehearsal.rehearse(asked.action.tool, arguments, caller)

    def _must_be_as_seen(self, asked: Approval, verdict: Verdict, now: datetime) -> None:
        as_seen(asked, self._current(asked), verdict.decision, verdict.action_hash, now)

    def _current(self, approval: Approval) -> Approval:
        """What stands in its place; itself, where nothing does."""
        with suppress(NotKept):
            while approval.state == "superseded" and approval.superseded_by is not None:
                approval = self.approvals.get(approval.superseded_by)
        return approval

    def _replaced(self, answered: Approval, action: Action, requested_by: str) -> Approval:
        """Ask for another action in the place of one; raises NotAsSeen."""
        now, new_id = self.clock.now(), self.ids.new("apr")
        new = self.approvals.file(
            Approval(
                id=new_id,
                action=action,
                action_hash=action.hash,
                state="pending",
                mode=answered.mode,
                reason=answered.reason,
                requested_by=requested_by,
                run=answered.run,
                incident=answered.incident,
                requested_at=now,
                expires_at=now + self.terms.answer,
                needed_role="admin" if action.risk == "high" else answered.needed_role,
            )
        )
        superseded = replace(answered, state="superseded", superseded_by=new.id)
        try:
            self._swapped(answered, superseded)
        except NotAsSeen:
            if new.id == new_id:  # nobody asked for it: the old one was decided meanwhile
                self.approvals.swap(
                    new, replace(new, state="superseded", superseded_by=answered.id)
                )
            raise
        return new

    def _swapped(self, was: Approval, to: Approval) -> Approval:
        """``to``, as kept; raises NotAsSeen where somebody else was first."""
        if self.approvals.swap(was, to):
            return replace(to, revision=was.revision + 1)
        now = self.approvals.get(was.id)
        by = f" by {now.decided_by}" if now.decided_by else ""
        raise NotAsSeen(was, f"was decided meanwhile: it is {now.state}{by}", self._current(now))

    async def _note(self, by: Decider, asked: Approval, verdict: Verdict, outcome: str) -> None:
        entry = AuditEntry(
            at=self.clock.now(),
            actor=by.name,
            action=f"approval.{verdict.decision}",
            target=", ".join(str(target) for target in asked.action.preview.targets),
            outcome=outcome,
            ref=asked.id,
            detail=canonical(
                {
                    "action_hash": asked.action_hash,
                    "incident": asked.incident,
                    "mode": asked.mode,
                    "reason": verdict.reason,
                    "role": by.role,
                    "run": asked.run,
                    "stated_hash": verdict.action_hash,
                    "tool": asked.action.tool,
                }
            ),
        )
        await asyncio.to_thread(self.audit.append, entry)
