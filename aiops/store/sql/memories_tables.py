"""The tables of what is remembered; each row carries its whole object as JSON in ``body``."""

from sqlalchemy import Column, Index, Integer, Table, Text

from aiops.store.sql.columns import PlainText
from aiops.store.sql.metadata import METADATA, UtcDateTime

PAST = Table(
    "past_incidents",
    METADATA,
    Column("id", PlainText, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "at", "id"),
)
ROUTINES = Table(
    "routines",
    METADATA,
    Column("cue", Text, primary_key=True),  # digest of its key
    Column("used_at", UtcDateTime, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "used_at"),
)
