"""Calls carry signs of life of the process that runs them."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies it."""
    op.add_column("calls", sa.Column("beats", sa.Integer()))
