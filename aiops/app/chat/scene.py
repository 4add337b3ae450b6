"""What can be looked up to answer a question: what is kept here, and tools behind the gateway."""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiops.analyze.wording import plain
from aiops.errors import InvalidWindow, NotKept, SourceUnavailable
from aiops.model.change import Change
from aiops.model.graph import Call
from aiops.model.incident import Incident, IncidentQuery
from aiops.model.investigation import Investigation
from aiops.model.report import Report
from aiops.model.tool import Outcome, ToolCall
from aiops.ports.approvals import ApprovalStore, KillSwitch
from aiops.ports.clock import Clock
from aiops.ports.incidents import IncidentRepo
from aiops.ports.memory import Memory
from aiops.ports.repositories import InvestigationRepo
from aiops.ports.telemetry import ChangeSource, GraphSource

RECENT: Final = 200
"""Incidents whose services are known by name."""
READ: Final = 30
"""Of those that are open, whose reports are read for names, too: in a storm there are hundreds."""
Stopped = Callable[[], bool]
"""Whether nobody waits for it any more; asked now and then, while a tool is slow."""
Ask = Callable[[ToolCall, Stopped], Outcome]
Tools = Callable[[Sequence[str]], AbstractContextManager[Ask]]
"""Opens the toolsets named behind the gateway; raises InvalidInput for a wrong setting."""


@dataclass(frozen=True, slots=True)
class Scene:
    """All that answers are made of.

    Attributes:
        graph: who calls whom; its names are known.
        changes: what somebody told of.
        tools: None: nothing can be asked, only what is kept is told.
    """

    incidents: IncidentRepo
    investigations: InvestigationRepo
    approvals: ApprovalStore
    memory: Memory
    switch: KillSwitch
    graph: GraphSource
    changes: ChangeSource
    clock: Clock
    tools: Tools | None = None

    @property
    def now(self) -> datetime:
        """By the clock of the service."""
        return self.clock.now()

    def open(self) -> tuple[Incident, ...]:
        """Incidents that are not resolved, the worst first, of equal ones the newest."""
        found = self.incidents.find(IncidentQuery(("triggered", "acknowledged"), limit=RECENT))
        return tuple(sorted(found, key=lambda one: one.severity))

    def recent(self) -> tuple[Incident, ...]:
        """Incidents open or over, the newest first."""
        return tuple(self.incidents.find(IncidentQuery(limit=RECENT)))

    def latest(self) -> Incident | None:
        """The incident that was opened last."""
        return next(iter(self.incidents.find(IncidentQuery(limit=1))), None)

    def incident(self, incident_id: str) -> Incident | None:
        """The one with this id; None where there is none."""
        try:
            return self.incidents.get(incident_id)
        except NotKept:
            return None

    def investigation(self, incident: Incident) -> Investigation | None:
        """The newest that finished; None before the first."""
        if incident.report is None:
            return None
        try:
            return self.investigations.get(incident.report)
        except NotKept:
            return None

    def about(self, service: str) -> tuple[Incident, ...]:
        """Incidents that a service is part of: those that are open first, then the newest."""
        found = self.incidents.find(IncidentQuery(limit=RECENT))
        of_it = [one for one in found if service in one.services]
        of_it += [one for one in self.open()[:READ] if self._accuses(one, service)]
        return tuple(sorted(dict.fromkeys(of_it), key=lambda one: not one.open))

    def part_of(self, incident: Incident, service: str) -> bool:
        """Whether a service has to do with an incident, by its alerts or its report."""
        return service in incident.services or self._accuses(incident, service)

    def services(self) -> tuple[str, ...]:
        """Names of services that anything kept here tells of, sorted."""
        found = {
            name
            for one in self.incidents.find(IncidentQuery(limit=RECENT))
            for name in one.services
        }
        for incident in self.open()[:READ]:
            investigation = self.investigation(incident)
            if investigation is not None:
                found |= services_in(investigation.report)
        for call in self.calls():
            found |= {call.source.service_name, call.target.service_name}
        return tuple(sorted(name for name in found if name.strip()))

    def calls(self) -> tuple[Call, ...]:
        """Who calls whom, as far as anything kept here tells."""
        try:
            return self.graph.graph(self.now).calls
        except (SourceUnavailable, InvalidWindow):
            return ()

    def changed(
        self, services: Sequence[str] | None, start: datetime, end: datetime
    ) -> tuple[Change, ...]:
        """What was changed then, as far as anybody told; of all services for None."""
        try:
            return self.changes.changes(services, start, end)
        except (SourceUnavailable, InvalidWindow):
            return ()

    def _accuses(self, incident: Incident, service: str) -> bool:
        investigation = self.investigation(incident)
        return investigation is not None and service in services_in(investigation.report)


def services_in(report: Report) -> set[str]:
    """The services that a report accuses, or that the fault reached."""
    found = {cause.entity.service_name for cause in report.root_causes}
    for step in report.propagation:
        found |= {step.source.service_name, step.target.service_name}
    return found


def accused(report: Report) -> str | None:
    """The service of the first cause; None where nobody is accused."""
    if report.verdict != "root_cause" or not report.root_causes:
        return None
    return report.root_causes[0].entity.service_name


def titled(incident: Incident) -> str:
    """An incident in a line: "SEV1 inc-1 Cart is slow"."""
    return f"{incident.severity} {incident.id} {plain(incident.title).rstrip('. ')}"
