"""Proposed actions: asked for, waited for, carried out once, looked at afterwards."""

from dataclasses import replace
from typing import Final

from aiops.agents.crew import Belt, Crew
from aiops.agents.evidence import with_facts
from aiops.agents.proposing.left_to_people import who_decides
from aiops.agents.proposing.tried import Tried, as_others_ended, standing_for
from aiops.agents.state import RunState, Step
from aiops.model.approval import Approval
from aiops.model.run import Deed, Proposal, Shortlist
from aiops.model.tool import Caller, ToolCall

ACTOR = "executor"
NOTHING_KNOWN: Final = "No safe action is known"


def propose(state: RunState, crew: Crew) -> Step:
    """Ask the gateway for what would mend it; it answers with approvals to wait for."""
    if crew.proposer is None or crew.belt is None or crew.belt.approvals is None:
        return Step({}, ("report",))
    case, found = with_facts(crew.collected(state).case, crew.facts(state)), crew.shortlist(state)
    tried = Tried.of(crew.belt.approvals, crew.incident)
    thought_of = crew.proposer(case, crew.inquiry.report(case, found))
    proposals = [each for each in thought_of if not tried.takes_back(each)]
    if not proposals:
        return Step(nothing_known(crew, found), ("report",))
    deeds = [
        tried.told(proposal) or _asked(crew, crew.belt, number, proposal)
        for number, proposal in enumerate(proposals)
    ]
    for deed in deeds:
        crew.tell("propose", "action", f"{deed.proposal.tool}: {deed.status}: {deed.summary}")
    return Step({"deeds": crew.kept(deeds)}, ("approve",))


def approve(state: RunState, crew: Crew) -> Step:
    """Wait until somebody has answered each approval; who may answer is the desk's to say."""
    if crew.belt is None or crew.belt.approvals is None:
        return Step({}, ("report",))
    asked = [deed.approval for deed in crew.deeds(state) if deed.status == "waits"]
    current = [standing_for(crew.belt.approvals, each) for each in asked if each]
    still = [each.id for each in current if each is not None and each.open]
    if still:
        crew.tell("approve", "waits", f"for {', '.join(still)}")
        return Step({}, waits=tuple(still))
    return Step({}, ("execute",))


def execute(state: RunState, crew: Crew) -> Step:
    """Carry out what was approved. Each has one key, so doing it again does nothing more."""
    deeds = crew.deeds(state)
    done = [
        _done(crew, crew.belt, number, deed)
        if crew.belt is not None and deed.status == "waits" and deed.approval
        else deed
        for number, deed in enumerate(deeds)
    ]
    return Step({"deeds": crew.kept(done)}, ("check",))


def check(state: RunState, crew: Crew) -> Step:
    """Tell what the gateway saw after each; it has taken back what did not reach its aim."""
    for deed in crew.deeds(state):
        if deed.reached is not None:
            crew.tell("check", "action", f"{deed.proposal.tool}: {deed.status}: {deed.seen}")
    return Step({}, ("report",))


def _call(crew: Crew, number: int, proposal: Proposal, approval: str | None) -> ToolCall:
    key = f"{crew.run}:action:{number}"
    return ToolCall(
        id=f"{key}:{'apply' if approval else 'ask'}",
        tool=proposal.tool,
        arguments=proposal.arguments,
        caller=Caller(ACTOR, "executor", crew.run, crew.incident),
        key=key,
        approval=approval,
        reason=proposal.reason,
    )


def _asked(crew: Crew, belt: Belt, number: int, proposal: Proposal) -> Deed:
    outcome = crew.ask(belt, _call(crew, number, proposal, None)).outcome
    risk = next((spec.risk for spec in belt.specs if spec.name == proposal.tool), "high")
    deed = Deed(proposal, outcome.status, outcome.summary, risk, outcome.approval)
    if belt.approvals is None or outcome.approval is None:
        return deed
    action = belt.approvals.get(outcome.approval).action
    return replace(deed, risk=action.risk, diff=action.preview.diff)


def nothing_known(crew: Crew, found: Shortlist) -> RunState:
    """The report says that there is nothing to approve, where somebody is accused."""
    first = next(iter(found.ranking.suspects), None)
    if found.ranking.verdict != "root_cause" or first is None:
        return {}
    crew.tell("propose", "action", NOTHING_KNOWN)
    fault = first.fault_types[0][0] if first.fault_types else None
    note = f"{NOTHING_KNOWN} for {first.entity.name}: {who_decides(fault)}."
    ranking = replace(found.ranking, notes=(*found.ranking.notes, note))
    return {"shortlist": crew.shelf.keep(replace(found, ranking=ranking))}


def _done(crew: Crew, belt: Belt, number: int, deed: Deed) -> Deed:
    asked = deed.approval
    approval = standing_for(belt.approvals, asked) if belt.approvals and asked else None
    if approval is None or approval.state not in ("approved", "used"):
        return _not_done(crew, deed, approval)
    if approval.id != asked:  # people have chosen other arguments
        proposal = replace(deed.proposal, arguments=approval.action.arguments)
        diff = approval.action.preview.diff
        deed = replace(deed, proposal=proposal, approval=approval.id, diff=diff)
    if approval.run != crew.run:
        return as_others_ended(deed, approval)
    outcome = crew.ask(belt, _call(crew, number, deed.proposal, approval.id)).outcome
    if outcome.status == "denied" and approval.state == "used":
        return as_others_ended(deed, approval)
    seen = outcome.verified
    return replace(
        deed,
        status=outcome.status,
        summary=outcome.summary,
        reached=seen.reached if seen is not None else None,
        seen=seen.seen if seen is not None else "",
    )


def _not_done(crew: Crew, deed: Deed, approval: Approval | None) -> Deed:
    why = "the approval is gone"
    if approval is not None:
        by = f" by {approval.decided_by}" if approval.decided_by else ""
        because = f": {approval.decision_reason}" if approval.decision_reason else ""
        why = approval.outcome or f"the approval is {approval.state}{by}{because}"
    crew.tell("execute", "action", f"{deed.proposal.tool}: not carried out: {why}")
    return replace(deed, status="denied", summary=f"not carried out: {why}")
