"""What runs spent is kept with the time of their last call, to be forgotten after it."""

import sqlalchemy as sa
from alembic import op

from aiops.store.sql.metadata import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Applies it."""
    op.add_column("spent", sa.Column("last_at", UtcDateTime()))
