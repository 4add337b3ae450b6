"""The investigation of an incident, as a job that may be begun twice and takes effect once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from aiops.agents.inline import InlineRuns
from aiops.app.investigate import CaseInquiry, Explain
from aiops.app.slos import with_planned_work
from aiops.app.telemetry_window import Reach, Source, collect
from aiops.errors import NotKept
from aiops.model.alert import Alert, Severity
from aiops.model.incident import Incident, TimelineEntry
from aiops.model.investigation import Investigation
from aiops.model.job import Job
from aiops.model.report import Report
from aiops.model.run import Collected
from aiops.model.slo import Slo
from aiops.ports.analyzer import Analyzer
from aiops.ports.clock import Clock
from aiops.ports.incidents import IncidentRepo
from aiops.ports.inquiry import Runner
from aiops.ports.repositories import InvestigationRepo
from aiops.ports.telemetry import TelemetryStore

KIND = "investigate"
ACTOR = "aiops"
ACTED = "-acted"
"""Ends the id of the report that tells what became of an investigation's actions; such ids sort
after the investigation's and before the next one's."""
LOOK_AGAIN = (timedelta(seconds=10), timedelta(minutes=1), timedelta(minutes=5))
"""After the first, second and third investigation that named no cause while alerts still fire:
telemetry goes on, and what was too short to tell at first may be plain a minute later."""
HEAD_START: Final[Mapping[Severity, timedelta]] = {
    "SEV1": timedelta(seconds=60),
    "SEV2": timedelta(seconds=30),
    "SEV3": timedelta(seconds=10),
    "SEV4": timedelta(0),
}
"""How much earlier an incident may have become due that a worse one overtakes. Together it is far
less than what makes the service say that its investigations are late."""


@dataclass(frozen=True, slots=True)
class IncidentReports:
    """Does the jobs of kind KIND.

    Attributes:
        sources: telemetry to pull from, by name.
        reach: how far around the incident.
        changes_recorded: whether anybody tells the store of changes.
        explain: adds propagation; None for analyzers alone.
        slos: objectives that say what an incident did to users.
        runner: carries jobs through the graph so that another process can take them up; None: in
            this thread, and anew after a crash.
    """

    incidents: IncidentRepo
    investigations: InvestigationRepo
    telemetry: TelemetryStore
    sources: Sequence[tuple[str, Source]]
    analyzer: Analyzer
    explain: Explain | None
    clock: Clock
    reach: Reach
    changes_recorded: bool = False
    slos: Sequence[Slo] = ()
    seed: int = 0
    top: int = 5
    runner: Runner | None = None

    def __call__(self, job: Job) -> Report:
        """Investigate the incident ``job.about``, unless an earlier attempt has.

        Raises:
            NotKept: there is no such incident.
            StoreUnavailable: nothing was finished; the job is to be tried again.
        """
        incident = self.incidents.get(job.about)
        made = investigation_id(job)
        runner = self.runner or InlineRuns(self.clock)
        try:
            report = self.investigations.get(made).report
        except NotKept:
            alerts = tuple(state.alert for state in self.incidents.alerts(incident.id))
            report = runner(made, self.inquiry(incident, alerts), incident.id)
            self.investigations.save(Investigation(made, incident.id, self.clock.now(), report))
        self._note(incident.id, made, report)
        runner.forget(made)
        return report

    def acted(self, run: str) -> Report | None:
        """What became of the actions that investigation ``run`` proposed, as a report of its own.

        What was found stays as it was first written. Done twice it takes effect once.

        Returns:
            None while it waits on.

        Raises:
            NotKept: the investigation, its incident or its run is not known (any more).
            StoreUnavailable: nothing was finished; it is to be tried again.
        """
        first = self.investigations.get(run)
        incident, made = self.incidents.get(first.about), f"{run}{ACTED}"
        runner = self.runner or InlineRuns(self.clock)
        try:
            report = self.investigations.get(made).report
        except NotKept:
            alerts = tuple(state.alert for state in self.incidents.alerts(incident.id))
            ended = runner.go_on(run, self.inquiry(incident, alerts), incident.id)
            if ended is None:
                return None
            report = replace(first.report, actions=ended.actions, verification=ended.verification)
            self.investigations.save(Investigation(made, incident.id, self.clock.now(), report))
        self._tell_acted(incident.id, made, report)
        runner.forget(run)
        return report

    def report(self, incident: Incident, alerts: tuple[Alert, ...] = ()) -> Report:
        """What an investigation finds; telemetry that is pulled for it is kept, it is not.

        Raises:
            StoreUnavailable: nothing can be kept, so nothing was collected.
        """
        return InlineRuns(self.clock)(incident.id, self.inquiry(incident, alerts), incident.id)

    def inquiry(self, incident: Incident, alerts: tuple[Alert, ...]) -> CaseInquiry:
        """The incident and the analyzers over it, for whoever carries out the run."""

        def gather(at: datetime) -> Collected:
            began = self.clock.stopwatch()
            found = collect(
                incident,
                self.sources,
                self.telemetry,
                now=at,
                reach=self.reach,
                changes_recorded=self.changes_recorded,
                alerts=alerts,
            )
            pulled = self.clock.stopwatch() - began
            return Collected(found.case, found.failed, (("collect", pulled),))

        return CaseInquiry(
            gather=gather,
            analyzer=self.analyzer,
            explain=self.explain,
            slos=with_planned_work(self.slos, self.incidents.silences()),
            alerts=alerts,
            seed=self.seed,
            top=self.top,
            clock=self.clock.stopwatch,
        )

    def _note(self, incident_id: str, investigation: str, report: Report) -> None:
        """Tell it in the incident's timeline and on the bus, once."""
        with self.incidents.work() as work:
            incident = work.incidents([incident_id])[incident_id]
            if incident.report is not None and incident.report >= investigation:
                return
            now = self.clock.now()
            told = replace(incident, report=investigation, investigated_at=now)
            if report.verdict != "root_cause" and (again := _look_again(incident)) is not None:
                told = replace(told, investigate_at=now + again)
            work.put_incident(told)
            work.note(
                TimelineEntry(
                    incident_id,
                    now,
                    "investigation_finished",
                    ACTOR,
                    report.summary,
                    investigation,
                )
            )
            work.tell("investigation.finished", incident_id)

    def _tell_acted(self, incident_id: str, investigation: str, report: Report) -> None:
        """Show it as the incident's report, once; what did not work is looked at anew."""
        with self.incidents.work() as work:
            incident = work.incidents([incident_id])[incident_id]
            if incident.report is not None and incident.report >= investigation:
                return
            told = replace(incident, report=investigation)
            failed = report.verification is not None and not report.verification.worked
            if failed and incident.open and incident.firing and incident.investigate_at is None:
                told = replace(told, investigate_at=self.clock.now())
            work.put_incident(told)
            work.tell("investigation.finished", incident_id)


def _look_again(incident: Incident) -> timedelta | None:
    """How long to wait before the next look; None where another is asked for already or idle."""
    unsettled = incident.open and incident.firing and incident.investigate_at is None
    if not unsettled or not 1 <= incident.investigations <= len(LOOK_AGAIN):
        return None
    return LOOK_AGAIN[incident.investigations - 1]


def investigation_id(job: Job) -> str:
    """The same for every attempt at ``job``; those of one incident sort by their number."""
    _, incident, number = job.key.split(":")
    return f"inv-{incident.removeprefix('inc-')}-{int(number):04d}"


def job_for(incident: Incident) -> Job:
    """The job that the incident's ``investigate_at`` asks for, ahead by how bad it is.

    Queues hand out by due time. So what is worse overtakes what waits, what runs is left to end,
    and nothing waits for ever behind what is worse.

    Raises:
        ValueError: it asks for none.
    """
    if incident.investigate_at is None:
        raise ValueError(f"{incident.id} asks for no investigation")
    key = f"{KIND}:{incident.id}:{incident.investigations + 1}"
    return Job(key, KIND, incident.id, incident.investigate_at - HEAD_START[incident.severity])
