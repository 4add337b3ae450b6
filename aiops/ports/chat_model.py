"""The door of language models, and the ways in which one fails to answer."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from aiops.errors import AiopsError
from aiops.model.chat import Answer, ChatQuestion, Usage

OnToken = Callable[[str], None]
"""Takes a piece of text as soon as it is there; must not block."""


class ModelFailed(AiopsError):
    """A model gave no answer that can be used. Whoever asked goes on without it, and says so.

    Args:
        model: which one, as configured.
        reason: what is wrong and what to do, in one clause; holds no secret.
        usage: what the attempt cost nevertheless.

    Attributes:
        before: of a ladder, how its cheaper models failed.
    """

    def __init__(self, model: str, reason: str, usage: Usage | None = None) -> None:
        self.model, self.reason, self.usage = model, reason, usage or Usage()
        self.before: tuple[ModelFailed, ...] = ()
        super().__init__(f"model {model!r}: {reason}")

    def costing(self, usage: Usage) -> "ModelFailed":
        """The same failure, with all that was spent on the way to it."""
        self.usage = usage
        return self


class ModelUnavailable(ModelFailed):
    """It cannot be asked: unreachable, too slow, overloaded, refuses our key, is not known there.

    Args:
        lasting: whether asking again within the hour is pointless.
    """

    def __init__(
        self, model: str, reason: str, usage: Usage | None = None, *, lasting: bool = False
    ) -> None:
        self.lasting = lasting
        super().__init__(model, reason, usage)


class ModelRefused(ModelFailed):
    """It will not answer this: a refusal, or a filter of its provider."""


class ContextTooLong(ModelFailed):
    """The conversation is longer than the model can read; shorten it and ask again.

    Args:
        limit: tokens that it reads, where the endpoint said so.
    """

    def __init__(
        self, model: str, reason: str, usage: Usage | None = None, *, limit: int | None = None
    ) -> None:
        self.limit = limit
        super().__init__(model, reason, usage)


class BadAnswer(ModelFailed):
    """It answered, and the answer is no use: no JSON, an unknown tool, nothing at all.

    Args:
        said: its own words, shortened; empty where there were none.
    """

    def __init__(
        self, model: str, reason: str, usage: Usage | None = None, *, said: str = ""
    ) -> None:
        self.said = said
        super().__init__(model, reason, usage)


class AnswerCut(BadAnswer):
    """The answer broke off: its limit of tokens, or the connection."""


class BudgetSpent(ModelFailed):
    """The run has spent what it may on models; nothing was asked.

    Args:
        spent: what is used up, in words: "60 answers of 60".
    """

    def __init__(
        self, model: str, reason: str, usage: Usage | None = None, *, spent: str = "all"
    ) -> None:
        self.spent = spent
        super().__init__(model, reason, usage)


class ChatModel(Protocol):
    """A language model. Safe for concurrent questions; cancelling one gives its connection up."""

    @property
    def name(self) -> str:
        """As configured."""
        ...

    async def complete(self, question: ChatQuestion, on_token: OnToken | None = None) -> Answer:
        """The model's next turn.

        Args:
            on_token: takes the text while it comes. Text of an answer that fails later was
                handed on all the same; one that is asked for again begins on a line of its own.

        Raises:
            ModelFailed: one of its kinds; there is no answer.
        """
        ...


@dataclass(frozen=True, slots=True)
class Climbed:
    """An answer, and what it took to get it.

    Attributes:
        answer: the best one: the highest margin, the cheaper model where equal.
        margin: of that answer, as the caller judged it.
        failures: of models that gave none.
        usage: of all of them.
    """

    answer: Answer
    margin: float
    failures: tuple[ModelFailed, ...]
    usage: Usage


class ChatLadder(Protocol):
    """Models from the cheapest on, each asked only if those before did not settle it."""

    @property
    def names(self) -> tuple[str, ...]:
        """Of its models, the cheapest first."""
        ...

    def only(self, name: str) -> "ChatLadder":
        """Of the model of that name alone; the whole ladder where there is none."""
        ...

    async def climb(
        self,
        question: ChatQuestion,
        *,
        margin: Callable[[Answer], float],
        enough: float,
        on_token: OnToken | None = None,
    ) -> Climbed:
        """The first answer whose margin is ``enough``, else the best there is.

        Args:
            margin: how clearly an answer settles the question, 0 to 1: the caller's judgement
                against its own evidence, never the model's word about itself.

        Raises:
            ModelFailed: no model answered; the last one's failure, with the usage of all.
        """
        ...
