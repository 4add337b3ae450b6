"""The live service, wired: what its edges (web, worker, commands) are handed."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from aiops.app.approvals.told import ToldApprovals
from aiops.ports.access import TokenRepo
from aiops.ports.approvals import ApprovalStore, CallLedger, KillSwitch
from aiops.ports.clock import Clock
from aiops.ports.events import EventBus
from aiops.ports.ids import Ids
from aiops.ports.incidents import AlertInbox, IncidentRepo
from aiops.ports.ingestor import Ingestor
from aiops.ports.jobs import JobQueue
from aiops.ports.memory import Memory
from aiops.ports.progress import ProgressRepo
from aiops.ports.repositories import AuditLog, BlobStore, InvestigationRepo
from aiops.ports.telemetry import TelemetryStore
from aiops.ports.threads import ThreadRepo
from aiops.settings import Settings
from aiops.store.clock import SystemClock
from aiops.store.ids import TimedIds


@dataclass(frozen=True, slots=True)
class Service:
    """Everything the service is made of, behind its ports.

    Attributes:
        sources: configured telemetry, by name; pulled from around incidents.
        checkpoints: opens what keeps the agents' runs; None: runs end with the process.
        chores: what has to be done again and again, by name; each says when next, in seconds.
    """

    settings: Settings
    clock: Clock
    ids: Ids
    inbox: AlertInbox
    incidents: IncidentRepo
    investigations: InvestigationRepo
    blobs: BlobStore
    audit: AuditLog
    tokens: TokenRepo
    telemetry: TelemetryStore
    events: EventBus
    queue: JobQueue
    approvals: ApprovalStore
    ledger: CallLedger
    switch: KillSwitch
    memory: Memory
    threads: ThreadRepo
    progress: ProgressRepo
    sources: Sequence[tuple[str, Ingestor]] = ()
    chores: Sequence[tuple[str, Callable[[], float]]] = ()
    checkpoints: Callable[[], AbstractContextManager[Any]] | None = None


def in_memory(settings: Settings, clock: Clock | None = None) -> Service:
    """A service that forgets everything when it ends: for tests and trying out."""
    from aiops.events.in_process import InProcessEvents
    from aiops.jobs.leased import LeasedJobs
    from aiops.store.approvals import MemoryApprovals, MemorySwitch
    from aiops.store.calls import MemoryLedger
    from aiops.store.inbox import MemoryInbox
    from aiops.store.incidents import MemoryIncidents
    from aiops.store.jobs import MemoryJobs
    from aiops.store.memories import MemoryMemories
    from aiops.store.memory import MemoryTelemetry
    from aiops.store.progress import MemoryProgress
    from aiops.store.repositories import MemoryAudit, MemoryBlobs, MemoryInvestigations
    from aiops.store.threads import MemoryThreads
    from aiops.store.tokens import MemoryTokens

    clock = clock or SystemClock()
    ids = TimedIds(clock)
    events, inbox = InProcessEvents(clock), MemoryInbox()
    incidents = MemoryIncidents(inbox, events)
    return Service(
        settings=settings,
        clock=clock,
        ids=ids,
        inbox=inbox,
        incidents=incidents,
        investigations=MemoryInvestigations(),
        blobs=MemoryBlobs(),
        audit=MemoryAudit(),
        tokens=MemoryTokens(),
        telemetry=MemoryTelemetry(),
        events=events,
        queue=LeasedJobs(MemoryJobs(clock), clock, ids),
        approvals=ToldApprovals(MemoryApprovals(events), incidents, clock),
        ledger=MemoryLedger(),
        switch=MemorySwitch(),
        memory=MemoryMemories(),
        threads=MemoryThreads(),
        progress=MemoryProgress(events),
    )
