"""The table of what investigations do; ``body`` carries the moment as JSON."""

from sqlalchemy import BigInteger, Column, Index, Table, Text

from aiops.store.sql.columns import PlainText
from aiops.store.sql.metadata import METADATA, UtcDateTime

PROGRESS = Table(
    "progress",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("about", PlainText, nullable=False),
    Column("run", PlainText, nullable=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("body", Text, nullable=False),
    Index(None, "about", "number"),
)
