"""What the service does without being asked: take alerts in, queue investigations, keep watch."""

from collections.abc import Callable
from datetime import timedelta
from threading import Event, Thread
from typing import Final

import structlog

from aiops.analyze.service_graph import seen_in_spans
from aiops.app.approvals.carrying_out import order_approved
from aiops.app.approvals.lapsing import lapse
from aiops.app.incidents.dispatch import due_jobs
from aiops.app.incidents.given_up import tell_given_up
from aiops.app.incidents.grouping import Grouping, Neighbours
from aiops.app.incidents.intake import take_in
from aiops.app.pushed_telemetry import keep
from aiops.app.slo_standing import Standings
from aiops.app.slo_watch import EVERY, SloWatch
from aiops.bootstrap.deciding import desk_of
from aiops.bootstrap.objectives import of_metrics, slos_of
from aiops.bootstrap.resuming import resumptions_of
from aiops.bootstrap.service import Service
from aiops.bootstrap.threads import Threads
from aiops.jobs.loops import Heartbeats, every

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
_LOGGED: Final = ("incident.opened", "incident.reopened", "incident.resolved")
Tick = Callable[[], float]


class Background(Threads):
    """The threads of the process that keeps watch."""

    def __init__(self, service: Service, heartbeats: Heartbeats) -> None:
        self._heartbeats, self._ends = heartbeats, Event()
        self._loops: dict[str, Tick] = {
            "triage": Triaging(service),
            "dispatch": Dispatching(service),
            "failures": Telling(service),
            "graph": Charting(service),
            "approvals": Lapsing(service),
            **({"objectives": Watching(service)} if service.settings.slos else {}),
            **dict(service.chores),
        }
        super().__init__(
            (
                Thread(target=self._run, args=each, name=each[0], daemon=True)
                for each in self._loops.items()
            ),
            self._ends,
            service.clock,
        )

    def start(self) -> None:
        """Begin; returns at once."""
        for name in self._loops:
            self._heartbeats.beat(name, 0.0)
        super().start()

    def _run(self, name: str, tick: Tick) -> None:
        every(IDLE_S, tick, self._ends, name=name, heartbeats=self._heartbeats)


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
