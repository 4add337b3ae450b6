"""Specialists at work, and what their answers change."""

from dataclasses import replace

from aiops.agents.crew import Crew
from aiops.agents.evidence import MODALITIES, cited, with_facts
from aiops.agents.nodes.beginning import known_to
from aiops.agents.policies.policy import Question
from aiops.agents.recursion.following import followed, leaning
from aiops.agents.state import RunState, Step
from aiops.model.run import Fact, Shortlist, Specialist
from aiops.model.tool import Caller, Capability, ToolCall

_CAPABILITY: Capability = "probe"
"""Specialists look; only an approved action changes anything."""


def specialist(state: RunState, crew: Crew) -> Step:
    """One specialist's part of a round. Its calls only read, so doing it again changes nothing."""
    found: list[str] = []
    for ref in state["asked"]:
        fact = _asked(crew, _specialist(state), crew.shelf.take(Question, ref))
        if fact is not None:
            found.append(crew.shelf.keep(fact))
    if not state["asked"]:
        _read(state, crew)
    update: RunState = {"facts": found, "calls": len(state["asked"])}
    if _specialist(state) == "past_incidents" and crew.recall is not None:
        update["recalled"] = _recalled(state, crew)
    if _specialist(state) == "traces" and state.get("topology") == "recursive":
        update["trails"] = _followed(state, crew)
    return Step(update, ("reconcile",))


def reconcile(state: RunState, crew: Crew) -> Step:
    """Rank again with what is new, and cite it; the policy says whether to ask on."""
    facts = crew.facts(state)
    new = [fact for fact in facts[state["judged"] :] if fact.status == "done"]
    update: RunState = {"judged": len(facts)}
    before = after = crew.shortlist(state)
    if new:
        collected = crew.collected(state)
        ranked = crew.inquiry.shortlist(with_facts(collected.case, facts))
        # What could not be ranked before the answers came is no failure once it can.
        failed = (*collected.failed, *ranked.failed)
        seconds = (*before.seconds, *ranked.seconds)
        after = Shortlist(cited(ranked.ranking, facts), failed, seconds)
    after = replace(after, ranking=leaning(after.ranking, crew.trails(state)))
    if after != before:
        update["shortlist"] = crew.shelf.keep(after)
    if new:
        crew.tell("reconcile", "finding", f"{len(new)} answers weighed", update.get("shortlist"))
    again = crew.policy.goes_on(before, known_to({**state, **update}, crew))
    return Step(update, ("plan" if again else "guide",))


def _asked(crew: Crew, who: Specialist, question: Question) -> Fact | None:
    if crew.belt is None:
        return None
    key = f"{crew.run}:{question.call}"
    answered = crew.ask(
        crew.belt,
        ToolCall(
            id=key,
            tool=question.tool,
            arguments=question.arguments,
            caller=Caller(who, _CAPABILITY, crew.run, crew.incident),
            key=key,
        ),
    )
    outcome = answered.outcome
    crew.tell("specialist", "call", f"{who}: {question.call}: {outcome.status}")
    return Fact(
        specialist=who,
        call=question.call,
        status=outcome.status,
        summary=outcome.summary,
        text=outcome.content or outcome.summary,
        about=question.about,
        at=answered.at,
        suspicious=outcome.suspicious,
    )


def _recalled(state: RunState, crew: Crew) -> list[str]:
    """The past incidents that looked like this one, as it looks now: their ids."""
    looks = crew.inquiry.report(crew.collected(state).case, crew.shortlist(state))
    found = crew.recollect(looks)
    for one in found:
        told = f"{one.past.incident} looked like this one ({one.likeness:.2f} of 1)"
        crew.tell("specialist", "finding", f"past_incidents: {told}")
    return crew.kept(found)


def _followed(state: RunState, crew: Crew) -> list[str]:
    """Failing requests followed down: ids of where they led; () where they lead nowhere."""
    trail = followed(crew.collected(state).case, crew.shortlist(state).ranking)
    if trail is None:
        return []
    ref = crew.shelf.keep(trail)
    crew.tell("specialist", "finding", f"traces: {'; '.join(trail.actions)}", ref)
    crew.tell("specialist", "finding", f"traces: {trail.evidence[0].claim}", ref)
    return [ref]


def _specialist(state: RunState) -> Specialist:
    name = state["specialist"]
    return next(each for each in MODALITIES if each == name)


def _read(state: RunState, crew: Crew) -> None:
    """What the window says in this modality: the analyzers read it, the specialist tells it."""
    who = _specialist(state)
    for item in crew.shortlist(state).ranking.evidence:
        if item.kind in MODALITIES[who]:
            crew.tell("specialist", "finding", f"{who}: {item.claim}")
