"""Past incidents, and routines that helped."""

import sqlalchemy as sa
from alembic import op

from aiops.store.sql.columns import PlainText
from aiops.store.sql.metadata import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies it."""
    op.create_table(
        "past_incidents",
        sa.Column("id", PlainText(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_past_incidents")),
    )
    op.create_index(op.f("ix_past_incidents_at_id"), "past_incidents", ["at", "id"])
    op.create_table(
        "routines",
        sa.Column("cue", sa.Text(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("cue", name=op.f("pk_routines")),
    )
    op.create_index(op.f("ix_routines_used_at"), "routines", ["used_at"])
