"""Which queue jobs go through: the database says, and whether procrastinate is installed."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import TYPE_CHECKING

from aiops.ports.clock import Clock
from aiops.ports.ids import Ids
from aiops.ports.jobs import JobQueue

if TYPE_CHECKING:
    from aiops.store.sql.engine import Engine


@contextmanager
def job_queue(
    engine: "Engine", clock: Clock, ids: Ids, *, application: str = "aiops"
) -> Iterator[JobQueue]:
    """The queue on a database with the current schema.

    All processes on one PostgreSQL must agree: install the extra ``scale`` for all or for none.
    """
    if engine.dialect.name == "sqlite" or find_spec("procrastinate") is None:
        from aiops.jobs.leased import LeasedJobs
        from aiops.store.sql.jobs import SqlJobs

        yield LeasedJobs(SqlJobs(engine, clock), clock, ids)
        return
    from aiops.jobs.procrastinate import ProcrastinateJobs

    url = engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    queue = ProcrastinateJobs(url, clock, application=application)
    try:
        yield queue
    finally:
        queue.close()
