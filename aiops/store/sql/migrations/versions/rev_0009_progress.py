"""What investigations do, while they do it."""

import sqlalchemy as sa
from alembic import op

from aiops.store.sql.columns import PlainText
from aiops.store.sql.metadata import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies it."""
    op.create_table(
        "progress",
        sa.Column("number", sa.BigInteger(), nullable=False, autoincrement=False),
        sa.Column("about", PlainText(), nullable=False),
        sa.Column("run", PlainText(), nullable=False),
        sa.Column("at", UtcDateTime(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_progress")),
    )
    op.create_index(op.f("ix_progress_at"), "progress", ["at"])
    op.create_index(op.f("ix_progress_about_number"), "progress", ["about", "number"])
    op.execute("INSERT INTO counters (name, last) VALUES ('progress', 0)")
