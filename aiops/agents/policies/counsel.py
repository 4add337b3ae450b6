"""One question to the language models of a run: what they want to know, or their verdict.

A conversation with tools is asked answer by answer (ReAct, Yao et al., ICLR 2023), and ended by
``Turns``. The small model is asked first; the large one only where that gave no answer that can be
used, or is of another opinion than statistics that hardly decide.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from operator import add
from typing import Final

from aiops.agents.judging import agrees, followed, hardly_decides
from aiops.agents.policies.conversation import conversation
from aiops.agents.policies.numbers_alone import numbers_alone
from aiops.agents.policies.offering import Fitting, as_listed, cost, offered
from aiops.agents.policies.policy import Known
from aiops.agents.policies.verdict import MadeUp, opinion_of, schema
from aiops.agents.policies.verdict import offered as numbered
from aiops.agents.turns import Turns, TurnsSpent
from aiops.model.chat import Answer, ChatQuestion, Limits, OfferedTool, Structured, ToolCalls, Usage
from aiops.model.ranking import Ranking
from aiops.model.report import FailedStep
from aiops.model.said import Opinion, Said
from aiops.ports.chat_model import (
    BudgetSpent,
    ChatLadder,
    Climbed,
    ContextTooLong,
    ModelFailed,
    OnToken,
)

Ladders = Callable[[Usage], ChatLadder]
"""The models of a run that has spent that much on them before."""
TURNS: Final = 8
"""Answers with calls in one run: the longest expert path of the published benchmarks has nine
calls, and an answer may hold several. After them the verdict is asked for."""
SHORTENED: Final = 0.5
"""Of what fits, for a conversation that was too long: tokens are counted by a rule of thumb."""
SETTLED: Final = 1.0
NUMBERS_ALONE: Final = "the numbers are all there is"


@dataclass(frozen=True, slots=True)
class Counsel:
    """The models of one run, as it asks them.

    Attributes:
        limits: of one answer.
        context_tokens: of one question with its tools, about; a longer conversation is compacted.
        turns: answers with calls, at most.
        fitting: finds the tools to show where there are too many.
        reads_like_orders: whether a text does; the gateway says so of what tools answered.
        on_token: takes what they say while they say it; None: nobody reads along.
    """

    ladders: Ladders
    limits: Limits = field(default_factory=Limits)
    context_tokens: int = 24_000
    turns: int = TURNS
    fitting: Fitting = as_listed
    reads_like_orders: Callable[[str], bool] = lambda _: False
    on_token: OnToken | None = None

    def next(self, known: Known) -> Said:
        """What they say next. One that is too long for them is shortened once; then, as after any
        failure of all of them, there is no answer, and why."""
        spent = reduce(add, (said.usage for said in known.said), Usage())
        try:
            return self._asked(known, self.context_tokens, spent)
        except ContextTooLong as long:
            wasted = long.usage
            tokens = int((long.limit or self.context_tokens) * SHORTENED)
        except ModelFailed as failure:
            return _unanswered(failure, failure.usage)
        try:
            said = self._asked(known, tokens, spent + wasted)
        except ModelFailed as failure:
            return _unanswered(failure, wasted + failure.usage)
        return replace(said, usage=wasted + said.usage)

    def _asked(self, known: Known, tokens: int, spent: Usage) -> Said:
        ranking, ladder = known.shortlist.ranking, self.ladders(spent)
        hurried, tools = self._hurried(known), offered(known, tokens, self.fitting)
        no_more = _no_more(known, tools) or hurried
        tools = () if no_more else tools
        messages = conversation(known, tokens - cost(tools), no_more)
        question = ChatQuestion(messages, tools, schema(ranking), self.limits)
        climbing = ladder.climb(
            question,
            margin=lambda answer: _margin(answer, ranking, ladder.names),
            enough=SETTLED,
            on_token=self.on_token,
        )
        said = replace(_said(asyncio.run(climbing), ranking), hurried=hurried)
        if said.opinion is None:
            return said
        said = replace(said, opinion=replace(said.opinion, swayed=self._ordered(known)))
        return self._again(known, said, tokens, ladder)

    def _again(self, known: Known, said: Said, tokens: int, ladder: ChatLadder) -> Said:
        """``said``, and where it would change the order, whether it holds of the numbers alone."""
        ranking, opinion = known.shortlist.ranking, said.opinion
        if opinion is None or not followed(ranking, opinion):
            return said
        bare = numbers_alone(known)
        messages = conversation(bare, tokens, NUMBERS_ALONE)
        question = ChatQuestion(messages, (), schema(bare.shortlist.ranking), self.limits)
        asked = ladder.only(opinion.model)
        climbing = asked.climb(question, margin=lambda _: SETTLED, enough=SETTLED)
        try:
            second = _said(asyncio.run(climbing), bare.shortlist.ranking)
        except ModelFailed as failure:
            second = _unanswered(failure, failure.usage)
        held = second.opinion is not None and _same(known, opinion, bare, second.opinion)
        return replace(
            said,
            opinion=replace(opinion, held=held),
            usage=said.usage + second.usage,
            failed=(*said.failed, *second.failed),
            stopped=said.stopped or second.stopped,
        )

    def _ordered(self, known: Known) -> bool:
        """Whether somebody may have planted orders in what is known, or in what tools are for."""
        shown = (
            *(item.claim for item in known.shortlist.ranking.evidence),
            *(spec.description for spec in known.tools),
        )
        planted = any(fact.suspicious for fact in known.facts)
        return planted or any(self.reads_like_orders(text) for text in shown)

    def _hurried(self, known: Known) -> str | None:
        """Why it is asked for its verdict now, of all that it could still ask."""
        turns = Turns(self.turns)
        try:
            for said in known.said:
                turns, _ = turns.after(said.calls)
        except TurnsSpent as spent:
            return str(spent)
        return f"stopped after {turns.taken} turns" if turns.taken >= turns.most else None


def _same(known: Known, one: Opinion, bare: Known, other: Opinion) -> bool:
    """Whether both accuse the suspect of the same number."""
    return _number(known, one) == _number(bare, other) is not None


def _number(known: Known, opinion: Opinion) -> int | None:
    order = numbered(known.shortlist.ranking)
    return next((at for at, each in enumerate(order) if each.entity == opinion.suspect), None)


def _no_more(known: Known, tools: Sequence[OfferedTool]) -> str | None:
    if not tools:
        return "there is none to ask"
    return f"the budget of {known.spent} is spent" if known.spent is not None else None


def _margin(answer: Answer, ranking: Ranking, names: Sequence[str]) -> float:
    """How clearly an answer settles what is open; of two that do not, the larger model's counts."""
    if not isinstance(answer.content, Structured):
        return SETTLED
    try:
        opinion = opinion_of(answer.content.value, ranking, answer.model)
    except MadeUp:
        return 0.0
    if agrees(ranking, opinion) or not hardly_decides(ranking, opinion.suspect):
        return SETTLED
    place = names.index(answer.model) if answer.model in names else 0
    return (place + 1) / (len(names) + 1)


