"""From the shortlist to the report: the guide, the last look at the evidence, the words."""

from dataclasses import replace

from aiops.agents.crew import Crew
from aiops.agents.evidence import with_facts
from aiops.agents.memory.weighing import weighed
from aiops.agents.nodes.beginning import known_to
from aiops.agents.nodes.hearing import judged, spoken, usage_of
from aiops.agents.state import RunState, Step
from aiops.agents.trajectory.steps import Proposed
from aiops.model.case import CaseData
from aiops.model.report import FailedStep, ProposedAction, Report, Timings, Verification
from aiops.model.run import Deed, Shortlist


def guide(state: RunState, crew: Crew) -> Step:
    """Walk the troubleshooting guide that matches, where there is one."""
    if crew.guide is None:
        return Step({}, ("verify",))
    case = with_facts(crew.collected(state).case, crew.facts(state))
    return Step(
        {"shortlist": crew.shelf.keep(crew.guide(case, crew.shortlist(state)))}, ("verify",)
    )


def verify(state: RunState, crew: Crew) -> Step:
    """Let the models' word in, and accuse nobody where asking was cut short before it was sure."""
    found, facts, said = crew.shortlist(state), crew.facts(state), crew.said(state)
    # No model is told of memories: a poisoned one could talk to it, and not only nudge.
    ranking, failed = weighed(found.ranking, crew.recalled(state)), found.failed
    stopped = state.get("stopped_by")
    if stopped and not crew.policy.settled(known_to(state, crew)):
        reason = f"stopped by the budget of {stopped}: inconclusive"
        ranking = replace(
            ranking, verdict="inconclusive", notes=(*ranking.notes, f"The asking was {reason}.")
        )
    failed = (*failed, *(FailedStep(f.call, f.summary) for f in facts if f.status != "done"))
    failed = (*failed, *(step for one in said for step in one.failed))
    statistics, ranking = ranking, judged(ranking, said)
    if (ranking, failed) == (found.ranking, found.failed):
        return Step({}, ("propose",))
    update: RunState = {"shortlist": crew.shelf.keep(Shortlist(ranking, failed, found.seconds))}
    if ranking.suspects != statistics.suspects:
        update["ranked"] = crew.shelf.keep(Shortlist(statistics, failed, found.seconds))
    return Step(update, ("propose",))


def report(state: RunState, crew: Crew) -> Step:
    """Write it down, by the same function as ever."""
    began = crew.clock.stopwatch()
    found = crew.shortlist(state)
    case = with_facts(crew.collected(state).case, crew.facts(state))
    written = _spoken(state, crew, case, found)
    deeds = crew.deeds(state)
    if crew.record is not None and crew.proposer is not None and crew.belt is not None:
        crew.record(Proposed(deeds))
    wrote = crew.clock.stopwatch() - began
    steps = (*found.seconds, ("write", wrote))
    whole = replace(
        written,
        actions=tuple(_action(deed) for deed in deeds),
        verification=_verification(deeds, crew),
        timings=Timings(sum(seconds for _, seconds in steps), steps),
        usage=usage_of(crew.policy.name, crew.said(state), state.get("stopped_by")),
    )
    ref = crew.shelf.keep(whole)
    crew.tell("report", "ended", whole.summary, ref)
    return Step({"report": ref}, ("remember",))


def remember(state: RunState, crew: Crew) -> Step:
    """Keep what is worth knowing the next time."""
    if crew.remember is not None:
        crew.remember(crew.shelf.take(Report, state["report"]), crew.deeds(state), crew.run)
    return Step({})


def _spoken(state: RunState, crew: Crew, case: CaseData, found: Shortlist) -> Report:
    """By the same function as ever; where a model changed the order, also without it."""
    statistics = crew.shelf.take(Shortlist, state["ranked"]) if "ranked" in state else found
    written = crew.inquiry.report(case, found)
    alone = crew.inquiry.report(case, statistics) if statistics is not found else written
    return spoken(written, alone, statistics.ranking, crew.said(state))


def _action(deed: Deed) -> ProposedAction:
    return ProposedAction(
        tool=deed.proposal.tool,
        summary=deed.summary,
        risk=deed.risk,
        state=deed.status,
        evidence=deed.proposal.evidence,
        reason=deed.proposal.reason,
        approval=deed.approval,
        diff=deed.diff,
    )


def _verification(deeds: tuple[Deed, ...], crew: Crew) -> Verification | None:
    looked = [deed for deed in deeds if deed.reached is not None]
    if not looked:
        return None
    words = "; ".join(f"{d.proposal.tool}: {d.seen or d.status}" for d in looked)
    worked = all(deed.reached for deed in looked)
    said = "worked" if worked else "did not work"
    return Verification(f"{said}: {words}", crew.clock.now(), worked)
