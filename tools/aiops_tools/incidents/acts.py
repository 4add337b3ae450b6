"""What is done to incidents: a note, a verdict, people told."""

from typing import Annotated, Literal

from pydantic import Field

from aiops.app.incidents.acts import LONGEST_TEXT, Person, acting, words
from aiops.app.incidents.lifecycle import judge, withdraw_verdict
from aiops.errors import NotKept, ToolFailed
from aiops.model.canonical import canonical, digest
from aiops.model.incident import Incident, TimelineEntry, TimelineKind
from aiops.model.tool import BlastRadius, Preview, Undo, Verified
from aiops.ports.tools import ToolContext
from aiops_tools.deeds import Deed
from aiops_tools.incidents.reading import OneIncident
from aiops_tools.incidents.scene import Scene, target_of
from aiops_tools.questions import Answer
from aiops_tools.spec import Result
from aiops_tools.tables import cell

ONE = BlastRadius(objects=1)


class Noted(Result):
    """What an act left in the timeline."""

    incident: str
    text: str


class Note(OneIncident):
    """A note in the timeline."""

    text: Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT)]


def preview_note(scene: Scene, asked: Note, context: ToolContext) -> Preview:
    """A line more in the timeline."""
    incident = scene.incidents.get(asked.incident)
    text = words(asked.text, "a note")
    return Preview(
        summary=f"add a note to {incident.id}: {cell(text)}",
        targets=(target_of(incident),),
        diff=_added(context.caller.name, text),
        state=digest({"incident": incident.id}),  # a note depends on nothing else
        radius=ONE,
        warnings=("A timeline only grows: the note cannot be taken out again.",),
    )


def add_note(scene: Scene, asked: Note, context: ToolContext) -> Answer:
    """Add it, once for a key."""
    text = words(asked.text, "a note")
    if _entry(scene, asked.incident, "comment", context) is None:
        with acting(_person(scene, context), asked.incident) as act:
            act.done(act.incident, "comment", text, ref=_ref(context))
    return _answer(asked.incident, f"noted in the timeline of {asked.incident}")


def verify_note(scene: Scene, asked: Note, context: ToolContext) -> Verified:
    """Whether it stands there."""
    found = _entry(scene, asked.incident, "comment", context)
    if found is None:
        return Verified(False, f"the timeline of {asked.incident} has no such note")
    return Verified(True, f"the note stands in the timeline of {asked.incident}")


class Verdict(OneIncident):
    """Whether the newest report named the cause."""

    verdict: Literal["right", "wrong", "withdrawn"]
    cause: Annotated[
        str, Field(max_length=LONGEST_TEXT, description="what it was, where the report is wrong")
    ] = ""


def preview_verdict(scene: Scene, asked: Verdict, context: ToolContext) -> Preview:
    """The verdict there is, and the one that would be."""
    incident = scene.incidents.get(asked.incident)
    if incident.report is None:
        raise NotKept("report of incident", incident.id)
    before = _verdict(incident)
    if asked.verdict == "withdrawn" and incident.verdict is None:
        raise ToolFailed("conflict", f"incident {incident.id} has no verdict to take back")
    if asked.verdict == "wrong":
        words(asked.cause, "the cause, where the report is wrong,")
    after = (asked.verdict, asked.cause.strip() if asked.verdict == "wrong" else "")
    back = {"incident": incident.id, "verdict": before[0], "cause": before[1]}
    undo = Undo(f"{scene.toolset}.set_verdict", canonical(back))
    by = "" if incident.verdict is None else f" by {incident.verdict.author}"
    return Preview(
        summary=f"set the verdict on {incident.report} to {' '.join(after).strip()}",
        targets=(target_of(incident),),
        diff=f"-verdict: {cell(' '.join(before))}{by}\n+verdict: {cell(' '.join(after))} "
        f"by {context.caller.name}\n",
        state=digest({"incident": incident.id, "report": incident.report, "verdict": before}),
        radius=ONE,
        undo=undo,
        warnings=("Verdicts teach what past incidents were: a wrong one misleads later ones.",),
    )


def set_verdict(scene: Scene, asked: Verdict, context: ToolContext) -> Answer:
    """Set it on the incident as it is now; another change in between is refused."""
    incident = scene.incidents.get(asked.incident)
    person = _person(scene, context, incident.revision)
    if asked.verdict == "withdrawn":
        withdraw_verdict(person, asked.incident)
    else:
        right = asked.verdict == "right"
        judge(person, asked.incident, right=right, cause="" if right else asked.cause)
    return _answer(asked.incident, f"the verdict on {incident.report} is {asked.verdict}")


