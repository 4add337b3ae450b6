"""The live service on its database: what `aiops serve` and its workers run on."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import TYPE_CHECKING, Final

from aiops import plugins
from aiops.agents.checkpoints import checkpoints
from aiops.app.approvals.told import ToldApprovals
from aiops.bootstrap.forgetting import Forgetting
from aiops.bootstrap.queues import job_queue
from aiops.bootstrap.service import Service
from aiops.bootstrap.summoning import summons_of
from aiops.errors import InvalidInput
from aiops.ports.clock import Clock
from aiops.ports.ingestor import Ingestor
from aiops.settings import Settings
from aiops.store.clock import SystemClock
from aiops.store.ids import TimedIds
from aiops.toolbelt.recovery import Unfinished

if TYPE_CHECKING:
    from aiops.store.sql.engine import Engine

CHECKPOINT_S: Final = 2.0
"""How often SQLite's write-ahead log is copied into its file: seconds of it are a few megabytes."""


@contextmanager
def durable(
    settings: Settings, *, clock: Clock | None = None, application: str = "aiops"
) -> Iterator[Service]:
    """The service on ``settings.database_url``, its schema brought up to date first.

    Raises:
        InvalidInput: a setting that cannot be used, by its key.
        StoreUnavailable: the database does not answer.
    """
    from aiops.store.sql.approvals import SqlApprovals
    from aiops.store.sql.audit import SqlAudit
    from aiops.store.sql.blobs import SqlBlobs
    from aiops.store.sql.calls import SqlLedger
    from aiops.store.sql.engine import open_engine
    from aiops.store.sql.events import SqlEvents
    from aiops.store.sql.inbox import SqlInbox
    from aiops.store.sql.incidents import SqlIncidents
    from aiops.store.sql.investigations import SqlInvestigations
    from aiops.store.sql.memories import SqlMemories
    from aiops.store.sql.progress import SqlProgress
    from aiops.store.sql.schema import upgrade
    from aiops.store.sql.switch import SqlSwitch
    from aiops.store.sql.telemetry import SqlTelemetry
    from aiops.store.sql.threads import SqlThreads
    from aiops.store.sql.tokens import SqlTokens

    clock = clock or SystemClock()
    ids = TimedIds(clock)
    sources, summons = connected(settings), summons_of(settings)
    engine = open_engine(settings.database_url, application=application)
    events = SqlEvents(engine, clock)
    queued = ExitStack()
    try:
        upgrade(engine)
        incidents = SqlIncidents(engine, clock, events)
        audit, ledger = SqlAudit(engine), SqlLedger(engine)
        queue = queued.enter_context(job_queue(engine, clock, ids, application=application))
        yield Service(
            settings=settings,
            clock=clock,
            ids=ids,
            inbox=SqlInbox(engine),
            incidents=incidents,
            investigations=SqlInvestigations(engine),
            blobs=SqlBlobs(engine, clock),
            audit=audit,
            tokens=SqlTokens(engine),
            telemetry=SqlTelemetry(engine),
            events=events,
            queue=queue,
            approvals=ToldApprovals(SqlApprovals(engine, events), incidents, clock, summons, queue),
            ledger=ledger,
            switch=SqlSwitch(engine),
            memory=SqlMemories(engine),
            threads=SqlThreads(engine),
            progress=SqlProgress(engine, events),
            sources=sources,
            checkpoints=partial(checkpoints, settings.database_url),
            chores=(
                ("retention", Forgetting(engine, incidents, queue, clock, settings)),
                ("calls", Unfinished(ledger, audit, clock)),
                ("checkpoint", partial(_checkpointed, engine)),
            ),
        )
    finally:
        queued.close()
        events.close()
        engine.dispose()


def _checkpointed(engine: "Engine") -> float:
    """One round; returns when to do it again, in seconds."""
    from aiops.store.sql.engine import checkpoint

    checkpoint(engine)
    return CHECKPOINT_S


def connected(settings: Settings) -> tuple[tuple[str, Ingestor], ...]:
    """The configured sources of telemetry, by name; opens no connection yet.

    Raises:
        InvalidInput: a source without a kind, of an unknown kind, or with a wrong option.
    """
    found: list[tuple[str, Ingestor]] = []
    for name, given in settings.sources.items():
        options = dict(given)
        kind = options.pop("kind", None)
        if kind not in plugins.names("aiops.ingestors"):
            known = ", ".join(plugins.names("aiops.ingestors")) or "none is installed"
            raise InvalidInput(f"setting 'sources.{name}.kind': say which kind it is ({known})")
        found.append((name, plugins.load("aiops.ingestors", kind).connect(name, options)))
    return tuple(found)
