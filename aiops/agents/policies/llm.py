"""The policy "llm": the expert system first, and language models where it cannot settle a question.

The rounds of the deterministic policy are held as ever. Where its shortlist is still open, a model
asks tools of its own choice, one answer a round, and ends with an opinion, which stands beside the
statistics (see ``agents.judging``). Once all models have failed, the run is deterministic to its
end.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from aiops.agents.policies.counsel import Counsel
from aiops.agents.policies.deterministic import Deterministic, specialist_for
from aiops.agents.policies.named import LLM
from aiops.agents.policies.policy import Known, Plan, Policy, Question, Task
from aiops.model.canonical import parsed, texts_in
from aiops.model.chat import AskedCall
from aiops.model.run import Shortlist, Specialist

AT_ONCE: Final = 6
"""Calls of one answer that are made; what else it wants, it may ask for in the next."""


@dataclass(frozen=True, slots=True)
class LanguageModels:
    """A Policy for one run.

    Attributes:
        always: whether models are asked also where the statistics are sure.
        first: whose rounds are held before any model is asked.
    """

    counsel: Counsel
    always: bool = False
    first: Policy = field(default_factory=Deterministic)
    name: str = LLM

    def settled(self, known: Known) -> bool:
        """As without models: what they say makes nothing surer."""
        return self.first.settled(known)

    def goes_on(self, before: Shortlist, known: Known) -> bool:
        """Where the expert system would, and until a model has had its last word."""
        return self._open(known) or self.first.goes_on(before, known)

    def plan(self, known: Known) -> Plan:
        """What the expert system asks; when that is done, what a model does."""
        own = self.first.plan(known)
        too_much = known.spent is not None and any(task.questions for task in own.tasks)
        if (own.tasks and not too_much) or not self._open(known):
            return own
        said = self.counsel.next(known)
        return Plan(tuple(_tasks(said.calls, known)), (said,))

    def _open(self, known: Known) -> bool:
        """Whether there is something to ask a model, and it has not had its last word."""
        ranking, over = known.shortlist.ranking, bool(known.said) and not known.said[-1].calls
        worth = self.always or not self.settled(known)
        return worth and not over and bool(ranking.suspects and ranking.evidence)


def _tasks(calls: Sequence[AskedCall], known: Known) -> Iterator[Task]:
    """What was not asked before, by whose tools they are."""
    answered = {fact.call for fact in known.facts}
    by: dict[Specialist, dict[str, Question]] = {}
    for call in calls:
        question = Question(call.tool, call.arguments, _about(call, known))
        if question.call not in answered and sum(map(len, by.values())) < AT_ONCE:
            by.setdefault(specialist_for(call.tool), {})[question.call] = question
    for specialist, questions in by.items():
        yield Task(specialist, tuple(questions.values()))


def _about(call: AskedCall, known: Known) -> str:
    """The suspect that its arguments name; "" where they name none."""
    named = set(texts_in(parsed(call.arguments)))
    for suspect in known.shortlist.ranking.entities():
        if named & {suspect.entity.service_name, suspect.entity.name}:
            return suspect.entity.service_name
    return ""
