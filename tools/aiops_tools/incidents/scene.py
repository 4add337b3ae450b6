"""What tools about incidents work on, and how they name one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field

from aiops.errors import NotKept
from aiops.model.incident import Incident
from aiops.model.report import Report
from aiops.model.tool import Target
from aiops.ports.clock import Clock
from aiops.ports.events import Notifier
from aiops.ports.incidents import IncidentRepo
from aiops.ports.repositories import InvestigationRepo
from aiops_tools.spec import Result

OWN: Final = "aiops"
"""The cluster of what is kept here."""

IncidentId = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        description="id of an incident",
        json_schema_extra={"format": "incident"},
    ),
]


@dataclass(frozen=True, slots=True)
class Scene:
    """What is kept, and who can be told.

    Attributes:
        toolset: its name, for the names of its other tools.
        notifiers: channels, by name.
    """

    toolset: str
    incidents: IncidentRepo
    investigations: InvestigationRepo
    notifiers: Mapping[str, Notifier]
    clock: Clock

    def report_of(self, incident: Incident) -> Report | None:
        """Its newest report; None where there is none, or it is no longer kept."""
        if incident.report is None:
            return None
        try:
            return self.investigations.get(incident.report).report
        except NotKept:
            return None


class IncidentRow(Result):
    """One incident; ``cause`` is a person's word where there is one, else the report's first."""

    id: str
    title: str
    severity: str
    status: str
    services: list[str]
    cluster: str | None
    namespace: str | None
    opened_at: datetime
    resolved_at: datetime | None
    firing: int
    alerts: int
    report: str | None
    cause: str | None


def row_of(incident: Incident, report: Report | None) -> IncidentRow:
    """``incident`` in short."""
    return IncidentRow(
        id=incident.id,
        title=incident.title,
        severity=incident.severity,
        status=incident.status,
        services=list(incident.services),
        cluster=incident.cluster,
        namespace=incident.namespace,
        opened_at=incident.opened_at,
        resolved_at=incident.resolved_at,
        firing=incident.firing,
        alerts=incident.alerts,
        report=incident.report,
        cause=cause_of(incident, report),
    )


def cause_of(incident: Incident, report: Report | None) -> str | None:
    """What it was: in a person's words where the report was wrong, else as the report accuses."""
    if incident.verdict is not None and not incident.verdict.right:
        return incident.verdict.cause
    if report is None or report.verdict != "root_cause" or not report.root_causes:
        return None
    first = report.root_causes[0]
    return f"{first.entity.service_name}: {first.fault_type.value}"


def target_of(incident: Incident) -> Target:
    """An incident as what a call changes."""
    return Target(OWN, "Incident", incident.id)
