"""Who may answer an approval, and that what is approved is what was looked at."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from approvals import NOON, Rehearsed, action, approval

from aiops.app.approvals.agreement import agreement
from aiops.app.approvals.calling import Calling, again
from aiops.app.approvals.deciding import Decider, Desk, Terms, Verdict
from aiops.app.approvals.lapsing import lapse
from aiops.app.approvals.refusals import NotAsSeen
from aiops.app.approvals.told import ToldApprovals
from aiops.errors import InvalidInput, NotAllowed, NotDelivered, NotKept, ToolFailed, WrongState
from aiops.events.in_process import InProcessEvents
from aiops.jobs.leased import LeasedJobs
from aiops.model.approval import Approval, Decision
from aiops.model.incident import Incident
from aiops.model.job import ATTEMPTS, FIRST_DELAY
from aiops.store.approvals import MemoryApprovals
from aiops.store.clock import ManualClock
from aiops.store.ids import CountedIds
from aiops.store.inbox import MemoryInbox
from aiops.store.incidents import MemoryIncidents
from aiops.store.jobs import MemoryJobs
from aiops.store.repositories import MemoryAudit

ANA = Decider("ana", "responder")
ROOT = Decider("root", "admin")
EVE = Decider("eve", "viewer")
INCIDENT = Incident("inc-1", "web is slow", "g", "SEV2", "triggered", NOON, NOON)


class Pager:
    """A Summons that keeps whom it called for what."""

    name = "pager"

    def __init__(self) -> None:
        self.called: list[Approval] = []
        self.broken = False

    def summon(self, approval: Approval) -> None:
        """See Summons."""
        if self.broken:
            raise NotDelivered("pager", "no signal; call by hand")
        self.called.append(approval)


class Room:
    """A desk over memory, with an incident, and everything that can be seen from it."""

    def __init__(self, rehearsal: Rehearsed | None = None) -> None:
        self.clock = ManualClock(NOON)
        self.bus = InProcessEvents(self.clock)
        self.incidents = MemoryIncidents(MemoryInbox(), self.bus)
        with self.incidents.work() as work:
            work.put_incident(INCIDENT)
        self.audit, self.pager = MemoryAudit(), Pager()
        self.queue = LeasedJobs(MemoryJobs(self.clock), self.clock, CountedIds())
        kept = MemoryApprovals(self.bus)
        self.kept = ToldApprovals(kept, self.incidents, self.clock, (self.pager,), self.queue)
        self.calling = Calling(self.kept, self.incidents, self.clock, (self.pager,))
        self.desk = Desk(self.kept, self.audit, self.clock, CountedIds(), rehearsal)

    def ask(self, asked: Approval | None = None) -> Approval:
        return self.kept.file(asked or approval("asked"))

    def say(
        self,
        asked: Approval,
        decision: Decision,
        by: Decider = ANA,
        *,
        reason: str = "because",
        stated: str | None = None,
        arguments: str | None = None,
    ) -> Approval:
        verdict = Verdict(decision, stated or asked.action_hash, reason, arguments)
        return asyncio.run(self.desk.decide(by, asked.id, verdict))

    def audited(self) -> list[tuple[str, str, str]]:
        entries = [entry for _, entry in self.audit.entries()]
        return [(e.actor, e.action, e.outcome.partition(":")[0]) for e in entries]

    def timeline(self) -> list[str]:
        return [entry.text for entry in self.incidents.timeline("inc-1")]


def unchanged() -> Rehearsed:
    return Rehearsed(lambda arguments: replace(action(), arguments=arguments))


def test_an_approval_can_be_used_for_a_while_and_is_in_the_timeline_and_the_audit() -> None:
    room = Room(unchanged())
    answered = room.say(room.ask(), "approve", reason="")
    assert (answered.state, answered.decided_by) == ("approved", "ana")
    assert answered.expires_at == NOON + Terms().usable
    assert room.kept.get("asked") == answered
    assert room.timeline()[-1].startswith("Approved by ana")
    assert room.audited() == [("ana", "approval.approve", "done")]


@pytest.mark.parametrize("decision", ["approve", "modify", "reject", "escalate"])
def test_a_viewer_decides_nothing(decision: Decision) -> None:
    room = Room(unchanged())
    asked = room.ask()
    with pytest.raises(NotAllowed, match="viewer"):
        room.say(asked, decision, EVE)
    assert room.kept.get(asked.id) == asked
    assert room.audited() == [("eve", f"approval.{decision}", "refused")]


@pytest.mark.parametrize("name", ["investigator", "Investigator", " INVESTIGATOR "])
def test_who_requested_an_action_cannot_approve_it_in_any_spelling(name: str) -> None:
    room = Room(unchanged())
    with pytest.raises(NotAllowed, match="somebody else"):
        room.say(room.ask(), "approve", Decider(name, "admin"))


def test_high_risk_needs_an_admin_whatever_the_approval_says() -> None:
    room = Room(Rehearsed(lambda _: action(risk="high")))
    asked = room.ask(replace(approval("asked", action(risk="high")), needed_role="responder"))
    with pytest.raises(NotAllowed, match="admin"):
        room.say(asked, "approve")
    assert room.say(asked, "approve", ROOT).state == "approved"


def test_a_risk_that_has_grown_since_needs_an_admin() -> None:
    room = Room(Rehearsed(lambda _: action(risk="high")))
    with pytest.raises(NotAllowed, match="admin"):
        room.say(room.ask(), "approve")


def test_a_responder_may_reject_what_only_an_admin_may_approve() -> None:
    room = Room()
    asked = room.ask(approval("asked", action(risk="high")))
    assert room.say(asked, "reject").state == "rejected"


def test_another_hash_than_the_one_asked_about_is_refused_with_what_to_look_at() -> None:
    room = Room(unchanged())
    asked = room.ask()
    with pytest.raises(NotAsSeen) as refused:
        room.say(asked, "approve", stated="0" * 64)
    assert refused.value.current == asked
    assert room.kept.get(asked.id).state == "pending"


def test_an_action_whose_object_drifted_is_asked_about_anew() -> None:
    room = Room(Rehearsed(lambda _: action(was=4)))
    asked = room.ask()
    with pytest.raises(NotAsSeen, match="something else by now") as refused:
        room.say(asked, "approve")
    new = refused.value.current
    assert (new.state, new.requested_by) == ("pending", "investigator")
    assert "-  replicas: 4" in new.action.preview.diff
    assert new.action_hash == new.action.hash != asked.action_hash
    old = room.kept.get(asked.id)
    assert (old.state, old.superseded_by) == ("superseded", new.id)
    with pytest.raises(NotAsSeen) as late:
        room.say(asked, "approve")
    assert late.value.current.id == new.id


def test_an_action_that_cannot_be_done_now_is_not_approved() -> None:
    room = Room(Rehearsed(ToolFailed("not_found", "Deployment shop/web is gone; nothing to scale")))
    asked = room.ask()
    with pytest.raises(ToolFailed, match="gone"):
        room.say(asked, "approve")
    assert room.kept.get(asked.id) == asked
    assert room.audited()[-1] == ("ana", "approval.approve", "refused")


def test_other_arguments_are_looked_at_and_asked_about_in_the_modifiers_name() -> None:
    room = Room(Rehearsed(lambda arguments: replace(action(4), arguments=arguments)))
    asked = room.ask()
    new = room.say(asked, "modify", arguments='{"replicas":4}', reason="5 is too many")
    assert (new.state, new.requested_by) == ("pending", "ana")
    assert new.action.arguments == '{"replicas":4}'
    assert room.kept.get(asked.id).superseded_by == new.id
    with pytest.raises(NotAllowed, match="somebody else"):
        room.say(new, "approve")
    assert room.kept.get(new.id).state == "pending"


def test_arguments_that_change_nothing_are_no_modification() -> None:
    room = Room(unchanged())
    asked = room.ask()
    with pytest.raises(InvalidInput, match="approve it"):
        room.say(asked, "modify", arguments=asked.action.arguments)


def test_without_a_tool_at_hand_nothing_is_modified() -> None:
    room = Room()
    with pytest.raises(InvalidInput, match="no tool"):
        room.say(room.ask(), "modify", arguments="{}")


@pytest.mark.parametrize("decision", ["reject", "escalate", "modify"])
def test_all_but_an_approval_need_a_reason(decision: Decision) -> None:
    room = Room(unchanged())
    with pytest.raises(InvalidInput, match="reason"):
        room.say(room.ask(), decision, reason="  ", arguments="{}")


def test_an_escalated_approval_waits_anew_for_an_admin() -> None:
    room = Room(unchanged())
    asked = room.ask()
    room.clock.advance(timedelta(minutes=10).total_seconds())
    escalated = room.say(asked, "escalate", reason="not my system")
    assert escalated.expires_at == NOON + timedelta(minutes=10) + Terms().answer
    with pytest.raises(WrongState, match="already"):
        room.say(escalated, "escalate")
    with pytest.raises(NotAllowed, match="escalated"):
        room.say(escalated, "approve")
    assert room.say(escalated, "approve", ROOT).state == "approved"
    assert [each.state for each in room.pager.called] == ["pending", "escalated"]


@pytest.mark.parametrize("state", ["approved", "rejected", "expired", "used"])
def test_what_is_decided_is_not_decided_again(state: str) -> None:
    room = Room(unchanged())
    asked = room.ask()
    room.kept.swap(asked, replace(asked, state=state))  # type: ignore[arg-type]
    with pytest.raises(NotAsSeen, match=state):
        room.say(asked, "approve", ROOT)


def test_an_approval_that_nobody_filed_is_named() -> None:
    with pytest.raises(NotKept, match="asked"):
        Room().say(approval("asked"), "approve")


def test_a_late_approval_is_refused_and_a_late_refusal_is_not() -> None:
    room = Room(unchanged())
    asked = room.ask()
    room.clock.advance(timedelta(minutes=15).total_seconds())
    with pytest.raises(NotAsSeen, match="was to be answered"):
        room.say(asked, "approve")
    assert room.say(asked, "reject").state == "rejected"


def test_an_unanswered_approval_goes_to_an_admin_and_then_lapses() -> None:
    room = Room()
    asked = room.ask()
    assert lapse(room.desk) == ()
    room.clock.advance(timedelta(minutes=15).total_seconds())
    (escalated,) = lapse(room.desk)
    assert (escalated.state, escalated.needed_role) == ("escalated", "admin")
    assert lapse(room.desk) == ()
    room.clock.advance(Terms().answer.total_seconds())
    assert [each.state for each in lapse(room.desk)] == ["expired"]
    assert room.kept.get(asked.id).state == "expired"
    assert room.timeline()[-2:] == [
        "Nobody answered in time, an admin is asked: Scale Deployment shop/web from 3 to 5",
        "Lapsed, nothing was done: Scale Deployment shop/web from 3 to 5",
    ]
    assert [action for _, action, _ in room.audited()] == ["approval.escalate", "approval.expire"]


def test_an_approval_that_nobody_used_in_time_lapses() -> None:
    room = Room(unchanged())
    room.say(room.ask(), "approve")
    room.clock.advance(Terms().usable.total_seconds())
    assert [each.state for each in lapse(room.desk)] == ["expired"]


def test_a_pager_that_is_broken_stops_nothing_and_is_in_the_timeline() -> None:
    room = Room(unchanged())
    room.pager.broken = True
    asked = room.ask()
    assert "no signal" in room.timeline()[-1]
    assert room.say(asked, "approve").state == "approved"


def test_whom_a_broken_pager_did_not_reach_is_called_once_it_works() -> None:
    room = Room(unchanged())
    room.pager.broken = True
    asked = room.ask()
    assert room.queue.backlog().due == 0
    room.clock.advance(FIRST_DELAY.total_seconds())
    assert room.queue.backlog().due == 1
    job = again(asked, "pager", room.clock.now())
    with pytest.raises(NotDelivered):
        room.calling(job)
    room.pager.broken = False
    room.calling(job)
    assert [each.id for each in room.pager.called] == ["asked"]
    assert "Called for approval asked by pager after all" in room.timeline()[-1]


def test_nobody_is_called_again_to_what_is_decided_forgotten_or_asked_otherwise() -> None:
    room = Room(unchanged())
    asked = room.ask()
    jobs = [
        again(asked, "pager", room.clock.now()),
        again(asked, "a pager of yesterday", room.clock.now()),
        again(replace(asked, id="forgotten"), "pager", room.clock.now()),
    ]
    room.say(asked, "escalate")
    called = len(room.pager.called)
    for job in jobs:
        room.calling(job)
    assert len(room.pager.called) == called


def test_a_pager_that_stays_broken_is_given_up_and_the_timeline_says_so() -> None:
    room = Room(unchanged())
    room.pager.broken = True
    asked = room.ask()
    last = replace(again(asked, "pager", room.clock.now()), attempt=ATTEMPTS)
    with pytest.raises(NotDelivered):
        room.calling(last)
    assert "no further try is made" in room.timeline()[-1]


def test_an_incident_that_was_forgotten_keeps_nobody_from_deciding() -> None:
    room = Room(unchanged())
    asked = room.ask(replace(approval("asked"), incident="inc-gone"))
    assert room.say(asked, "approve").state == "approved"


# ---- shadow mode


def test_verdicts_on_shadowed_actions_are_a_score_and_call_nobody() -> None:
    room = Room(Rehearsed(ToolFailed("failed", "not looked at in shadow mode")))
    asked = [room.ask(replace(approval(f"s-{n}"), mode="shadow", run=f"run-{n}")) for n in range(5)]
    assert agreement(room.kept).share is None
    for each, decision in zip(asked, ("approve", "approve", "reject"), strict=False):
        room.say(each, decision)  # type: ignore[arg-type]
    room.clock.advance(timedelta(days=1).total_seconds())
    assert [each.state for each in lapse(room.desk)] == ["expired", "expired"]
    score = agreement(room.kept)
    assert (score.agreed, score.judged, score.waiting, score.lapsed) == (2, 3, 0, 2)
    assert score.share == pytest.approx(2 / 3)
    assert room.pager.called == []


def test_a_shadowed_action_is_not_modified() -> None:
    room = Room(unchanged())
    with pytest.raises(InvalidInput, match="shadow"):
        room.say(room.ask(replace(approval("s"), mode="shadow")), "modify", arguments="{}")