def _said(climbed: Climbed, ranking: Ranking) -> Said:
    answer, said = climbed.answer, _without(climbed.failures, climbed.usage)
    if isinstance(answer.content, ToolCalls):
        return replace(said, calls=answer.content.calls)
    try:
        return replace(said, opinion=_opinion(answer, ranking))
    except MadeUp as error:
        lost = FailedStep(f"model {answer.model!r}", f"its verdict cannot be used: {error}")
        return replace(said, failed=(*said.failed, lost))


def _opinion(answer: Answer, ranking: Ranking) -> Opinion | None:
    if not isinstance(answer.content, Structured):
        return None
    return opinion_of(answer.content.value, ranking, answer.model)


def _unanswered(failure: ModelFailed, usage: Usage) -> Said:
    return _without((*failure.before, failure), usage)


def _without(failures: Sequence[ModelFailed], usage: Usage) -> Said:
    """What is to be said of models that gave no answer."""
    failed = tuple(_step(each) for each in failures if not isinstance(each, BudgetSpent))
    stopped = next((_stop(each) for each in failures if isinstance(each, BudgetSpent)), None)
    return Said(usage=usage, failed=failed, stopped=stopped)


def _step(failure: ModelFailed) -> FailedStep:
    return FailedStep(f"model {failure.model!r}", failure.reason)


def _stop(spent: BudgetSpent) -> str:
    return f"{spent.spent} for models"
