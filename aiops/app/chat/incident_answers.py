"""Answers from what is kept of an incident: its alerts, its report, its approvals."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from aiops.agents.memory.routines import proposed
from aiops.agents.memory.signature import signature_of
from aiops.analyze.wording import TimeWords, duration, fault, listed, percent, plain
from aiops.app.chat.saying import Draft, Said, cite, marks
from aiops.app.chat.scene import Scene, titled
from aiops.app.chat.subjects import Subject
from aiops.model.approval import Approval
from aiops.model.change import Change
from aiops.model.faults import FaultType
from aiops.model.incident import Incident
from aiops.model.investigation import Investigation
from aiops.model.ranking import Window
from aiops.model.report import Report
from aiops.model.thread import Cited

SHOWN: Final = 10
"""Things of one kind that are listed; a chat is read on a telephone."""
BEFORE_ALERTS: Final = timedelta(hours=1)
"""Ahead of an incident in which a change may have led to it."""
NO_INCIDENT: Final = (
    "There is no incident that this could be about. I know what alerts and telemetry tell me: "
    "send an alert to a webhook, or name a service to look at."
)


def broken(scene: Scene, subject: Subject) -> Said:
    """Every open incident; of one service those that it is part of."""
    draft, found, spoken_of = Draft(), scene.open(), subject.incident
    if spoken_of is not None and not (spoken_of.open or subject.named or subject.assumed):
        at = spoken_of.resolved_at
        over = "" if at is None else f", {_ago(scene, at)}"
        draft.add(f"{titled(spoken_of)} is resolved{over}.", cite(spoken_of))
    if subject.named:
        name = subject.services[0]
        found = tuple(one for one in scene.about(name) if one.open)
        if not found:
            draft.add(
                f"No open incident is about {plain(name)}. That does not say that it is well."
            )
    elif not found:
        draft.add("No incident is open. That does not say that all is well: I know of what alerts.")
        draft.add(_last_alert(scene))
    else:
        what = "1 incident is" if len(found) == 1 else f"{len(found)} incidents are"
        draft.add(f"{what} open.")
    _list_incidents(draft, scene, found)
    return draft.said()


def happened(scene: Scene, subject: Subject, window: Window) -> Said:
    """The incidents that were open at some time of a window, also those that are over."""
    draft, name = Draft(), subject.services[0] if subject.named else None
    kept = scene.recent() if name is None else scene.about(name)
    found = [
        one
        for one in kept
        if one.opened_at < window.end and (one.resolved_at or scene.now) > window.start
    ]
    about = "" if name is None else f" about {plain(name)}"
    when = f"from {_utc(window.start)} to {_utc(window.end)}"
    if not found:
        draft.add(
            f"No incident{about} was open {when}. That does not say that all was well: I know of "
            "what alerts."
        )
    else:
        what = "1 incident" if len(found) == 1 else f"{len(found)} incidents"
        draft.add(f"{what}{about} {'was' if len(found) == 1 else 'were'} open {when}.")
    _list_incidents(draft, scene, found)
    return draft.said()


def changed_in(scene: Scene, subject: Subject, window: Window) -> Said:
    """What somebody told of as changed in a window."""
    draft = Draft()
    services = subject.services if subject.named else None
    of = f" of {listed([plain(one) for one in services])}" if services else ""
    draft.add(f"Changes{of} from {_utc(window.start)} to {_utc(window.end)}, as told to me:")
    _list_changes(draft, scene.changed(services, window.start, window.end))
    if len(draft.lines) == 1:
        draft.add("none; somebody may have made one unseen.")
    return draft.said()


def why(scene: Scene, subject: Subject) -> Said:
    """The report's verdict in its own words, and what else was suspected."""
    incident = subject.incident
    if incident is None:
        return Said(NO_INCIDENT)
    investigation = scene.investigation(incident)
    if investigation is None:
        return Said(_unreported(incident), (cite(incident),))
    report, draft = investigation.report, Draft()
    draft.add(_opening(incident, subject), cite(incident))
    draft.add_from(investigation, plain(report.summary))
    if subject.named:
        _role_of(draft, investigation, subject.services[0])
    _confidence(draft, investigation)
    for unknown in report.unknowns[:2]:
        draft.add(f"Not known: {plain(unknown)}")
    return draft.said()


