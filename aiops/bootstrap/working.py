"""What does the jobs: investigations, approved actions, runs that go on, summonses."""

from collections.abc import Mapping
from datetime import timedelta
from threading import Event, Thread
from typing import Final

import structlog

from aiops.analyze.explain import explain
from aiops.app.approvals.calling import KIND as SUMMON
from aiops.app.approvals.calling import Calling
from aiops.app.approvals.carrying_out import KIND as CARRY_OUT
from aiops.app.approvals.resuming import KIND as RESUME
from aiops.app.approvals.resuming import Resumptions
from aiops.app.incident_reports import KIND, IncidentReports
from aiops.app.telemetry_window import Reach
from aiops.bootstrap.agents import ServiceRuns
from aiops.bootstrap.carrying_out import CarryingOut
from aiops.bootstrap.loading import in_the_background
from aiops.bootstrap.objectives import slos_of
from aiops.bootstrap.resuming import GoingOn, resumptions_of
from aiops.bootstrap.service import Service
from aiops.bootstrap.summoning import summons_of
from aiops.bootstrap.threads import Threads
from aiops.model.job import Job
from aiops.plugins import analyzer, names
from aiops.ports.jobs import Handler
from aiops.ports.telemetry import (
    ChangeSource,
    GraphSource,
    LogSource,
    MetricSource,
    StateSource,
    TraceSource,
)

PATIENCE_S: Final = 2.5
"""How long an investigation may go on after the stop, before it is given back."""


class Working(Threads):
    """The threads of one process that do jobs.

    Each kind has some of its own: what was approved waits for no investigation.

    Args:
        at_once: how many jobs of a kind this process does at once.

    Raises:
        UnknownName: the settings name a method that does not exist.
    """

    def __init__(self, service: Service, *, at_once: int = 1) -> None:
        self._queue, self._at_once, self._ends = service.queue, at_once, Event()
        # Made here: what cannot be used stops the start, and libraries load before requests.
        kinds = [
            Thread(target=self._work, args=({kind: handler},), name=kind, daemon=True)
            for kind, handler in handlers(service).items()
        ]
        super().__init__(kinds, self._ends, service.clock)
        self._libraries = in_the_background(service.settings)

    def start(self) -> None:
        """Begin; returns at once."""
        self._libraries.start()
        super().start()

    def _work(self, handlers: Mapping[str, Handler]) -> None:
        self._queue.work(handlers, self._ends, concurrency=self._at_once, patience_s=PATIENCE_S)


class Logged:
    """Investigations with what the log says of each; its lines carry the incident and the job."""

    def __init__(self, reports: IncidentReports, resumptions: Resumptions) -> None:
        self._reports, self._resumptions = reports, resumptions
        self._log = structlog.get_logger("aiops.investigations")

    def __call__(self, job: Job) -> None:
        """Do it; raises what it raises, which the queue writes down."""
        log = self._log.bind(incident=job.about, job=job.key)
        log.info("investigation begins", attempt=job.attempt)
        report = self._reports(job)
        # What it asked for may be settled before its report was kept.
        self._resumptions.of(job.about)
        log.info(
            "investigation ends",
            verdict=report.verdict,
            seconds=round(report.timings.total_s, 2),
            failed_steps=[f"{step.step}: {step.reason}" for step in report.failed_steps],
        )


def handlers(service: Service) -> dict[str, Handler]:
    """What does the jobs, by kind; raises UnknownName for a method that does not exist."""
    reports = reporting(service)
    calling = Calling(
        service.approvals, service.incidents, service.clock, summons_of(service.settings)
    )
    return {
        KIND: Logged(reports, resumptions_of(service)),
        CARRY_OUT: CarryingOut(service),
        RESUME: GoingOn(reports),
        SUMMON: calling,
    }


def reporting(service: Service) -> IncidentReports:
    """What does the investigations; raises UnknownName for a method that does not exist."""
    kinds = (MetricSource, LogSource, TraceSource, ChangeSource, GraphSource, StateSource)
    settings, window = service.settings, service.settings.window
    tell_of_changes = set(names("aiops.change_webhooks"))
    return IncidentReports(
        incidents=service.incidents,
        investigations=service.investigations,
        telemetry=service.telemetry,
        sources=[(name, each) for name, each in service.sources if isinstance(each, kinds)],
        analyzer=analyzer(settings.method),
        explain=explain,
        clock=service.clock,
        reach=Reach(
            timedelta(seconds=window.before_s), timedelta(seconds=window.after_s), window.hops
        ),
        changes_recorded=any(isinstance(each, ChangeSource) for _, each in service.sources)
        or any(each.kind in tell_of_changes for each in settings.webhooks.values()),
        slos=slos_of(settings),
        seed=settings.seed,
        top=settings.top,
        runner=ServiceRuns(service),
    )
