"""Conversations, in the database."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Select, delete, insert, select, update

from aiops.errors import AlreadyKept, NotKept
from aiops.model.thread import Exchange, Question, Reply, Thread
from aiops.store.codec import Codec
from aiops.store.sql.columns import insert_new
from aiops.store.sql.engine import reading, writing
from aiops.store.sql.threads_tables import EXCHANGES, THREADS

_THREAD, _QUESTION, _REPLY = Codec(Thread), Codec(Question), Codec(Reply)
AT_ONCE = 200
"""Threads forgotten in one transaction: others wait for milliseconds."""


class SqlThreads:
    """A ThreadRepo; see ``ports.threads``. All of it raises StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def open(self, thread: Thread) -> None:
        """Keep it; raises AlreadyKept."""
        row = {
            "id": thread.id,
            "incident": thread.incident,
            "last_at": thread.last_at,
            "asked": thread.asked,
            "body": _THREAD.write(thread),
        }
        with writing(self._engine) as connection:
            connection.execute(insert_new(THREADS, connection.dialect, "id"), row)
            kept = connection.scalar(select(THREADS.c.body).where(THREADS.c.id == thread.id))
        if kept != row["body"]:
            raise AlreadyKept("thread", thread.id)

    def get(self, thread_id: str) -> Thread:
        """The one with this id; raises NotKept."""
        with reading(self._engine) as connection:
            row = connection.execute(select(THREADS).where(THREADS.c.id == thread_id)).first()
        if row is None:
            raise NotKept("thread", thread_id)
        return _thread(row)

    def newest(
        self, *, incident: str | None = None, before: str | None = None, limit: int = 50
    ) -> tuple[Thread, ...]:
        """The newest first."""
        found = select(THREADS).order_by(THREADS.c.id.desc()).limit(limit)
        if incident is not None:
            found = found.where(THREADS.c.incident == incident)
        if before is not None:
            found = found.where(THREADS.c.id < before)
        with reading(self._engine) as connection:
            return tuple(_thread(row) for row in connection.execute(found))

    def ask(self, thread_id: str, question: Question) -> Exchange:
        """Add a question; raises NotKept."""
        with writing(self._engine) as connection:
            row = connection.execute(
                update(THREADS)
                .where(THREADS.c.id == thread_id)
                .values(asked=THREADS.c.asked + 1)
                .returning(THREADS.c.asked, THREADS.c.last_at)
            ).first()
            if row is None:
                raise NotKept("thread", thread_id)
            if row.last_at < question.at:
                later = update(THREADS).where(THREADS.c.id == thread_id)
                connection.execute(later.values(last_at=question.at))
            exchange = Exchange(thread_id, row.asked, question)
            connection.execute(
                insert(EXCHANGES),
                {
                    "thread": thread_id,
                    "number": exchange.number,
                    "question": _QUESTION.write(question),
                    "reply": None,
                },
            )
        return exchange

    def answer(self, exchange: Exchange, reply: Reply) -> bool:
        """Keep the answer."""
        unanswered = (
            EXCHANGES.c.thread == exchange.thread,
            EXCHANGES.c.number == exchange.number,
            EXCHANGES.c.reply.is_(None),
        )
        given = update(EXCHANGES).where(*unanswered).values(reply=_REPLY.write(reply))
        with writing(self._engine) as connection:
            return connection.execute(given).rowcount == 1

    def exchanges(
        self, thread_id: str, *, before: int | None = None, limit: int = 50
    ) -> tuple[Exchange, ...]:
        """The last of them; raises NotKept."""
        found: Select[Any] = select(EXCHANGES).where(EXCHANGES.c.thread == thread_id)
        if before is not None:
            found = found.where(EXCHANGES.c.number < before)
        with reading(self._engine) as connection:
            rows = connection.execute(found.order_by(EXCHANGES.c.number.desc()).limit(limit)).all()
        if not rows:
            self.get(thread_id)
        return tuple(_exchange(row) for row in reversed(rows))

    def exchange(self, thread_id: str, number: int) -> Exchange:
        """One of them; raises NotKept."""
        of_it = (EXCHANGES.c.thread == thread_id, EXCHANGES.c.number == number)
        with reading(self._engine) as connection:
            row = connection.execute(select(EXCHANGES).where(*of_it)).first()
        if row is None:
            self.get(thread_id)
            raise NotKept("message", f"{thread_id}/{number}")
        return _exchange(row)

    def forget(self, before: datetime) -> int:
        """Forget what is older, some at a time."""
        total, some = 0, select(THREADS.c.id).where(THREADS.c.last_at < before).limit(AT_ONCE)
        while True:
            with writing(self._engine) as connection:
                ids = connection.scalars(some).all()
                connection.execute(delete(EXCHANGES).where(EXCHANGES.c.thread.in_(ids)))
                connection.execute(delete(THREADS).where(THREADS.c.id.in_(ids)))
            total += len(ids)
            if len(ids) < AT_ONCE:
                return total


def _thread(row: Any) -> Thread:
    return replace(_THREAD.read(row.body), asked=row.asked, last_at=row.last_at)


def _exchange(row: Any) -> Exchange:
    reply = None if row.reply is None else _REPLY.read(row.reply)
    return Exchange(row.thread, row.number, _QUESTION.read(row.question), reply)
