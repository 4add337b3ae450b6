"""What leaves for a model holds no secret, whoever wrote it: logs, people, tools."""

from collections.abc import Callable
from dataclasses import replace

from aiops.model.chat import Answer, ChatQuestion
from aiops.ports.chat_model import ChatModel, OnToken


class Redacted:
    """A ``ChatModel`` that asks ``model`` with all that is said to it redacted.

    Args:
        redact: gives the same text for the same text, in every process: a replay asks again.
    """

    def __init__(self, model: ChatModel, redact: Callable[[str], str]) -> None:
        self._model, self._redact = model, redact

    @property
    def name(self) -> str:
        return self._model.name

    async def complete(self, question: ChatQuestion, on_token: OnToken | None = None) -> Answer:
        """As ``ChatModel.complete``."""
        messages = tuple(replace(one, text=self._redact(one.text)) for one in question.messages)
        return await self._model.complete(replace(question, messages=messages), on_token)
