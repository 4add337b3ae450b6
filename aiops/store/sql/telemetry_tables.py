"""The tables of telemetry: blocks of samples, batches of lines and spans, and how to find them.

A slot is a stretch of time by number: unix seconds divided by its length, rounded down.
"""

from sqlalchemy import (
    JSON,
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    SmallInteger,
    Table,
)

from aiops.store.sql.metadata import METADATA, BigId, UtcDateTime

# Names are any text a sender may think of, longer than an index takes and with bytes PostgreSQL
# refuses in a text: they are told apart by their digest.
SERVICES = Table(
    "telemetry_services",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("name", LargeBinary, nullable=False),  # UTF-8
)
SERIES = Table(
    "telemetry_series",
    METADATA,
    Column("id", BigId, primary_key=True, autoincrement=False),
    Column("digest", LargeBinary, nullable=False, unique=True),  # of its column
    Column("service_id", ForeignKey(SERVICES.c.id), nullable=False, index=True),
    Column("content", JSON, nullable=False),
)
BLOCKS = Table(
    "telemetry_blocks",
    METADATA,
    Column("slot", BigInteger, primary_key=True, autoincrement=False),
    Column("block", BigInteger, primary_key=True, autoincrement=False),  # series id / WIDTH
    Column("samples", LargeBinary, nullable=False),
)
LOG_BATCHES = Table(
    "telemetry_log_batches",
    METADATA,
    Column("slot", BigInteger, primary_key=True, autoincrement=False),
    Column("service_id", ForeignKey(SERVICES.c.id), primary_key=True),
    Column("rows", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("trace_ids", LargeBinary, nullable=False),
    Column("times", LargeBinary, nullable=False),
    Column("span_ids", LargeBinary, nullable=False),
    Column("instances", LargeBinary, nullable=False),
    Column("messages", LargeBinary, nullable=False),
)
SPAN_BATCHES = Table(
    "telemetry_span_batches",
    METADATA,
    Column("slot", BigInteger, primary_key=True, autoincrement=False),
    Column("service_id", ForeignKey(SERVICES.c.id), primary_key=True),
    Column("rows", Integer, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("trace_ids", LargeBinary, nullable=False),
    Column("span_ids", LargeBinary, nullable=False),
    Column("parent_ids", LargeBinary, nullable=False),
    Column("operations", LargeBinary, nullable=False),
    Column("instances", LargeBinary, nullable=False),
    Column("statuses", LargeBinary, nullable=False),
    Column("starts", LargeBinary, nullable=False),
    Column("durations", LargeBinary, nullable=False),
)
# In which slots an id occurs: ids are hashed to 32 bits, hashes spread over buckets.
OCCURRENCES = Table(
    "telemetry_occurrences",
    METADATA,
    Column("kind", SmallInteger, primary_key=True, autoincrement=False),
    Column("bucket", SmallInteger, primary_key=True, autoincrement=False),
    Column("slot", BigInteger, primary_key=True, autoincrement=False),
    Column("hashes", LargeBinary, nullable=False),
)
CHANGES = Table(
    "telemetry_changes",
    METADATA,
    Column("id", BigId, primary_key=True),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("service_id", ForeignKey(SERVICES.c.id), nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    Column("content", JSON, nullable=False),
)
GRAPHS = Table(
    "telemetry_graphs",
    METADATA,
    Column("start", UtcDateTime, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
