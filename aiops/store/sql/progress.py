"""What investigations do, in the database: read by every process, whichever wrote it."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Engine, Select, func, insert, select

from aiops.model.progress import Progress, events_of
from aiops.model.run import Moment
from aiops.store.codec import Codec
from aiops.store.sql.counters import draw
from aiops.store.sql.engine import reading, writing
from aiops.store.sql.events import SqlEvents
from aiops.store.sql.progress_tables import PROGRESS

COUNTER: Final = "progress"
_MOMENT = Codec(Moment)


class SqlProgress:
    """A ProgressRepo; see ``ports.progress``. All of it raises StoreUnavailable."""

    def __init__(self, engine: Engine, events: SqlEvents) -> None:
        self._engine, self._events = engine, events

    def add(self, about: str, moments: Sequence[Moment]) -> None:
        """Keep them together with the events that tell of them."""
        if not moments:
            return
        with writing(self._engine) as connection:
            last = draw(connection, COUNTER, len(moments))
            rows = [
                {
                    "number": number,
                    "about": about,
                    "run": moment.run,
                    "at": moment.at,
                    "body": _MOMENT.write(moment),
                }
                for number, moment in enumerate(moments, start=last - len(moments) + 1)
            ]
            connection.execute(insert(PROGRESS), rows)
            told = self._events.add(connection, [(kind, about) for kind in events_of(moments)])
        self._events.wake(told[-1].number)

    def after(self, about: str, number: int, *, limit: int = 500) -> tuple[Progress, ...]:
        """Those above ``number``."""
        above = select(PROGRESS).where(PROGRESS.c.about == about, PROGRESS.c.number > number)
        return self._read(above.order_by(PROGRESS.c.number).limit(limit))

    def newest(self, about: str, *, limit: int = 200) -> tuple[Progress, ...]:
        """The last ones of the latest run."""
        of_it = select(PROGRESS).where(PROGRESS.c.about == about, PROGRESS.c.run == _latest(about))
        return self._read(of_it.order_by(PROGRESS.c.number.desc()).limit(limit))[::-1]

    def before_latest(self, about: str) -> int:
        """One below its first."""
        of_it = (PROGRESS.c.about == about, PROGRESS.c.run == _latest(about))
        with reading(self._engine) as connection:
            first = connection.scalar(select(func.min(PROGRESS.c.number)).where(*of_it))
        return first - 1 if first is not None else 0

    def _read(self, found: Select[Any]) -> tuple[Progress, ...]:
        with reading(self._engine) as connection:
            rows = connection.execute(found).all()
        return tuple(Progress(row.number, row.about, _MOMENT.read(row.body)) for row in rows)


def _latest(about: str) -> Any:
    """The run that was heard of last."""
    runs = select(PROGRESS.c.run).where(PROGRESS.c.about == about)
    return runs.order_by(PROGRESS.c.number.desc()).limit(1).scalar_subquery()
