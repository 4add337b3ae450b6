"""Answers that were recorded, given again to the same questions: a run without a model.

A question is known by the sha256 of everything that decides its answer: model, messages, tools,
schema, and the limits but for the time. Failures are recorded, too: they decide how a run goes on.
"""

from collections import defaultdict
from dataclasses import asdict

from aiops.errors import AiopsError
from aiops.llm.outcomes import outcome_read, outcome_written
from aiops.llm.tape import Tape
from aiops.model.canonical import digest
from aiops.model.chat import Answer, ChatQuestion, Text
from aiops.ports.chat_model import ChatModel, ModelFailed, OnToken


class NotRecorded(AiopsError):
    """A replay asked what was never recorded. It does not go on with a guess.

    Args:
        model: that was asked.
        key: of the question.
        recorded: how often this question was answered in the recording.
    """

    def __init__(self, model: str, key: str, recorded: int) -> None:
        self.model, self.key = model, key
        why = f"only {recorded} times" if recorded else "not at all"
        super().__init__(
            f"the recording holds question {key[:12]} to model {model!r} {why}: the run goes "
            "another way than the recorded one; use the same version, settings and data, or "
            "record it anew"
        )


class Recorder:
    """A ``ChatModel`` that keeps every outcome of ``model`` on a tape."""

    def __init__(self, model: ChatModel, tape: Tape) -> None:
        self._model, self._tape = model, tape

    @property
    def name(self) -> str:
        return self._model.name

    async def complete(self, question: ChatQuestion, on_token: OnToken | None = None) -> Answer:
        """As ``ChatModel.complete``."""
        key = question_key(self.name, question)
        try:
            answer = await self._model.complete(question, on_token)
        except ModelFailed as failure:
            self._tape.add(outcome_written(key, failure))
            raise
        self._tape.add(outcome_written(key, answer))
        return answer


class Replayed:
    """A ``ChatModel`` that answers from a tape: the n-th time as it did the n-th time.

    Raises:
        InvalidInput: a line of the tape cannot be read.
    """

    def __init__(self, name: str, tape: Tape) -> None:
        self._name = name
        self._told: dict[str, int] = defaultdict(int)
        self._known: dict[str, list[Answer | ModelFailed]] = defaultdict(list)
        for number, line in enumerate(tape.lines(), 1):
            key, outcome = outcome_read(line, number)
            self._known[key].append(outcome)

    @property
    def name(self) -> str:
        return self._name

    async def complete(self, question: ChatQuestion, on_token: OnToken | None = None) -> Answer:
        """As it was recorded; text is handed on at once.

        Raises:
            NotRecorded: this question was not, or not so often.
            ModelFailed: it failed then.
        """
        key = question_key(self._name, question)
        known, turn = self._known.get(key, []), self._told[key]
        if turn >= len(known):
            raise NotRecorded(self._name, key, len(known))
        self._told[key] += 1
        outcome = known[turn]
        if isinstance(outcome, ModelFailed):
            raise outcome
        if on_token is not None and isinstance(outcome.content, Text):
            on_token(outcome.content.text)
        return outcome


def models_on(tape: Tape) -> tuple[str, ...]:
    """Those that are heard on ``tape``, in the order in which they first were: the cheaper first.

    Raises:
        InvalidInput: a line of the tape cannot be read.
    """
    heard = (outcome_read(line, number)[1].model for number, line in enumerate(tape.lines(), 1))
    return tuple(dict.fromkeys(heard))


def question_key(model: str, question: ChatQuestion) -> str:
    """sha256 of what decides an answer, 64 hex digits."""
    limits = question.limits
    return digest(
        {
            "model": model,
            "messages": [asdict(message) for message in question.messages],
            "tools": [asdict(tool) for tool in question.tools],
            "schema": question.schema,
            "limits": [limits.output_tokens, limits.temperature, limits.seed],
        }
    )
