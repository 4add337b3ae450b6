"""Approvals, calls that happen once, what runs spent, and the kill switch."""

import sqlalchemy as sa
from alembic import op

from aiops.store.sql.columns import PlainText
from aiops.store.sql.metadata import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies it."""
    _approvals()
    op.create_table(
        "calls",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("call_id", PlainText(), nullable=False),
        sa.Column("same", sa.Text(), nullable=False),
        sa.Column("begun_at", UtcDateTime(), nullable=False),
        sa.Column("seconds", sa.Double()),
        sa.Column("begun", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_calls")),
    )
    _partial("ix_calls_unfinished", "calls", ["begun_at", "key"], "outcome IS NULL")
    op.create_table(
        "spent",
        sa.Column("run", sa.Text(), nullable=False),
        sa.Column("calls", sa.BigInteger(), nullable=False),
        sa.Column("writes", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("run", name=op.f("pk_spent")),
    )
    op.create_table(
        "switches",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_switches")),
    )


def _approvals() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", PlainText(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("incident_id", PlainText()),
        sa.Column("open_as", sa.Text()),
        sa.Column("lapses_at", UtcDateTime()),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
        sa.UniqueConstraint("open_as", name=op.f("uq_approvals_open_as")),
    )
    op.create_index(op.f("ix_approvals_state_id"), "approvals", ["state", "id"])
    op.create_index(op.f("ix_approvals_incident_id_id"), "approvals", ["incident_id", "id"])
    _partial("ix_approvals_due", "approvals", ["lapses_at", "id"], "lapses_at IS NOT NULL")


def _partial(name: str, table: str, columns: list[str], where: str) -> None:
    condition = sa.text(where)
    op.create_index(op.f(name), table, columns, sqlite_where=condition, postgresql_where=condition)
