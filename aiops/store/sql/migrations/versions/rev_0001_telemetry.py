"""Telemetry: series, blocks, batches, where ids occur, changes, graphs."""

import sqlalchemy as sa
from alembic import op

from aiops.store.sql.metadata import BigId, UtcDateTime

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies it."""
    blob = sa.LargeBinary()
    op.create_table(
        "telemetry_services",
        sa.Column("id", BigId, nullable=False),
        sa.Column("digest", blob, nullable=False),
        sa.Column("name", blob, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_telemetry_services")),
        sa.UniqueConstraint("digest", name=op.f("uq_telemetry_services_digest")),
    )
    op.create_table(
        "telemetry_series",
        sa.Column("id", BigId, autoincrement=False, nullable=False),
        sa.Column("digest", blob, nullable=False),
        sa.Column("service_id", BigId, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_telemetry_series")),
        sa.UniqueConstraint("digest", name=op.f("uq_telemetry_series_digest")),
        _to_services("telemetry_series"),
    )
    op.create_index(op.f("ix_telemetry_series_service_id"), "telemetry_series", ["service_id"])
    op.create_table(
        "telemetry_blocks",
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("block", sa.BigInteger(), nullable=False),
        sa.Column("samples", blob, nullable=False),
        sa.PrimaryKeyConstraint("slot", "block", name=op.f("pk_telemetry_blocks")),
    )
    _batches(
        "telemetry_log_batches",
        ("trace_ids", "times", "span_ids", "instances", "messages"),
    )
    _batches(
        "telemetry_span_batches",
        (
            *("trace_ids", "span_ids", "parent_ids", "operations"),
            *("instances", "statuses", "starts", "durations"),
        ),
    )
    op.create_table(
        "telemetry_occurrences",
        sa.Column("kind", sa.SmallInteger(), nullable=False),
        sa.Column("bucket", sa.SmallInteger(), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("hashes", blob, nullable=False),
        sa.PrimaryKeyConstraint("kind", "bucket", "slot", name=op.f("pk_telemetry_occurrences")),
    )
    op.create_table(
        "telemetry_changes",
        sa.Column("id", BigId, nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("service_id", BigId, nullable=False),
        sa.Column("digest", blob, nullable=False),
        sa.Column("content", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_telemetry_changes")),
        sa.UniqueConstraint("digest", name=op.f("uq_telemetry_changes_digest")),
        _to_services("telemetry_changes"),
    )
    op.create_index(op.f("ix_telemetry_changes_at"), "telemetry_changes", ["at"])
    op.create_table(
        "telemetry_graphs",
        sa.Column("start", UtcDateTime(), nullable=False),
        sa.Column("content", blob, nullable=False),
        sa.PrimaryKeyConstraint("start", name=op.f("pk_telemetry_graphs")),
    )
    if op.get_bind().dialect.name == "postgresql":  # compressed already: no second attempt
        op.execute("ALTER TABLE telemetry_blocks ALTER COLUMN samples SET STORAGE EXTERNAL")


def _batches(name: str, columns: tuple[str, ...]) -> None:
    op.create_table(
        name,
        sa.Column("slot", sa.BigInteger(), nullable=False),
        sa.Column("service_id", BigId, nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        *(sa.Column(column, sa.LargeBinary(), nullable=False) for column in columns),
        sa.PrimaryKeyConstraint("slot", "service_id", name=op.f(f"pk_{name}")),
        _to_services(name),
    )
    if op.get_bind().dialect.name == "postgresql":
        for column in columns:
            op.execute(f"ALTER TABLE {name} ALTER COLUMN {column} SET STORAGE EXTERNAL")


def _to_services(name: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["service_id"],
        ["telemetry_services.id"],
        name=op.f(f"fk_{name}_service_id_telemetry_services"),
    )
