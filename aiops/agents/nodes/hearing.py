"""What models said: taken into the state, told to whoever watches, and said in the report."""

from collections.abc import Sequence
from dataclasses import replace
from functools import reduce
from operator import add

from aiops.agents import judging
from aiops.agents.crew import Crew
from aiops.agents.policies.policy import Known
from aiops.agents.state import RunState
from aiops.model.chat import Usage as Tokens
from aiops.model.ranking import Ranking
from aiops.model.report import Report, Usage
from aiops.model.said import Opinion, Said


def heard(said: Sequence[Said], known: Known, crew: Crew) -> RunState:
    """The state's update by what models just said. A budget that left one unasked, or made it
    answer before it had asked what it wanted to, is said."""
    if not said:
        return {}
    update: RunState = {"said": crew.kept(said)}
    for one, ref in zip(said, update["said"], strict=True):
        crew.tell("plan", "answer", _told(one), ref)
    stopped = next((one.stopped for one in said if one.stopped), known.spent)
    if stopped is not None:
        crew.tell("plan", "stopped", f"the budget of {stopped} is spent")
        update["stopped_by"] = stopped
    return update


def judged(ranking: Ranking, said: Sequence[Said]) -> Ranking:
    """The ranking with the models' word in it, and what a reader has to know of how it came."""
    opinion = _opinion(said)
    notes = [f"The model had to answer: {one.hurried}." for one in said if one.hurried]
    if any(one.usage.estimated for one in said):
        notes.append("What the model cost is estimated: its endpoint does not count tokens.")
    ranking = replace(ranking, notes=(*ranking.notes, *notes)) if notes else ranking
    return judging.judged(ranking, opinion) if opinion is not None else ranking


def spoken(report: Report, statistics: Report, ranking: Ranking, said: Sequence[Said]) -> Report:
    """``report`` with the models' opinion beside that of the statistics.

    Args:
        statistics: the report without any model.
        ranking: of the statistics.
    """
    opinion = _opinion(said)
    if opinion is None:
        return report
    words = judging.told(ranking, opinion)
    return replace(report, agreement=replace(statistics.agreement, model=words))


def usage_of(policy: str, said: Sequence[Said], stopped_by: str | None) -> Usage:
    """What the models of a run cost."""
    spent = reduce(add, (one.usage for one in said), Tokens())
    return Usage(
        policy, spent.requests, spent.input_tokens, spent.output_tokens, spent.usd, stopped_by
    )


def _opinion(said: Sequence[Said]) -> Opinion | None:
    return said[-1].opinion if said else None


def _told(said: Said) -> str:
    failed = [f"{step.step} failed: {step.reason}" for step in said.failed]
    if said.opinion is not None:
        name = said.opinion.suspect.name if said.opinion.suspect is not None else "cannot tell"
        because = [claim.text for claim in said.opinion.claims]
        return "; ".join([*failed, f"{said.opinion.model}: {name}", *because])
    return "; ".join([*failed, *(f"wants {call.tool} {call.arguments}" for call in said.calls)])