def verify_verdict(scene: Scene, asked: Verdict, context: ToolContext) -> Verified:
    """Whether it is the verdict now."""
    del context
    seen = _verdict(scene.incidents.get(asked.incident))
    cause = asked.cause.strip() if asked.verdict == "wrong" else ""
    return Verified(seen == (asked.verdict, cause), f"the verdict is {' '.join(seen).strip()}")


class Notification(OneIncident):
    """Which report goes where."""

    channel: Annotated[str, Field(min_length=1, max_length=200, description="as configured")]


def preview_notification(scene: Scene, asked: Notification, context: ToolContext) -> Preview:
    """What people would be sent."""
    del context
    incident = scene.incidents.get(asked.incident)
    _must_be_a_channel(scene, asked.channel)
    report = scene.report_of(incident)
    if report is None or incident.report is None:
        raise NotKept("report of incident", incident.id)
    return Preview(
        summary=f"send the report {incident.report} of {incident.id} to {asked.channel}",
        targets=(target_of(incident),),
        diff=f"+to {asked.channel}: {cell(report.summary)}\n",
        state=digest({"incident": incident.id, "report": incident.report}),
        radius=ONE,
        warnings=("People are told at once; what they have read cannot be taken back.",),
    )


def notify(scene: Scene, asked: Notification, context: ToolContext) -> Answer:
    """Send it, once for a key, and say so in the timeline."""
    incident = scene.incidents.get(asked.incident)
    report = scene.report_of(incident)
    if report is None:
        raise NotKept("report of incident", incident.id)
    told = f"Report {incident.report} sent to {asked.channel}"
    if _entry(scene, incident.id, "notified", context) is None:
        scene.notifiers[asked.channel].notify(report)
        with acting(_person(scene, context), incident.id) as act:
            act.done(act.incident, "notified", told, ref=_ref(context))
    return _answer(incident.id, told)


def verify_notification(scene: Scene, asked: Notification, context: ToolContext) -> Verified:
    """Whether the channel took it."""
    if _entry(scene, asked.incident, "notified", context) is None:
        return Verified(False, f"the timeline of {asked.incident} does not say that it was sent")
    return Verified(True, f"{asked.channel} took it without an error")


def _added(actor: str, text: str) -> str:
    lines = "".join(f"+{cell(line)}\n" for line in text.splitlines() if line.strip())
    return f"+{cell(actor)}:\n{lines}"


def _verdict(incident: Incident) -> tuple[str, str]:
    if incident.verdict is None:
        return "withdrawn", ""
    return ("right" if incident.verdict.right else "wrong"), incident.verdict.cause


def _person(scene: Scene, context: ToolContext, revision: int | None = None) -> Person:
    return Person(scene.incidents, scene.clock, context.caller.name, revision)


def _ref(context: ToolContext) -> str:
    return f"call:{context.key}"


def _entry(
    scene: Scene, incident: str, kind: TimelineKind, context: ToolContext
) -> TimelineEntry | None:
    """What a call with this key left in the timeline."""
    every = reversed(scene.incidents.timeline(incident))
    return next((one for one in every if (one.kind, one.ref) == (kind, _ref(context))), None)


def _must_be_a_channel(scene: Scene, channel: str) -> None:
    if channel not in scene.notifiers:
        names = ", ".join(sorted(scene.notifiers))
        raise ToolFailed("not_found", f"no channel {channel!r} is configured; there are {names}")


def _answer(incident: str, text: str) -> Answer:
    return Answer(Noted(incident=incident, text=text), text, refs=(incident,))


ADD_NOTE = Deed(
    "add_note",
    "Adds a note to the timeline of an incident.",
    Note,
    Noted,
    preview_note,
    add_note,
    verify_note,
    reversible=False,
    examples=("Write down that the rollback was tried", "Note this in the incident"),
)
SET_VERDICT = Deed(
    "set_verdict",
    "Sets whether the newest report of an incident named the cause, and what it was.",
    Verdict,
    Noted,
    preview_verdict,
    set_verdict,
    verify_verdict,
    examples=("The report was right", "It was not the database but an expired certificate"),
)
NOTIFY = Deed(
    "notify",
    "Sends the newest report of an incident to a channel that people read.",
    Notification,
    Noted,
    preview_notification,
    notify,
    verify_notification,
    reversible=False,
    examples=("Tell the team", "Send the report to the on-call channel"),
)
