"""Operations: alerts, incidents, investigations, tokens, the audit log, events."""

import sqlalchemy as sa
from alembic import op

from aiops.store.sql.columns import PlainText
from aiops.store.sql.metadata import BigId, UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_REFUSAL = "the audit log is append-only"


def upgrade() -> None:
    """Applies it."""
    _alerts()
    _incidents()
    _kept()
    _numbered()
    _guard_audit()


def _alerts() -> None:
    _table(
        "deliveries",
        "number",
        sa.Column("number", BigId, nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("taken_at", UtcDateTime()),
        sa.Column("body", sa.Text(), nullable=False),
        sa.UniqueConstraint("key", name=op.f("uq_deliveries_key")),
    )
    _index("deliveries", "taken_at")
    _index("deliveries", "number", name="waiting", where="taken_at IS NULL")
    _table(
        "refused_deliveries",
        "number",
        sa.Column("number", BigId, nullable=False),
        sa.Column("received_at", UtcDateTime(), nullable=False),
        sa.Column("blob", PlainText(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    _index("refused_deliveries", "received_at")
    _index("refused_deliveries", "blob")
    _table(
        "alerts",
        "key",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("incident_id", PlainText()),
        sa.Column("first_at", UtcDateTime(), nullable=False),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("quiet_by", PlainText()),
        sa.Column("body", sa.Text(), nullable=False),
    )
    _index("alerts", "last_at")
    _index("alerts", "incident_id", "first_at")
    _index("alerts", "first_at", name="quiet", where="quiet_by IS NOT NULL")
    _table(
        "silences",
        "id",
        sa.Column("id", PlainText(), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=False),
        sa.Column("ends_at", UtcDateTime(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    _index("silences", "ends_at")


def _incidents() -> None:
    _table(
        "incidents",
        "id",
        sa.Column("id", PlainText(), nullable=False),
        sa.Column("group_key", sa.Text(), nullable=False),
        sa.Column("title", PlainText(), nullable=False),
        sa.Column("severity", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("opened_at", UtcDateTime(), nullable=False),
        sa.Column("last_alert_at", UtcDateTime(), nullable=False),
        sa.Column("resolved_at", UtcDateTime()),
        sa.Column("investigate_at", UtcDateTime()),
        sa.Column("flaps", sa.Boolean(), nullable=False),
        sa.Column("merged", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    yes, no = ("1", "0") if op.get_bind().dialect.name == "sqlite" else ("true", "false")
    _index("incidents", "resolved_at")
    _index("incidents", "status", "id")
    _index("incidents", "group_key", "opened_at", "id", name="latest", where=f"merged = {no}")
    _index("incidents", "investigate_at", "id", name="due", where="investigate_at IS NOT NULL")
    _index("incidents", "last_alert_at", "id", name="flapping", where=f"flaps = {yes}")
    _table(
        "incident_services",
        "service_key",
        sa.Column("service_key", sa.Text(), nullable=False),
        sa.Column("incident_id", PlainText(), nullable=False),
        _to_incidents("incident_services"),
        also="incident_id",
    )
    _index("incident_services", "incident_id")
    _table(
        "timeline",
        "number",
        sa.Column("number", BigId, nullable=False),
        sa.Column("incident_id", PlainText(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        _to_incidents("timeline"),
    )
    _index("timeline", "incident_id", "number")


def _kept() -> None:
    _table(
        "investigations",
        "id",
        sa.Column("id", PlainText(), nullable=False),
        sa.Column("about", PlainText(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    _index("investigations", "about", "at", "id")
    _index("investigations", "at", "id")
    _table(
        "blobs",
        "digest",
        sa.Column("digest", PlainText(), nullable=False),
        sa.Column("kept_at", UtcDateTime(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
    )
    _index("blobs", "kept_at")
    _table(
        "tokens",
        "id",
        sa.Column("id", PlainText(), nullable=False),
        sa.Column("digest", PlainText(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    _index("tokens", "digest")


def _numbered() -> None:
    _table(
        "events",
        "number",
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("kind", PlainText(), nullable=False),
        sa.Column("about", PlainText(), nullable=False),
    )
    _index("events", "at")
    _table(
        "audit",
        "number",
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
    )
    _table(
        "counters",
        "name",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
    )
    op.execute("INSERT INTO counters (name, last) VALUES ('events', 0), ('audit', 0)")


def _guard_audit() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for what in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER audit_no_{what.lower()} BEFORE {what} ON audit "
                f"BEGIN SELECT RAISE(ABORT, '{_REFUSAL}'); END"
            )
        return
    op.execute(
        "CREATE FUNCTION aiops_refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_REFUSAL}'; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit "
        "FOR EACH STATEMENT EXECUTE FUNCTION aiops_refuse_audit_change()"
    )


def _table(name: str, key: str, *parts: sa.schema.SchemaItem, also: str | None = None) -> None:
    keys = (key,) if also is None else (key, also)
    op.create_table(name, *parts, sa.PrimaryKeyConstraint(*keys, name=op.f(f"pk_{name}")))


def _index(table: str, *columns: str, name: str | None = None, where: str | None = None) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(
        op.f(f"ix_{table}_{name or '_'.join(columns)}"),
        table,
        list(columns),
        sqlite_where=condition,
        postgresql_where=condition,
    )


def _to_incidents(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["incident_id"],
        ["incidents.id"],
        name=op.f(f"fk_{name}_incident_id_incidents"),
        ondelete="CASCADE",
    )
