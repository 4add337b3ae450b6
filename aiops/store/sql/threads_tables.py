"""The tables of conversations; ``body`` carries what is said as JSON."""

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text

from aiops.store.sql.columns import PlainText
from aiops.store.sql.metadata import METADATA, UtcDateTime

THREADS = Table(
    "threads",
    METADATA,
    Column("id", PlainText, primary_key=True),
    Column("incident", PlainText),
    Column("last_at", UtcDateTime, nullable=False),
    Column("asked", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "incident", "id"),
    Index(None, "last_at"),
)
EXCHANGES = Table(
    "thread_exchanges",
    METADATA,
    Column("thread", PlainText, ForeignKey("threads.id", ondelete="CASCADE"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("question", Text, nullable=False),
    Column("reply", Text),
)
