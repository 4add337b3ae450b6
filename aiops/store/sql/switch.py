"""The kill switch in the database, where every process sees it at once."""

from typing import Final

from sqlalchemy import Engine, delete, select

from aiops.model.tool import Stop
from aiops.store.codec import Codec
from aiops.store.sql.columns import insert_new
from aiops.store.sql.engine import reading, writing
from aiops.store.sql.operations_tables import SWITCHES

_STOP = Codec(Stop)
_NAME: Final = "writes"


class SqlSwitch:
    """A KillSwitch; see ``ports.approvals``. All of it raises StoreUnavailable."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def state(self) -> Stop | None:
        """Who stopped everything, read anew."""
        with reading(self._engine) as connection:
            body = connection.scalar(select(SWITCHES.c.body).where(SWITCHES.c.name == _NAME))
        return None if body is None else _STOP.read(body)

    def engage(self, stop: Stop) -> None:
        """Stop; the first stays."""
        with writing(self._engine) as connection:
            connection.execute(
                insert_new(SWITCHES, connection.dialect, "name"),
                {"name": _NAME, "body": _STOP.write(stop)},
            )

    def release(self) -> None:
        """Let writes pass."""
        with writing(self._engine) as connection:
            connection.execute(delete(SWITCHES).where(SWITCHES.c.name == _NAME))
