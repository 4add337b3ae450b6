"""Questions answered beside the requests that bring them: a slow tool holds up nobody else."""

from concurrent.futures import Future
from threading import BoundedSemaphore, Thread
from typing import Final

import structlog

from aiops.app.chat.desk import Desk
from aiops.errors import AiopsError
from aiops.jobs.attempts import described, tried
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
        reply, failure = tried(lambda: self._answered(asked))
        if failure is not None:  # whoever waits is told; the conversation says it, too
            tried(lambda: self.desk.fail(asked, described(failure)))
            answer.set_exception(failure)
            defect = None if isinstance(failure, AiopsError) else failure
            log = structlog.get_logger("aiops.chat").bind(thread=asked.thread, number=asked.number)
            log.error("not answered", error=described(failure), exc_info=defect)
        elif reply is not None:
            answer.set_result(reply)

    def _answered(self, asked: Exchange) -> Reply:
        if self.desk.is_stop(asked.question.text):  # behind none of those that it stops
            return self.desk.answer(asked)
        with self._turns:
            return self.desk.answer(asked)
