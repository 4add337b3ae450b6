"""The tables of incidents and of all that outlives a run."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    false,
    true,
)

from aiops.store.sql.columns import PlainText
from aiops.store.sql.metadata import METADATA, BigId, UtcDateTime


def _partial(name: str, *columns: Column[Any], where: ColumnElement[bool]) -> None:
    """An index of some rows only, on either engine."""
    Index(name, *columns, sqlite_where=where, postgresql_where=where)


DELIVERIES = Table(
    "deliveries",
    METADATA,
    Column("number", BigId, primary_key=True),  # in the order they came
    Column("key", Text, nullable=False, unique=True),  # digest of the id
    Column("received_at", UtcDateTime, nullable=False),
    Column("taken_at", UtcDateTime, index=True),
    Column("body", Text, nullable=False),
)
_partial("ix_deliveries_waiting", DELIVERIES.c.number, where=DELIVERIES.c.taken_at.is_(None))
REFUSED = Table(
    "refused_deliveries",
    METADATA,
    Column("number", BigId, primary_key=True),
    Column("received_at", UtcDateTime, nullable=False, index=True),
    Column("blob", PlainText, nullable=False, index=True),
    Column("body", Text, nullable=False),
)
ALERTS = Table(
    "alerts",
    METADATA,
    Column("key", Text, primary_key=True),  # digest of source and fingerprint
    Column("incident_id", PlainText),
    Column("first_at", UtcDateTime, nullable=False),
    Column("last_at", UtcDateTime, nullable=False, index=True),
    Column("quiet_by", PlainText),  # the silence, while the alert fires
    Column("body", Text, nullable=False),
    Index(None, "incident_id", "first_at"),
)
_partial("ix_alerts_quiet", ALERTS.c.first_at, where=ALERTS.c.quiet_by.is_not(None))
INCIDENTS = Table(
    "incidents",
    METADATA,
    Column("id", PlainText, primary_key=True),
    Column("group_key", Text, nullable=False),  # digest of the group
    Column("title", PlainText, nullable=False),  # in small letters
    Column("severity", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("opened_at", UtcDateTime, nullable=False),
    Column("last_alert_at", UtcDateTime, nullable=False),
    Column("resolved_at", UtcDateTime, index=True),
    Column("investigate_at", UtcDateTime),
    Column("flaps", Boolean, nullable=False),  # flapping and open
    Column("merged", Boolean, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "status", "id"),
)
for _name, _columns, _where in (
    ("latest", ("group_key", "opened_at", "id"), INCIDENTS.c.merged == false()),
    ("due", ("investigate_at", "id"), INCIDENTS.c.investigate_at.is_not(None)),
    ("flapping", ("last_alert_at", "id"), INCIDENTS.c.flaps == true()),
):
    _partial(f"ix_incidents_{_name}", *(INCIDENTS.c[column] for column in _columns), where=_where)
INCIDENT_SERVICES = Table(
    "incident_services",
    METADATA,
    Column("service_key", Text, primary_key=True),  # digest of the service's name
    Column("incident_id", ForeignKey(INCIDENTS.c.id, ondelete="CASCADE"), primary_key=True),
    Index(None, "incident_id"),
)
TIMELINE = Table(
    "timeline",
    METADATA,
    Column("number", BigId, primary_key=True),
    Column("incident_id", ForeignKey(INCIDENTS.c.id, ondelete="CASCADE"), nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "incident_id", "number"),
)
SILENCES = Table(
    "silences",
    METADATA,
    Column("id", PlainText, primary_key=True),
    Column("starts_at", UtcDateTime, nullable=False),
    Column("ends_at", UtcDateTime, nullable=False, index=True),
    Column("body", Text, nullable=False),
)
INVESTIGATIONS = Table(
    "investigations",
    METADATA,
    Column("id", PlainText, primary_key=True),
    Column("about", PlainText, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "about", "at", "id"),
    Index(None, "at", "id"),
)
BLOBS = Table(
    "blobs",
    METADATA,
    Column("digest", PlainText, primary_key=True),
    Column("kept_at", UtcDateTime, nullable=False, index=True),
    Column("content", LargeBinary, nullable=False),
)
AUDIT = Table(
    "audit",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("hash", Text, nullable=False),  # over the one before and this body
    Column("body", Text, nullable=False),
)
TOKENS = Table(
    "tokens",
    METADATA,
    Column("id", PlainText, primary_key=True),
    Column("digest", PlainText, nullable=False, index=True),
    Column("created_at", UtcDateTime, nullable=False),
    Column("body", Text, nullable=False),
)
EVENTS = Table(
    "events",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False, index=True),
    Column("kind", PlainText, nullable=False),
    Column("about", PlainText, nullable=False),
)
# The last number given out. Whoever numbers something holds its row until the end of the
# transaction, so numbers become visible in their order and without gaps.
COUNTERS = Table(
    "counters",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("last", BigInteger, nullable=False),
)
JOBS = Table(
    "jobs",
    METADATA,
    Column("key", PlainText, primary_key=True),
    Column("kind", PlainText, nullable=False),
    Column("about", PlainText, nullable=False),
    Column("due", UtcDateTime, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("wait_until", UtcDateTime),  # null where it was due when it was put
    Column("holder", PlainText),  # the worker that does it
    Column("beats", Integer, nullable=False, server_default="0"),  # signs of life of the holder
    Column("error", PlainText),  # of the last attempt that failed
    Column("ended_at", UtcDateTime, index=True),
    Column("dead", Boolean, nullable=False, server_default=false()),  # ended without success
)
for _name, _where in (
    ("open", JOBS.c.ended_at.is_(None)),
    ("held", JOBS.c.holder.is_not(None)),
    ("dead", JOBS.c.dead == true()),
):
    _partial(f"ix_jobs_{_name}", JOBS.c.due, JOBS.c.key, where=_where)
APPROVALS = Table(
    "approvals",
    METADATA,
    Column("id", PlainText, primary_key=True),
    Column("state", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("incident_id", PlainText),
    Column("open_as", Text, unique=True),  # digest of action, run and mode, while it is open
    Column("lapses_at", UtcDateTime),  # while its time can be over
    Column("revision", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index(None, "state", "id"),
    Index(None, "incident_id", "id"),
)
_partial(
    "ix_approvals_due",
    APPROVALS.c.lapses_at,
    APPROVALS.c.id,
    where=APPROVALS.c.lapses_at.is_not(None),
)
CALLS = Table(
    "calls",
    METADATA,
    Column("key", Text, primary_key=True),  # digest of the idempotency key
    Column("call_id", PlainText, nullable=False),
    Column("same", Text, nullable=False),  # digest of tool, arguments and run
    Column("begun_at", UtcDateTime, nullable=False),
    Column("seconds", Double),
    Column("begun", Text, nullable=False),
    Column("outcome", Text),  # null until it has ended
    Column("beats", Integer),  # signs of life of its process; null where it gives none
)
_partial("ix_calls_unfinished", CALLS.c.begun_at, CALLS.c.key, where=CALLS.c.outcome.is_(None))
SPENT = Table(
    "spent",
    METADATA,
    Column("run", Text, primary_key=True),  # digest of its id
    Column("calls", BigInteger, nullable=False),
    Column("writes", BigInteger, nullable=False),
    Column("seconds", Double, nullable=False),
    Column("last_at", UtcDateTime),  # of its last call; null where that was before it was noted
)
SWITCHES = Table(
    "switches",
    METADATA,
    Column("name", Text, primary_key=True),
    Column("body", Text, nullable=False),
)