def since(scene: Scene, subject: Subject) -> Said:
    """When it began in the data, when the first alert fired, when the incident was opened."""
    incident = subject.incident
    if incident is None:
        return Said(NO_INCIDENT)
    draft, investigation = Draft(), scene.investigation(incident)
    draft.add(_opening(incident, subject), cite(incident))
    report = None if investigation is None else investigation.report
    if investigation is not None and report is not None and report.onset is not None:
        first = report.root_causes[0].evidence[:1] if report.root_causes else ()
        times = TimeWords(report.subject.window.start, report.subject.relative)
        at = times.full(report.onset)
        ago = "" if times.relative else f", {_ago(scene, report.onset)}"
        draft.add_from(investigation, f"In the data it began at {at}{ago}{marks(first)}.")
    alerts = scene.incidents.alerts(incident.id)
    starts = [state.alert.starts_at for state in alerts]
    if starts:
        draft.add(f"The first alert of it fired at {_utc(min(starts))}.")
    draft.add(
        f"The incident was opened at {_utc(incident.opened_at)}, {_ago(scene, incident.opened_at)}."
    )
    if incident.resolved_at is not None:
        lasted = (incident.resolved_at - incident.opened_at).total_seconds()
        draft.add(f"It was resolved at {_utc(incident.resolved_at)}, after {duration(lasted)}.")
    return draft.said()


def changes(scene: Scene, subject: Subject) -> Said:
    """What was changed around the incident."""
    incident = subject.incident
    if incident is None:
        return Said(NO_INCIDENT)
    investigation = scene.investigation(incident)
    draft = Draft()
    draft.add(_opening(incident, subject), cite(incident))
    if investigation is None:
        _told_changes(draft, scene, incident, subject)
        draft.add(_unreported(incident))
        return draft.said()
    report = investigation.report
    found = [
        one
        for one in report.changes
        if not subject.named or one.entity.service_name in subject.services
    ]
    times = TimeWords(report.subject.window.start, report.subject.relative)
    for one in found[:SHOWN]:
        by = f" by {plain(one.author)}" if one.author else ""
        draft.add_from(
            investigation,
            f"- {times.at(one.at)} {plain(one.entity.name)}: {plain(one.description)}{by}"
            f"{marks(one.evidence)}",
        )
    if not found:
        of = f" of {listed(subject.services)}" if subject.named else ""
        nobody = "changes" in report.subject.missing
        why_not = "Nobody told me of changes" if nobody else f"I was told of no change{of}"
        draft.add(f"{why_not} in the window of the report; somebody may have made one unseen.")
    return draft.said()


def _told_changes(draft: Draft, scene: Scene, incident: Incident, subject: Subject) -> None:
    """What somebody told of around an incident that nobody has investigated yet."""
    found = scene.changed(
        subject.services if subject.named else None,
        incident.opened_at - BEFORE_ALERTS,
        incident.resolved_at or scene.now,
    )
    _list_changes(draft, found)
    if not found:
        draft.add(
            "I was told of no change since an hour before; somebody may have made one unseen."
        )


def _list_incidents(draft: Draft, scene: Scene, found: Sequence[Incident]) -> None:
    for incident in found[:SHOWN]:
        draft.add(f"- {_in_short(scene, incident)}", cite(incident))
    if len(found) > SHOWN:
        draft.add(f"and {len(found) - SHOWN} more")


def _list_changes(draft: Draft, found: Sequence[Change]) -> None:
    for number, one in enumerate(found[-SHOWN:], 1):
        by = f" by {plain(one.author)}" if one.author else ""
        said = f"{plain(one.entity.name)}: {plain(one.description)}"
        draft.add(f"- {_utc(one.at)} {said}{by} [C{number}]", Cited(f"C{number}", "changes", said))


def affected(scene: Scene, subject: Subject) -> Said:
    """Whom it reached: users, objectives, services."""
    incident = subject.incident
    if incident is None:
        return Said(NO_INCIDENT)
    draft, investigation = Draft(), scene.investigation(incident)
    draft.add(_opening(incident, subject), cite(incident))
    draft.add(f"Alerts are about {listed([plain(s) for s in incident.services]) or 'no service'}.")
    if investigation is None:
        draft.add(_unreported(incident))
        return draft.said()
    impact, report = investigation.report.impact, investigation.report
    if impact.slo:
        draft.add_from(investigation, f"What broke for users: {_sentence(impact.slo)}")
    if impact.affected:
        draft.add_from(investigation, f"Affected: {_sentence(impact.affected)}")
    if impact.budget_burnt is not None:
        draft.add(f"Of the error budget {percent(impact.budget_burnt)} is burnt.")
    for step in report.propagation[:SHOWN]:
        draft.add_from(
            investigation,
            f"- it reached {plain(step.target.name)} from {plain(step.source.name)}"
            f"{marks(step.evidence)}",
        )
    if not (impact.slo or impact.affected or report.propagation):
        draft.add("The report does not say how far it reached.")
    return draft.said()


def advice(scene: Scene, subject: Subject) -> Said:
    """What was proposed, what helped before, and where the guide is; never something made up."""
    incident = subject.incident
    if incident is None:
        return Said(NO_INCIDENT)
    draft, investigation = Draft(), scene.investigation(incident)
    draft.add(_opening(incident, subject), cite(incident))
    asked = scene.approvals.listed(incident=incident.id, limit=SHOWN)
    for one in asked:
        draft.add(f"- {_proposal(one)}", Cited(one.id, "approvals", one.action.preview.summary))
    if investigation is None:
        draft.add(_unreported(incident))
    else:
        _from_report(draft, scene, investigation, told=bool(asked))
    if incident.runbook_url:
        draft.add(f"The runbook of its alerts: {plain(incident.runbook_url)}")
    return draft.said()


