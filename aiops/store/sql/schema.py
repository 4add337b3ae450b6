"""Bringing a database to the schema this version needs; safe when several processes do it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection, Engine, inspect, text

from aiops.errors import StoreUnavailable
from aiops.store.sql.engine import place, reading, writing

if TYPE_CHECKING:
    from alembic.config import Config

_LOCK = 0x61696F7073  # any number, the same in every process: "aiops"
_OTHERS = ("checkpoint", "procrastinate")


@dataclass(frozen=True, slots=True)
class SchemaStatus:
    """Where a database stands.

    Attributes:
        at: revision of its tables; None where it has none yet.
        head: revision this version needs.
        pending: revisions to apply, in order.
    """

    at: str | None
    head: str
    pending: tuple[str, ...]


def status(engine: Engine) -> SchemaStatus:
    """Where the database stands; raises StoreUnavailable."""
    with reading(engine) as connection:
        return status_of(connection, engine)


def upgrade(engine: Engine, to: str = "head") -> SchemaStatus:
    """Apply what is pending, all or nothing, and say what was: where it stood before.

    Processes that do this at once wait for one another; the later ones find nothing to do.

    Raises:
        StoreUnavailable: the database does not answer, or was made by a later version.
    """
    with alone(engine) as connection:
        before = status_of(connection, engine)
        apply(connection, to)
    return before


def apply(connection: Connection, to: str) -> None:
    """Apply what is pending up to a revision, in the caller's transaction (``alone``)."""
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, to)


def revisions() -> tuple[str, ...]:
    """All this version knows, oldest first."""
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(_config())
    return tuple(one.revision for one in script.walk_revisions())[::-1]


def ours(name: str | None) -> bool:
    """Whether a table is one of the store's: other libraries keep theirs in the same database."""
    return name is None or not name.startswith(_OTHERS)


def status_of(connection: Connection, engine: Engine) -> SchemaStatus:
    """Where the database stands; raises StoreUnavailable where a later version made it."""
    order = revisions()
    at = None
    if inspect(connection).has_table("alembic_version"):
        at = connection.scalar(text("SELECT version_num FROM alembic_version"))
    if at is not None and at not in order:
        raise StoreUnavailable(
            f"{place(engine)}: its tables are of a later version of aiops (revision {at}); "
            "install that version"
        )
    return SchemaStatus(at, order[-1], order[order.index(at) + 1 if at else 0 :])


def _config() -> "Config":
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "aiops.store.sql:migrations")
    config.set_main_option("path_separator", "os")
    return config


@contextmanager
def alone(engine: Engine) -> Iterator[Connection]:
    """A transaction that no other migration runs beside, and that may rebuild tables."""
    if engine.dialect.name != "sqlite":
        with writing(engine) as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            yield connection
        return
    with engine.connect() as connection:
        # Tables are rebuilt to change them; what refers to them must not notice. Neither can be
        # set inside a transaction.
        driver = connection.connection.cursor()
        driver.execute("PRAGMA foreign_keys = OFF")
        driver.execute("PRAGMA busy_timeout = 60000")
        try:
            with connection.execution_options(aiops_writes=True).begin():
                yield connection
        finally:
            connection.invalidate()  # the next one is opened with the usual settings
