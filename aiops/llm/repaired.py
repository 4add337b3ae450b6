"""One second chance: a model that answered badly is told what was wrong, once."""

from dataclasses import replace

from aiops.llm import structured
from aiops.model.chat import Answer, ChatQuestion, Message
from aiops.ports.chat_model import AnswerCut, BadAnswer, ChatModel, ModelFailed, OnToken


class Repaired:
    """A ``ChatModel`` that asks ``model`` again where its answer was no use, and then gives up.

    An answer that was cut is not asked for again: it would be as long as before.
    """

    def __init__(self, model: ChatModel) -> None:
        self._model = model

    @property
    def name(self) -> str:
        return self._model.name

    async def complete(self, question: ChatQuestion, on_token: OnToken | None = None) -> Answer:
        """As ``ChatModel.complete``; its usage is that of both rounds. The second has as much time
        as the first, and its text is not handed on: a reader would see two answers in one."""
        try:
            return await self._model.complete(question, on_token)
        except AnswerCut:
            raise
        except BadAnswer as bad:
            spent, objection = bad.usage, _objection(bad, question.schema)
        try:
            answer = await self._model.complete(
                replace(question, messages=(*question.messages, *objection))
            )
        except ModelFailed as failure:
            raise failure.costing(spent + failure.usage) from None
        return Answer(answer.content, spent + answer.usage, answer.model)


def _objection(bad: BadAnswer, schema: str | None) -> tuple[Message, ...]:
    wanted = "Answer the same question again, correctly, without comment."
    if schema is not None:  # some endpoints take a schema and never show it to their model
        wanted += f" {structured.wanted(schema)}"
    said = Message("assistant", bad.said or "(nothing)")
    return said, Message("user", f"That cannot be used: {bad.reason}. {wanted}")
