"""A postmortem's draft: what the timeline and the report say, and nothing that nobody knows.

The sections are those of Site Reliability Engineering (Google, 2016), appendix D. People judge;
the draft lists only facts that speak for or against how the incident went.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from aiops.analyze.wording import duration
from aiops.app.incidents.figures import Delays, delays
from aiops.model.incident import Incident, TimelineEntry, TimelineKind
from aiops.model.ranking import Evidence
from aiops.model.report import Report, RootCause


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline."""

    at: datetime
    actor: str
    text: str


@dataclass(frozen=True, slots=True)
class Postmortem:
    """A draft.

    Attributes:
        cause: the candidate that the report accuses.
        evidence: what it cites.
        went_well, went_badly, follow_ups: one sentence each.
    """

    incident: Incident
    report: Report | None
    delays: Delays
    timeline: tuple[Moment, ...]
    cause: RootCause | None
    evidence: tuple[Evidence, ...]
    went_well: tuple[str, ...]
    went_badly: tuple[str, ...]
    follow_ups: tuple[str, ...]


def draft(
    incident: Incident, timeline: Sequence[TimelineEntry], report: Report | None
) -> Postmortem:
    """A draft of the postmortem of an incident, over or not.

    Args:
        timeline: of the incident, oldest first.
        report: the newest, or the one that people go by.
    """
    cause = _accused(report)
    cited = set() if cause is None else set(cause.evidence)
    return Postmortem(
        incident=incident,
        report=report,
        delays=_delays(incident, timeline, report),
        timeline=_moments(timeline, report),
        cause=cause,
        evidence=tuple(each for each in report.evidence if each.id in cited) if report else (),
        went_well=_went_well(incident, timeline, report),
        went_badly=_went_badly(incident, timeline, report),
        follow_ups=_follow_ups(incident, timeline, report),
    )


def _accused(report: Report | None) -> RootCause | None:
    if report is None or report.verdict != "root_cause" or not report.root_causes:
        return None
    return report.root_causes[0]


def _delays(incident: Incident, timeline: Sequence[TimelineEntry], report: Report | None) -> Delays:
    # The incident forgets an acknowledgement when it is opened again; the timeline does not.
    acknowledged = [entry.at for entry in timeline if entry.kind == "acknowledged"]
    first = replace(incident, acknowledged_at=acknowledged[0] if acknowledged else None)
    return delays(first, _onset(report))


def _onset(report: Report | None) -> datetime | None:
    """When the fault began, on the clock of the wall."""
    return None if report is None or report.subject.relative else report.onset


def _moments(timeline: Sequence[TimelineEntry], report: Report | None) -> tuple[Moment, ...]:
    """The timeline, with what the report found out about the time before."""
    told = [
        Moment(entry.at, entry.actor, entry.text)
        for entry in _worth_telling(timeline)
        if not _told_by(report, entry)
    ]
    onset = _onset(report)
    if onset is not None:
        told.append(Moment(onset, "report", "Onset of the fault, as found in the data"))
    if report is not None and not report.subject.relative:
        told += [
            Moment(
                change.at, change.author or "report", f"{change.entity.name}: {change.description}"
            )
            for change in report.changes
        ]
    return tuple(sorted(told, key=lambda moment: moment.at))


def _worth_telling(timeline: Sequence[TimelineEntry]) -> Iterator[TimelineEntry]:
    """Without investigations that were only queued, or said again what one before had said."""
    found: str | None = None
    for entry in timeline:
        if entry.kind == "investigation_queued":
            continue
        if entry.kind == "investigation_finished":
            if entry.text == found:
                continue
            found = entry.text
        yield entry


def _told_by(report: Report | None, entry: TimelineEntry) -> bool:
    """Whether it is a change that the report has too, at the time of the change itself."""
    if report is None or report.subject.relative or entry.kind != "change":
        return False
    return any(
        f"{change.at:%Y-%m-%d %H:%M:%S} UTC: {change.description}" in entry.text
        for change in report.changes
    )


def _times(timeline: Sequence[TimelineEntry], kind: TimelineKind) -> int:
    return sum(entry.kind == kind for entry in timeline)


def _often(times: int) -> str:
    return "once" if times == 1 else f"{times} times"


def _went_well(
    incident: Incident, timeline: Sequence[TimelineEntry], report: Report | None
) -> tuple[str, ...]:
    found = []
    finished = [entry.at for entry in timeline if entry.kind == "investigation_finished"]
    if finished:
        took = (finished[0] - incident.opened_at).total_seconds()
        found.append(f"A report was there {duration(took)} after the first alert.")
    onset = _onset(report)
    if onset is not None and onset >= incident.opened_at:
        found.append("The first alert did not come after the onset that the data show.")
    if incident.verdict is not None and incident.verdict.right:
        found.append(f"The report named the cause, says {incident.verdict.author}.")
    if incident.runbook_url is not None:
        found.append(f"The alert named a runbook: {incident.runbook_url}")
    return tuple(found)


def _went_badly(
    incident: Incident, timeline: Sequence[TimelineEntry], report: Report | None
) -> tuple[str, ...]:
    unseen = delays(incident, _onset(report)).detect_s or 0.0
    facts = (
        (unseen > 0, f"No alert fired for {duration(unseen)} after the onset."),
        (not _times(timeline, "acknowledged"), "Nobody acknowledged it."),
        (not _times(timeline, "assigned"), "It was assigned to nobody."),
        (
            _times(timeline, "reopened") > 0,
            f"It ended, and was opened again: {_often(_times(timeline, 'reopened'))}.",
        ),
        (_times(timeline, "flapping") > 0, "Its alerts flapped."),
        (
            _times(timeline, "investigation_failed") > 0,
            f"An investigation failed: {_often(_times(timeline, 'investigation_failed'))}.",
        ),
        (report is None, "No investigation has finished."),
        (
            incident.verdict is not None and not incident.verdict.right,
            "The report did not name the cause.",
        ),
        (incident.runbook_url is None, "No alert named a runbook."),
    )
    return tuple(sentence for holds, sentence in facts if holds)


def _follow_ups(
    incident: Incident, timeline: Sequence[TimelineEntry], report: Report | None
) -> tuple[str, ...]:
    found = []
    verdict = incident.verdict
    if verdict is not None and not verdict.right:
        found.append(f"Make the cause visible in telemetry: {verdict.cause}")
    if verdict is None and report is not None:
        found.append("Say whether the report named the cause.")
    if incident.runbook_url is None:
        found.append("Write a runbook and link it from the alert (annotation runbook_url).")
    if _times(timeline, "flapping"):
        found.append("Give the flapping alerts a longer duration or a wider threshold.")
    if report is not None:
        found += [f"Close a blind spot: {each}" for each in report.unknowns]
        found += [f"Repair the step {each.step!r}: {each.reason}" for each in report.failed_steps]
    return tuple(found)
