"""Questions answered beside the requests that bring them: a slow tool holds up nobody else."""

from concurrent.futures import Future
from threading import BoundedSemaphore, Thread
from typing import Final

import structlog

from aiops.app.chat.desk import Desk
from aiops.errors import AiopsError
from aiops.model.thread import Exchange, Reply

AT_ONCE: Final = 8
"""Answers worked on at once; tools wait for others most of the time. The rest wait their turn."""


class Answering:
    """Works on questions of any number of conversations, each in a thread that holds up no exit."""

    def __init__(self, desk: Desk, at_once: int = AT_ONCE) -> None:
        self.desk, self._turns = desk, BoundedSemaphore(at_once)

    def begin(self, asked: Exchange) -> Future[Reply]:
        """Answer it; the question is kept, so whoever does not wait reads the answer later."""
        answer: Future[Reply] = Future()
        Thread(target=self._work, args=(asked, answer), name="answer", daemon=True).start()
        return answer

    def _work(self, asked: Exchange, answer: Future[Reply]) -> None:
        try:
            if self.desk.is_stop(asked.question.text):  # behind none of those that it stops
                answer.set_result(self.desk.answer(asked))
                return
            with self._turns:
                answer.set_result(self.desk.answer(asked))
        except AiopsError as error:
            log = structlog.get_logger("aiops.chat")
            log.warning("not answered", thread=asked.thread, number=asked.number, error=str(error))
            answer.set_exception(error)