def _from_report(draft: Draft, scene: Scene, investigation: Investigation, *, told: bool) -> None:
    report, before = investigation.report, len(draft.lines)
    for run in report.playbook_runs[:SHOWN]:
        draft.add_from(
            investigation,
            f"- guide {plain(run.playbook)}: {plain(run.outcome)}{marks(run.evidence)}",
        )
    for action in report.actions[: 0 if told else SHOWN]:
        draft.add_from(
            investigation,
            f"- {plain(action.summary)} ({action.tool}, risk {action.risk}): {action.state}"
            f"{marks(action.evidence)}",
        )
    routine = proposed(scene.memory, signature_of(report))
    if routine is not None:
        past = listed(routine.learned_from)
        draft.add(f"- what helped before when it looked so: {', '.join(routine.steps)} ({past})")
    if len(draft.lines) > before or told:
        return
    draft.add("Nothing was proposed, and I make nothing up. Look at the cause first:")
    draft.add_from(investigation, plain(report.summary))


def _proposal(one: Approval) -> str:
    waits = f"waits for a person: aiops approvals show {one.id}" if one.open else one.state
    return f"{plain(one.action.preview.summary)} (risk {one.action.risk}): {waits}"


def _opening(incident: Incident, subject: Subject) -> str:
    """Which incident it is, where the question did not say so itself."""
    if subject.assumed:
        which = "the only open incident" if incident.open else "the latest incident, which is over"
        return f"About {which}, {titled(incident)} ({incident.status}):"
    return f"{titled(incident)} ({incident.status}):"


def _role_of(draft: Draft, investigation: Investigation, service: str) -> None:
    """What the report says of one service, where that is not the first cause."""
    report = investigation.report
    rank = next((c for c in report.root_causes if c.entity.service_name == service), None)
    ruled = next((r for r in report.ruled_out if r.entity.service_name == service), None)
    if rank is not None and rank.rank > 1:
        draft.add_from(
            investigation,
            f"{plain(service)} is candidate {rank.rank} of {len(report.root_causes)}"
            f"{marks(rank.evidence)}.",
        )
    elif rank is None and ruled is not None:
        draft.add_from(
            investigation,
            f"{plain(service)} was ruled out: {plain(ruled.reason)}{marks(ruled.evidence)}",
        )
    elif rank is None:
        draft.add(f"The report accuses {plain(service)} of nothing, and did not rule it out.")


def _confidence(draft: Draft, investigation: Investigation) -> None:
    causes = investigation.report.root_causes
    if investigation.report.verdict != "root_cause" or not causes:
        return
    first, told = causes[0], investigation.report.summary
    if first.confidence is not None and percent(first.confidence) not in told:
        kind = (
            ""
            if first.fault_type is FaultType.UNKNOWN
            else f", fault type {fault(first.fault_type)}"
        )
        draft.add_from(
            investigation,
            f"Confidence {percent(first.confidence)}{kind}{marks(first.evidence)}.",
        )


def _in_short(scene: Scene, incident: Incident) -> str:
    investigation = scene.investigation(incident)
    alerts = f"{incident.firing} of {incident.alerts} alerts firing"
    parts = [titled(incident), incident.status, f"opened {_ago(scene, incident.opened_at)}", alerts]
    if investigation is None:
        parts.append("no report yet")
    else:
        parts.extend(_verdict(investigation.report))
    return ", ".join(parts)


def _verdict(report: Report) -> Iterator[str]:
    if report.verdict == "root_cause" and report.root_causes:
        yield f"likely cause {plain(report.root_causes[0].entity.name)}"
    else:
        yield "its report accuses nobody"


def _unreported(incident: Incident) -> str:
    """Why there is no report, and what to do about it."""
    if incident.investigations or incident.investigate_at is not None:
        return f"The investigation of {incident.id} has not finished; ask again in a moment."
    command = f"aiops investigate --incident {incident.id}"
    return f"Nobody has investigated {incident.id}; ask for it with: {command}"


def _last_alert(scene: Scene) -> str:
    last = next(iter(scene.incidents.alerts(limit=1)), None)
    if last is None:
        return "No alert has ever reached me: check that a webhook is set up (docs/webhooks.md)."
    return f"The last alert was heard {_ago(scene, last.last_at)}: {plain(last.alert.name)}."


def _ago(scene: Scene, at: datetime) -> str:
    return f"{duration(max(0.0, round((scene.now - at).total_seconds())))} ago"


def _sentence(text: str) -> str:
    return f"{plain(text).rstrip('. ')}."


def _utc(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
