"""From the alert to the first list of suspects, and the plan of each round."""

from aiops.agents.crew import Crew
from aiops.agents.evidence import with_facts
from aiops.agents.nodes.hearing import heard
from aiops.agents.policies.policy import Known, Task
from aiops.agents.state import Branch, RunState, Step
from aiops.agents.trajectory.fingerprint import fingerprint
from aiops.agents.trajectory.steps import Begun
from aiops.model.run import Shortlist


def intake(state: RunState, crew: Crew) -> Step:
    """Collect the telemetry as of one moment, which is the same for whoever takes the run up."""
    at = state.get("at") or crew.clock.now().isoformat()
    begun: RunState = {"run": crew.run, "at": at, "turn": 0, "judged": 0}
    collected = crew.collected({**state, **begun})
    window = collected.case.window
    if crew.record is not None:
        crew.record(_begun({**state, **begun}, crew))
    crew.tell("intake", "begun", f"{collected.case.id}: {window.start} to {window.end}")
    return Step(begun, ("shortlist",))


def shortlist(state: RunState, crew: Crew) -> Step:
    """Rank and explain, by the analyzers."""
    collected = crew.collected(state)
    ranked = crew.inquiry.shortlist(collected.case)
    ref = crew.shelf.keep(
        Shortlist(
            ranked.ranking,
            (*collected.failed, *ranked.failed),
            (*collected.seconds, *ranked.seconds),
        )
    )
    first = [suspect.entity.name for suspect in ranked.ranking.entities()[:3]]
    crew.tell(
        "shortlist", "finding", f"{ranked.ranking.verdict}: {', '.join(first) or 'nobody'}", ref
    )
    return Step({"shortlist": ref}, ("plan",))


def plan(state: RunState, crew: Crew) -> Step:
    """Send the specialists that the policy asks for, as far as the budget goes."""
    known = known_to(state, crew)
    made = crew.policy.plan(known)
    update = heard(made.said, known, crew)
    if not made.tasks:
        return Step(update, ("plan" if made.unfinished else "guide",))
    if known.spent is not None and any(task.questions for task in made.tasks):
        crew.tell("plan", "stopped", f"the budget of {known.spent} is spent")
        return Step({**update, "stopped_by": known.spent}, ("guide",))
    crew.tell("plan", "plan", f"{made.topology}: {'; '.join(_told(t) for t in made.tasks)}")
    left = crew.budget.calls - state.get("calls", 0)
    branches, cut = [], False
    for task in made.tasks:
        questions = task.questions[:left]
        left -= len(questions)
        cut = cut or len(questions) < len(task.questions)
        own: RunState = {
            **state,
            "specialist": task.specialist,
            "asked": crew.kept(questions),
            "topology": made.topology,
        }
        branches.append(Branch("specialist", own))
    update["turn"] = state["turn"] + 1
    if cut:
        update["stopped_by"] = f"{crew.budget.calls} tool calls"
    return Step(update, tuple(branches))


def _begun(state: RunState, crew: Crew) -> Begun:
    return Begun(
        run=crew.run,
        policy=crew.policy.name,
        at=crew.started(state),
        case=fingerprint(crew.collected(state).case),
        tools=crew.belt.specs if crew.belt is not None else (),
        incident=crew.incident,
    )


def known_to(state: RunState, crew: Crew) -> Known:
    """What the policy decides by."""
    facts = crew.facts(state)
    return Known(
        case=with_facts(crew.collected(state).case, facts),
        shortlist=crew.shortlist(state),
        tools=crew.belt.specs if crew.belt is not None else (),
        facts=facts,
        incident=crew.incident,
        turn=state["turn"],
        said=crew.said(state),
        spent=_spent(state, crew),
        remembers=crew.recall is not None,
    )


def _spent(state: RunState, crew: Crew) -> str | None:
    """The budget that leaves no room for another round of questions."""
    budget, now = crew.budget, crew.clock.now()
    from_start = (now - crew.started(state)).total_seconds()
    return (
        (f"{budget.calls} tool calls" if state.get("calls", 0) >= budget.calls else None)
        or (f"{budget.turns} rounds" if state["turn"] >= budget.turns else None)
        or (f"{budget.seconds:g} seconds" if from_start >= budget.seconds else None)
    )


def _told(task: Task) -> str:
    asks = ", ".join(dict.fromkeys(question.tool for question in task.questions))
    return f"{task.specialist} asks {asks}" if asks else f"{task.specialist} reads the window"
