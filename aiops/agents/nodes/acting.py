"""Proposed actions: asked for, waited for, carried out once, looked at afterwards."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from aiops.agents.crew import Belt, Crew
from aiops.agents.evidence import with_facts
from aiops.agents.state import RunState, Step
from aiops.model.approval import Approval
from aiops.model.run import Deed, Proposal
from aiops.model.tool import Caller, OutcomeStatus, ToolCall

ACTOR = "executor"
_ENDS: Final[tuple[OutcomeStatus, ...]] = ("done", "failed", "rolled_back", "unknown")
_REACHED: Final[Mapping[OutcomeStatus, bool]] = {"done": True, "rolled_back": False}


def propose(state: RunState, crew: Crew) -> Step:
    """Ask the gateway for what would mend it; it answers with approvals to wait for."""
    if crew.proposer is None or crew.belt is None or crew.belt.approvals is None:
        return Step({}, ("report",))
    case = with_facts(crew.collected(state).case, crew.facts(state))
    proposals = crew.proposer(case, crew.shortlist(state))
    deeds = [_asked(crew, crew.belt, number, each) for number, each in enumerate(proposals)]
    for deed in deeds:
        crew.tell("propose", "action", f"{deed.proposal.tool}: {deed.status}: {deed.summary}")
    return Step({"deeds": crew.kept(deeds)}, ("approve",))


def approve(state: RunState, crew: Crew) -> Step:
    """Wait until somebody has answered each approval; who may answer is the desk's to say."""
    if crew.belt is None or crew.belt.approvals is None:
        return Step({}, ("report",))
    asked = [deed.approval for deed in crew.deeds(state) if deed.status == "waits"]
    still = [each for each in asked if each and crew.belt.approvals.get(each).open]
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
    outcome = belt.ask(_call(crew, number, proposal, None))
    risk = next((spec.risk for spec in belt.specs if spec.name == proposal.tool), "high")
    return Deed(proposal, outcome.status, outcome.summary, risk, outcome.approval)


def _done(crew: Crew, belt: Belt, number: int, deed: Deed) -> Deed:
    approval = belt.approvals.get(deed.approval) if belt.approvals and deed.approval else None
    if approval is None or approval.state not in ("approved", "used"):
        state = approval.state if approval is not None else "gone"
        crew.tell("execute", "action", f"{deed.proposal.tool}: not carried out: it is {state}")
        return replace(deed, status="denied", summary=f"not carried out: the approval is {state}")
    outcome = belt.ask(_call(crew, number, deed.proposal, approval.id))
    if outcome.status == "denied" and approval.state == "used":
        return _done_by_others(deed, approval)
    seen = outcome.verified
    return replace(
        deed,
        status=outcome.status,
        summary=outcome.summary,
        reached=seen.reached if seen is not None else None,
        seen=seen.seen if seen is not None else "",
    )


def _done_by_others(deed: Deed, approval: Approval) -> Deed:
    """A worker carried it out while the run waited: how that ended stands in the approval."""
    said = approval.outcome or "its end is not known; look at the object"
    ends = (each for each in _ENDS if said.startswith(f"{each}: "))
    status: OutcomeStatus = next(ends, "unknown")
    return replace(deed, status=status, summary=said, reached=_REACHED.get(status), seen=said)
