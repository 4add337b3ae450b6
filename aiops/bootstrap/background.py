"""What the service does without being asked: take alerts in, queue investigations, do them."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from threading import Event, Thread
from typing import Final

import structlog

from aiops.analyze.explain import explain
from aiops.analyze.service_graph import seen_in_spans
from aiops.app.approvals.calling import KIND as SUMMON
from aiops.app.approvals.calling import Calling
from aiops.app.approvals.carrying_out import KIND as CARRY_OUT
from aiops.app.approvals.carrying_out import order_approved
from aiops.app.approvals.lapsing import lapse
from aiops.app.approvals.resuming import KIND as RESUME
from aiops.app.approvals.resuming import Resumptions
from aiops.app.incident_reports import KIND, IncidentReports
from aiops.app.incidents.dispatch import due_jobs
from aiops.app.incidents.given_up import tell_given_up
from aiops.app.incidents.grouping import Grouping, Neighbours
from aiops.app.incidents.intake import take_in
from aiops.app.pushed_telemetry import keep
from aiops.app.slo_standing import Standings
from aiops.app.slo_watch import EVERY, SloWatch
from aiops.app.telemetry_window import Reach
from aiops.bootstrap.agents import ServiceRuns
from aiops.bootstrap.carrying_out import CarryingOut
from aiops.bootstrap.deciding import desk_of
from aiops.bootstrap.loading import in_the_background
from aiops.bootstrap.objectives import of_metrics, slos_of
from aiops.bootstrap.resuming import GoingOn, resumptions_of
from aiops.bootstrap.service import Service
from aiops.bootstrap.summoning import summons_of
from aiops.jobs.loops import Heartbeats, every
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

BATCH, LARGE_BATCH = 50, 500
"""Deliveries of one transaction of triage: new ones wait for it to be written down. Large ones cost
less a delivery, so the more there are that wait, the more are taken."""
IDLE_S: Final = 0.2
"""How often triage looks for deliveries where there were none."""
SWEEP_S: Final = 1.0
"""How often it looks at silences and flapping although nothing was delivered."""
GRAPH_S: Final = 10.0
"""How long the service graph is taken for what it was."""
DISPATCH_S: Final = 0.5
MOST_DISPATCHED: Final = 100
"""Investigations queued by one round."""
SET_BACK: Final = timedelta(seconds=1)
"""By less a clock is slewed, not set."""
FARTHEST: Final = timedelta(days=1)
"""Beyond what any investigation is put off for."""
GIVEN_UP_S: Final = 5.0
"""How often investigations that were given up are looked for."""
APPROVALS_S: Final = 2.0
"""How often approvals whose time is over are looked for."""
WORK_PATIENCE_S: Final = 2.5
"""How long an investigation may go on after the stop, before it is given back."""
_LOGGED: Final = ("incident.opened", "incident.reopened", "incident.resolved")
Tick = Callable[[], float]


class Background:
    """The threads of one process.

    Args:
        at_once: how many investigations this process does at once, beside what was approved; 0 if
            others do both.
    """

    def __init__(self, service: Service, heartbeats: Heartbeats, *, at_once: int = 1) -> None:
        self._service, self._heartbeats, self._stop = service, heartbeats, Event()
        self._at_once = at_once
        self._loops: dict[str, Tick] = {
            "triage": Triaging(service),
            "dispatch": Dispatching(service),
            "failures": Telling(service),
            "graph": Charting(service),
            "approvals": Lapsing(service),
            **({"objectives": Watching(service)} if service.settings.slos else {}),
            **dict(service.chores),
        }
        self._threads = [
            Thread(target=self._run, args=each, name=each[0], daemon=True)
            for each in self._loops.items()
        ]
        if at_once:
            # Made here: what cannot be used stops the start, and libraries load before requests.
            settings = service.settings
            loading = in_the_background(settings)
            self._threads.append(loading)
            # A thread for each kind: what was approved waits for no investigation.
            for kind, handler in handlers(service).items():
                work = Thread(target=self._work, args=({kind: handler},), name=kind, daemon=True)
                self._threads.append(work)

    def start(self) -> None:
        """Begin; returns at once."""
        for name in self._loops:
            self._heartbeats.beat(name, 0.0)
        for thread in self._threads:
            thread.start()

    def stop(self, patience_s: float = 3.0) -> None:
        """Let each loop end its round. A job that takes longer is done again after the next start.

        Args:
            patience_s: for all of them together.
        """
        self._stop.set()
        until = self._service.clock.stopwatch() + patience_s
        for thread in self._threads:
            thread.join(max(0.0, until - self._service.clock.stopwatch()))

    def _run(self, name: str, tick: Tick) -> None:
        every(IDLE_S, tick, self._stop, name=name, heartbeats=self._heartbeats)

    def _work(self, handlers: Mapping[str, Handler]) -> None:
        self._service.queue.work(
            handlers, self._stop, concurrency=self._at_once, patience_s=WORK_PATIENCE_S
        )


class Triaging:
    """One round of triage."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._rules = Grouping(**service.settings.incidents.model_dump())
        self._neighbours = Neighbours(None, 0)
        self._graph_at = self._swept_at = float("-inf")
        self._log = structlog.get_logger("aiops.triage")

    def __call__(self) -> float:
        """Take in what waits; at once again where there may be more."""
        now = self._service.clock.stopwatch()
        waiting = self._service.inbox.waiting()
        if not waiting and now - self._swept_at < SWEEP_S:
            return IDLE_S
        if now - self._graph_at > GRAPH_S:
            graph = self._service.telemetry.graph(self._service.clock.now())
            self._neighbours = Neighbours(graph, self._rules.join_hops)
            self._graph_at = now
        limit = min(LARGE_BATCH, max(BATCH, waiting // 4))
        taken = take_in(
            self._service.incidents,
            self._neighbours,
            self._rules,
            self._service.clock,
            self._service.ids,
            limit=limit,
        )
        self._swept_at = now
        for kind, incident in taken.told:
            if kind in _LOGGED:
                self._log.info(kind, incident=incident)
        return 0.0 if taken.deliveries == limit else IDLE_S


class Charting:
    """One round of learning who calls whom from the spans that are pushed."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def __call__(self) -> float:
        """Look at the latest spans; triage groups by what they show."""
        now = self._service.clock.now()
        latest = self._service.telemetry.spans(None, now - timedelta(seconds=2 * GRAPH_S), now)
        keep(self._service.telemetry, self._service.clock, (), seen_in_spans(latest))
        return GRAPH_S


class Dispatching:
    """One round of queueing due investigations."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._time, self._looked_at = service.clock.now(), service.clock.stopwatch()

    def __call__(self) -> float:
        """Queue them; once the clock was set back, also what the old time had yet to reach."""
        service, clock = self._service, self._service.clock
        watch, now = clock.stopwatch(), clock.now()
        expected = self._time + timedelta(seconds=watch - self._looked_at)
        set_back = now < expected - SET_BACK
        put = due_jobs(
            service.incidents,
            service.queue,
            clock,
            at=expected + FARTHEST if set_back else None,
            limit=MOST_DISPATCHED,
        )
        more = set_back and len(put) == MOST_DISPATCHED
        self._time, self._looked_at = (expected if more else now), watch
        return DISPATCH_S


class Telling:
    """One look at the investigations that were given up: people learn of them in the timeline."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._told: set[str] = set()
        self._log = structlog.get_logger("aiops.jobs")

    def __call__(self) -> float:
        """Tell of those that are new to this process; what is noted already stays as it is."""
        new = [each for each in self._service.queue.dead() if each.job.key not in self._told]
        for each in tell_given_up(self._service.incidents, new):
            self._log.error("investigation failed", incident=each.job.about, reason=each.error)
        self._told.update(each.job.key for each in new)
        return GIVEN_UP_S


class Lapsing:
    """One look at the approvals: whose time is over, what nobody queued, who can go on."""

    def __init__(self, service: Service) -> None:
        self._desk, self._queue = desk_of(service), service.queue
        self._resumptions = resumptions_of(service)
        self._log = structlog.get_logger("aiops.approvals")

    def __call__(self) -> float:
        """Escalate or end the ones, queue the others, and the runs that waited for them."""
        for each in lapse(self._desk):
            self._log.warning("nobody answered in time", approval=each.id, now=each.state)
        order_approved(self._desk.approvals, self._queue, self._desk.clock)
        self._resumptions.sweep()
        return APPROVALS_S


class Watching:
    """One look at every objective; what burns comes in as an alert like any other."""

    def __init__(self, service: Service) -> None:
        self._log = structlog.get_logger("aiops.objectives")
        self._watch = SloWatch(
            slos_of(service.settings),
            of_metrics(service),
            service.inbox,
            service.incidents,
            service.clock,
        )

    def __call__(self) -> float:
        """Look."""
        for source, reason in self._watch():
            self._log.warning("objectives cannot be judged", source=source, reason=reason)
        return EVERY.total_seconds()


def standings(service: Service) -> Standings:
    """How the objectives stand; raises InvalidData."""
    return Standings(
        slos_of(service.settings), of_metrics(service), service.incidents, service.clock
    )


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
