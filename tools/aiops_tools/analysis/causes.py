"""Root causes: the investigation that triage would do, of an incident or of any window.

Nothing that it reads or finds is kept: it pulls into a store of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Final

from pydantic import Field

from aiops.app.incident_reports import IncidentReports
from aiops.app.telemetry_window import PUSHED_LOOK, PUSHED_METRICS_LOOK, Reach
from aiops.errors import ToolFailed
from aiops.model import TelemetryWindow, Window
from aiops.model.alert import Alert
from aiops.model.incident import Incident
from aiops.model.report import Report
from aiops.store.memory import MemoryTelemetry
from aiops_tools.findings import Findings, findings_of, summary_of, unread_of
from aiops_tools.incidents.reading import OneIncident
from aiops_tools.names import ServiceName
from aiops_tools.questions import Answer, Question
from aiops_tools.spec import Result
from aiops_tools.tables import paragraphs
from aiops_tools.telemetry.gathering import KEPT, Readers
from aiops_tools.telemetry.known import known as must_be_known
from aiops_tools.windows import InWindow, Moment, moment

LONGEST_S: Final = 300.0
"""Wall time of one investigation: as long as the slowest source may take, and ranking."""


@dataclass(frozen=True, slots=True)
class Judging:
    """What investigations need.

    Attributes:
        reports: makes what investigates, as triage would.
        readers: who is asked.
    """

    reports: Callable[[], IncidentReports]
    readers: Readers


class CausesFound(Result):
    """What was looked at, and what was found."""

    about: str
    services: list[str]
    sources: list[str]
    findings: Findings


def of_incident(scene: Judging, asked: OneIncident) -> Answer:
    """Investigate an incident with the telemetry that there is now."""
    incident = scene.readers.incidents.get(asked.incident)
    alerts = tuple(state.alert for state in scene.readers.incidents.alerts(incident.id))
    return _answer(scene, incident.id, incident, alerts, None)


class AnyWindow(InWindow):
    """Which services, and when it began as far as anybody noticed."""

    services: Annotated[
        tuple[ServiceName, ...],
        Field(max_length=20, description="that show symptoms; none: everything is looked at"),
    ] = ()
    noticed_at: Annotated[
        Moment | None, Field(description="when somebody noticed; else the window's last third")
    ] = None
    symptom: Annotated[str, Field(max_length=500, description="in words")] = ""


def of_window(scene: Judging, asked: AnyWindow) -> Answer:
    """Investigate any stretch of time."""
    now = scene.readers.now()
    window = asked.window(now)
    if asked.services:
        must_be_known(scene.readers, asked.services, (), window)
    at = window.start + (window.end - window.start) * 2 / 3
    if asked.noticed_at is not None:
        at = moment(asked.noticed_at, now)
    if not window.start < at < window.end:
        raise ToolFailed("invalid", "'noticed_at' must be within the window")
    title = asked.symptom or f"{', '.join(asked.services) or 'everything'} at {at.isoformat()}"
    incident = Incident(
        id="window",
        title=title,
        group="",
        severity="SEV3",
        status="triggered",
        opened_at=at,
        last_alert_at=at,
        services=tuple(sorted(set(asked.services))),
    )
    return _answer(scene, title, incident, (), window)


def _answer(
    scene: Judging,
    about: str,
    incident: Incident,
    alerts: tuple[Alert, ...],
    window: Window | None,
) -> Answer:
    report = _report(scene, incident, alerts, window)
    sources = [name for name, _ in scene.readers.all]
    result = CausesFound(
        about=about,
        services=list(incident.services),
        sources=sources,
        findings=findings_of(report),
    )
    looked = report.subject.window
    summary = paragraphs(
        f"investigated {about}, {looked.start.isoformat()} to {looked.end.isoformat()}, from "
        f"{' and '.join(sources)}: {report.subject.series} series, {report.subject.lines} log "
        f"lines, {report.subject.spans} spans",
        summary_of(report),
    )
    return Answer(result, summary, unread_of(report))


def _report(
    scene: Judging, incident: Incident, alerts: tuple[Alert, ...], window: Window | None
) -> Report:
    """As triage would, in a store of its own that knows what calls and pushes tell."""
    reports, kept = scene.reports(), scene.readers.kept
    opened = min(incident.opened_at, scene.readers.now())
    apart = MemoryTelemetry()
    apart.append(
        TelemetryWindow(
            opened,
            opened,
            spans=kept.spans(None, opened - PUSHED_LOOK, opened),
            metrics=kept.metrics(None, opened - PUSHED_METRICS_LOOK, opened),
            graph=kept.graph(opened),
        )
    )
    reach = reports.reach
    if window is not None:
        reach = Reach(opened - window.start, window.end - opened, reports.reach.hops)
    sources = tuple(
        (name, one) for name, one in reports.sources if name in dict(scene.readers.sources)
    )
    investigating = replace(reports, telemetry=apart, sources=((KEPT, kept), *sources), reach=reach)
    return investigating.report(incident, alerts)


INVESTIGATE = Question(
    "investigate",
    "Root causes of an incident, ranked with evidence from the telemetry that there is now.",
    OneIncident,
    CausesFound,
    of_incident,
    ("What is the root cause of this incident?", "Look at it again with fresh telemetry"),
    LONGEST_S,
)
EXPLAIN_WINDOW = Question(
    "explain_window",
    "Root causes of what happened in a window, ranked with evidence, whether or not anything "
    "alerted.",
    AnyWindow,
    CausesFound,
    of_window,
    ("Why was checkout slow at noon?", "What went wrong in the last hour?"),
    LONGEST_S,
)
