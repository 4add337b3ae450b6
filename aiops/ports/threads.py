"""The door to conversations."""

from datetime import datetime
from typing import Protocol

from aiops.model.thread import Exchange, Question, Reply, Thread


class ThreadRepo(Protocol):
    """Keeps threads; a question is never changed, and is answered once.

    An adapter on a database raises StoreUnavailable from all of it.
    """

    def open(self, thread: Thread) -> None:
        """Keep it; keeping the same again changes nothing.

        Raises:
            AlreadyKept: another has this id.
        """
        ...

    def get(self, thread_id: str) -> Thread:
        """The thread with this id.

        Raises:
            NotKept: there is none, or it is forgotten.
        """
        ...

    def newest(
        self, *, incident: str | None = None, before: str | None = None, limit: int = 50
    ) -> tuple[Thread, ...]:
        """At most ``limit``, in descending order of ids, which sort by time.

        Args:
            incident: only those opened about it.
            before: only those with lesser ids.
        """
        ...

    def ask(self, thread_id: str, question: Question) -> Exchange:
        """Add a question, with the next number; of many at once each gets its own.

        Raises:
            NotKept: there is no such thread.
        """
        ...

    def answer(self, exchange: Exchange, reply: Reply) -> bool:
        """Keep the answer to a question; False where it has one or is gone, and nothing changes."""
        ...

    def exchanges(
        self, thread_id: str, *, before: int | None = None, limit: int = 50
    ) -> tuple[Exchange, ...]:
        """The last ``limit`` questions with their answers, the oldest of them first.

        Args:
            before: only those with lesser numbers.

        Raises:
            NotKept: there is no such thread.
        """
        ...

    def exchange(self, thread_id: str, number: int) -> Exchange:
        """One question with its answer.

        Raises:
            NotKept: there is no such thread, or it has no such question.
        """
        ...

    def forget(self, before: datetime) -> int:
        """Forget threads in which nothing was asked since then; how many."""
        ...
