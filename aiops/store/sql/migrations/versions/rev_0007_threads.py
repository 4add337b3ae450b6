"""Conversations: threads, and the questions of each with their answers."""

import sqlalchemy as sa
from alembic import op

from aiops.store.sql.columns import PlainText
from aiops.store.sql.metadata import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies it."""
    op.create_table(
        "threads",
        sa.Column("id", PlainText(), nullable=False),
        sa.Column("incident", PlainText()),
        sa.Column("last_at", UtcDateTime(), nullable=False),
        sa.Column("asked", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_threads")),
    )
    op.create_index(op.f("ix_threads_incident_id"), "threads", ["incident", "id"])
    op.create_index(op.f("ix_threads_last_at"), "threads", ["last_at"])
    op.create_table(
        "thread_exchanges",
        sa.Column("thread", PlainText(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("reply", sa.Text()),
        sa.ForeignKeyConstraint(
            ["thread"],
            ["threads.id"],
            name=op.f("fk_thread_exchanges_thread_threads"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("thread", "number", name=op.f("pk_thread_exchanges")),
    )
