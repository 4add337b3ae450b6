"""A model that cannot be asked is left alone for a while, so that a run does not wait for it.

After Nygard, "Release It!" (2007), circuit breaker.
"""

import time
from collections.abc import Callable
from typing import Final

from aiops.model.chat import Answer, ChatQuestion
from aiops.ports.chat_model import ChatModel, ModelFailed, ModelUnavailable, OnToken

IN_A_ROW: Final = 2
"""Failures after which nobody asks any more; one is enough if it is lasting."""
REST_S: Final = 60.0


class Breaker:
    """A ``ChatModel`` that fails at once for a minute after ``model`` was twice not available.

    Afterwards one question finds out whether it is back; a lasting failure is never tried again.
    """

    def __init__(self, model: ChatModel, clock: Callable[[], float] = time.monotonic) -> None:
        self._model, self._clock = model, clock
        self._row, self._until = 0, 0.0
        self._why: ModelUnavailable | None = None

    @property
    def name(self) -> str:
        return self._model.name

    async def complete(self, question: ChatQuestion, on_token: OnToken | None = None) -> Answer:
        """As ``ChatModel.complete``."""
        if self._why is not None and (self._why.lasting or self._clock() < self._until):
            why = f"not asked again, it could not be a moment ago: {self._why.reason}"
            raise ModelUnavailable(self.name, why, lasting=self._why.lasting)
        try:
            answer = await self._model.complete(question, on_token)
        except ModelUnavailable as failure:
            self._row += 1
            if failure.lasting or self._row >= IN_A_ROW:
                self._why, self._until = failure, self._clock() + REST_S
            raise
        except ModelFailed:  # it answers, if badly
            self._row, self._why = 0, None
            raise
        self._row, self._why = 0, None
        return answer
