"""Whether a database can be used, tried for real."""

from sqlalchemy import Engine, text

from aiops.errors import StoreUnavailable
from aiops.store.sql.engine import place, writing
from aiops.store.sql.schema import status_of


def probe(engine: Engine) -> str:
    """What was seen, in a sentence; a row is written over with itself, so that writing is tried.

    Raises:
        StoreUnavailable: it cannot be read or written, or its schema is not this version's.
    """
    with writing(engine) as connection:
        found = status_of(connection, engine)
        if found.pending:
            raise StoreUnavailable(
                f"{place(engine)}: {len(found.pending)} of its schema's revisions are missing "
                f"(it is at {found.at or 'nothing'}); run 'aiops db upgrade'"
            )
        connection.execute(text("UPDATE alembic_version SET version_num = version_num"))
        incidents = connection.scalar(text("SELECT count(*) FROM incidents"))
    return f"{place(engine)}: schema at {found.at}, writable, {incidents} incidents"
