"""Run by Alembic, in the connection and the transaction that ``schema.upgrade`` hands over."""

from alembic import context

from aiops.store.sql.metadata import METADATA
from aiops.store.sql.schema import ours

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=connection.dialect.name == "sqlite",
    transactional_ddl=True,
    include_name=lambda name, kind, _: kind != "table" or ours(name),
)
with context.begin_transaction():
    context.run_migrations()
