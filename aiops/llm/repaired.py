"""One second chance: a model that answered badly is told what was wrong, once."""

from collections.abc import Sequence

from aiops.llm import structured
from aiops.model.chat import Answer, Limits, Message, OfferedTool
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

    async def complete(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[OfferedTool] = (),
        schema: str | None = None,
        limits: Limits | None = None,
        on_token: OnToken | None = None,
    ) -> Answer:
        """As ``ChatModel.complete``; its usage is that of both rounds. The second has as much time
        as the first, and its text is not handed on: a reader would see two answers in one."""
        try:
            return await self._model.complete(
                messages, tools=tools, schema=schema, limits=limits, on_token=on_token
            )
        except AnswerCut:
            raise
        except BadAnswer as bad:
            spent, again = bad.usage, (*messages, *_objection(bad, schema))
        try:
            answer = await self._model.complete(again, tools=tools, schema=schema, limits=limits)
        except ModelFailed as failure:
            raise failure.costing(spent + failure.usage) from None
        return Answer(answer.content, spent + answer.usage, answer.model)


def _objection(bad: BadAnswer, schema: str | None) -> tuple[Message, ...]:
    wanted = "Answer the same question again, correctly, without comment."
    if schema is not None:  # some endpoints take a schema and never show it to their model
        wanted += f" {structured.wanted(schema)}"
    said = Message("assistant", bad.said or "(nothing)")
    return said, Message("user", f"That cannot be used: {bad.reason}. {wanted}")
