"""Conversations, in this process: the twin of the SQL one."""

from dataclasses import replace
from datetime import datetime
from threading import Lock

from aiops.errors import AlreadyKept, NotKept
from aiops.model.thread import Exchange, Question, Reply, Thread


class MemoryThreads:
    """A ThreadRepo; see ``ports.threads``. Safe for many threads."""

    def __init__(self) -> None:
        self._threads: dict[str, Thread] = {}
        self._exchanges: dict[str, list[Exchange]] = {}
        self._lock = Lock()

    def open(self, thread: Thread) -> None:
        """Keep it; raises AlreadyKept."""
        with self._lock:
            kept = self._threads.setdefault(thread.id, thread)
            if replace(kept, asked=thread.asked, last_at=thread.last_at) != thread:
                raise AlreadyKept("thread", thread.id)
            self._exchanges.setdefault(thread.id, [])

    def get(self, thread_id: str) -> Thread:
        """The one with this id; raises NotKept."""
        with self._lock:
            return self._got(thread_id)

    def newest(
        self, *, incident: str | None = None, before: str | None = None, limit: int = 50
    ) -> tuple[Thread, ...]:
        """The newest first."""
        with self._lock:
            found = [
                each
                for each in self._threads.values()
                if (incident is None or each.incident == incident)
                and (before is None or each.id < before)
            ]
        return tuple(sorted(found, key=lambda each: each.id, reverse=True)[:limit])

    def ask(self, thread_id: str, question: Question) -> Exchange:
        """Add a question; raises NotKept."""
        with self._lock:
            thread = self._got(thread_id)
            exchange = Exchange(thread_id, thread.asked + 1, question)
            self._exchanges[thread_id].append(exchange)
            self._threads[thread_id] = replace(
                thread, asked=exchange.number, last_at=max(thread.last_at, question.at)
            )
        return exchange

    def answer(self, exchange: Exchange, reply: Reply) -> bool:
        """Keep the answer."""
        with self._lock:
            kept = self._exchanges.get(exchange.thread, [])
            place = exchange.number - 1
            if not 0 <= place < len(kept) or kept[place].reply is not None:
                return False
            kept[place] = replace(kept[place], reply=reply)
        return True

    def exchanges(
        self, thread_id: str, *, before: int | None = None, limit: int = 50
    ) -> tuple[Exchange, ...]:
        """The last of them; raises NotKept."""
        with self._lock:
            self._got(thread_id)
            kept = self._exchanges[thread_id]
            end = len(kept) if before is None else min(len(kept), max(0, before - 1))
            return tuple(kept[max(0, end - limit) : end])

    def exchange(self, thread_id: str, number: int) -> Exchange:
        """One of them; raises NotKept."""
        with self._lock:
            thread = self._got(thread_id)
            if not 1 <= number <= thread.asked:
                raise NotKept("message", f"{thread_id}/{number}")
            return self._exchanges[thread_id][number - 1]

    def forget(self, before: datetime) -> int:
        """Forget what is older."""
        with self._lock:
            old = [each.id for each in self._threads.values() if each.last_at < before]
            for thread_id in old:
                del self._threads[thread_id], self._exchanges[thread_id]
        return len(old)

    def _got(self, thread_id: str) -> Thread:
        if thread_id not in self._threads:
            raise NotKept("thread", thread_id)
        return self._threads[thread_id]
