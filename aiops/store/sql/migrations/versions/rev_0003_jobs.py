"""Jobs: what is to be done, by whom it is held, what became of it."""

import sqlalchemy as sa
from alembic import op

from aiops.store.sql.columns import PlainText
from aiops.store.sql.metadata import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies it."""
    op.create_table(
        "jobs",
        sa.Column("key", PlainText(), nullable=False),
        sa.Column("kind", PlainText(), nullable=False),
        sa.Column("about", PlainText(), nullable=False),
        sa.Column("due", UtcDateTime(), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("wait_until", UtcDateTime()),
        sa.Column("holder", PlainText()),
        sa.Column("beats", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("error", PlainText()),
        sa.Column("ended_at", UtcDateTime()),
        sa.Column("dead", sa.Boolean(), nullable=False, server_default=sa.false()),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_ended_at"), "jobs", ["ended_at"])
    yes = "1" if op.get_bind().dialect.name == "sqlite" else "true"
    for name, where in (
        ("open", "ended_at IS NULL"),
        ("held", "holder IS NOT NULL"),
        ("dead", f"dead = {yes}"),
    ):
        condition = sa.text(where)
        op.create_index(
            op.f(f"ix_jobs_{name}"),
            "jobs",
            ["due", "key"],
            sqlite_where=condition,
            postgresql_where=condition,
        )
