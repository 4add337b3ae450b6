"""What people do to an incident.

Every act raises NotKept where there is no such incident, WrongState where it cannot be done to the
incident as it is (and says what can be done instead), and InvalidInput where what the person gave
cannot be used; then nothing has changed.
"""

from dataclasses import replace

from aiops.app.incidents.acts import (
    LONGEST_NAME,
    Done,
    Person,
    acting,
    must_be_open,
    must_not_be_merged,
    opened_again,
    words,
    wrong_state,
)
from aiops.model.alert import Severity
from aiops.model.incident import HumanVerdict


def acknowledge(person: Person, incident_id: str) -> Done:
    """Say that somebody is on it."""
    with acting(person, incident_id) as act:
        must_be_open(act.incident)
        if act.incident.status == "acknowledged":
            raise wrong_state(
                act.incident, "is acknowledged already; assign it, or take that back first"
            )
        taken = replace(act.incident, status="acknowledged", acknowledged_at=act.at)
        return act.done(taken, "acknowledged", f"Acknowledged by {person.name}")


def unacknowledge(person: Person, incident_id: str) -> Done:
    """Say that nobody is on it any more."""
    with acting(person, incident_id) as act:
        must_be_open(act.incident)
        if act.incident.status != "acknowledged":
            raise wrong_state(act.incident, "is not acknowledged; acknowledge it instead")
        return act.done(
            replace(act.incident, status="triggered", acknowledged_at=None),
            "acknowledged",
            f"Acknowledgement taken back by {person.name}",
            action="unacknowledged",
        )


def assign(person: Person, incident_id: str, assignee: str | None) -> Done:
    """Say whose it is; None: nobody's."""
    with acting(person, incident_id) as act:
        must_be_open(act.incident)
        name = None if assignee is None else words(assignee, "an assignee", LONGEST_NAME)
        return act.done(
            replace(act.incident, assignee=name), "assigned", f"Assigned to {name or 'nobody'}"
        )


def comment(person: Person, incident_id: str, text: str) -> Done:
    """Add a comment; also to an incident that is over."""
    with acting(person, incident_id) as act:
        return act.done(act.incident, "comment", words(text, "a comment"))


def resolve(person: Person, incident_id: str, reason: str = "") -> Done:
    """End it, whether or not alerts still fire; the next one that begins opens it again."""
    with acting(person, incident_id) as act:
        must_be_open(act.incident)
        firing = act.incident.firing
        told = [
            f"Resolved by {person.name}",
            words(reason, "a reason") if reason else "",
            f"{firing} of its alerts still firing" if firing else "",
        ]
        ended = replace(act.incident, status="resolved", resolved_at=act.at, flapping=False)
        return act.done(ended, "resolved", "; ".join(part for part in told if part))


def reopen(person: Person, incident_id: str) -> Done:
    """Open it again, whenever it ended."""
    with acting(person, incident_id) as act:
        must_not_be_merged(act.incident)
        if act.incident.open:
            raise wrong_state(act.incident, f"is {act.incident.status}, and so open already")
        group = act.incident.group
        newest = act.work.latest_of([group]).get(group, act.incident)
        if newest.open:
            raise wrong_state(act.incident, f"has an open successor; merge it into {newest.id}")
        return act.done(opened_again(act.incident), "reopened", f"Opened again by {person.name}")


def set_severity(person: Person, incident_id: str, severity: Severity) -> Done:
    """Choose the severity; alerts change it no more."""
    with acting(person, incident_id) as act:
        must_not_be_merged(act.incident)
        return act.done(
            replace(act.incident, severity=severity, severity_pinned=True),
            "severity",
            f"{act.incident.severity} to {severity} by {person.name}",
        )


def judge(person: Person, incident_id: str, *, right: bool, cause: str = "") -> Done:
    """Say whether the newest report named the cause; replaces an earlier verdict.

    Args:
        cause: what it was, where the report was wrong.
    """
    with acting(person, incident_id) as act:
        if act.incident.report is None:
            raise wrong_state(act.incident, "has no report yet; ask for an investigation first")
        named = "" if right else words(cause, "the cause, where the report is wrong,")
        told = "The report is right" if right else f"The report is wrong. The cause: {named}"
        verdict = HumanVerdict(right, named, person.name, act.at)
        judged = replace(act.incident, verdict=verdict)
        return act.done(judged, "verdict", told, ref=act.incident.report)


def withdraw_verdict(person: Person, incident_id: str) -> Done:
    """Take the verdict back; the timeline keeps that there was one."""
    with acting(person, incident_id) as act:
        if act.incident.verdict is None:
            raise wrong_state(act.incident, "has no verdict to take back")
        return act.done(
            replace(act.incident, verdict=None),
            "verdict",
            f"Verdict taken back by {person.name}",
            ref=act.incident.report,
            action="verdict_withdrawn",
        )


def request_investigation(person: Person, incident_id: str) -> Done:
    """Ask for an investigation now, whatever the cooldown."""
    with acting(person, incident_id) as act:
        must_not_be_merged(act.incident)
        return act.done(
            replace(act.incident, investigate_at=act.at),
            "comment",
            f"Investigation asked for by {person.name}",
            action="investigation_requested",
        )
