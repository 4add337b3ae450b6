"""Doing something: what chat asks the gateway for, and what it never does, which is to approve."""

from collections.abc import Sequence
from typing import Final

from aiops.analyze.wording import plain
from aiops.app.chat.incident_answers import NO_INCIDENT
from aiops.app.chat.looking import Look
from aiops.app.chat.saying import Draft, Said, cite
from aiops.app.chat.scene import Scene, titled
from aiops.app.chat.subjects import Subject
from aiops.model.access import RANK, Role
from aiops.model.approval import Approval
from aiops.model.thread import Cited
from aiops.model.tool import Caller, Outcome, ToolCall

_NEVER: Final = (
    "Nothing said in a chat approves anything, whoever says it. Look at the action and approve "
    "exactly that one, on its page or with: aiops approvals approve ID"
)


def act(scene: Scene, subject: Subject, verb: str, role: Role, look: Look, thread: str) -> Said:
    """Ask the gateway for what was proposed; it then waits for a person, as any action does."""
    if RANK.index(role) < RANK.index("responder"):
        return Said(
            f"{plain(look.author)} is a {role}; asking for an action needs the role responder.",
            ending="refused",
        )
    incident = subject.incident
    if incident is None:
        return Said(NO_INCIDENT)
    known = scene.approvals.listed(incident=incident.id, limit=50)
    fitting = _fitting(known, verb)
    if not fitting:
        return _nothing_to_do(subject, verb, known)
    waiting = [one for one in fitting if one.open]
    if len(waiting) > 1:
        return _several(waiting)
    newest = next(iter(waiting), fitting[0])
    if newest.open:
        return _waits(newest, f"It has been asked for already, by {plain(newest.requested_by)}.")
    if newest.state == "approved":
        return Said(f"It is approved already and about to be carried out: {_what(newest)}.")
    if newest.state == "used":
        ended = plain(newest.outcome or "how it ended is not known yet")
        text = f"It was carried out already ({ended}): {_what(newest)}. I ask for nothing twice."
        return Said(text, (_cited(newest),))
    return _asked(scene, subject, newest, look, thread)


def handling(scene: Scene, subject: Subject) -> Said:
    """Who has an incident, and where people acknowledge, assign and resolve: not in a chat."""
    del scene
    incident = subject.incident
    if incident is None:
        return Said(NO_INCIDENT)
    draft = Draft()
    whose = f"{plain(incident.assignee)} has it" if incident.assignee else "nobody has taken it"
    draft.add(f"{titled(incident)} is {incident.status}; {whose}.", cite(incident))
    draft.add(
        "A chat changes no incident. Acknowledge, assign, comment on or resolve it on its page, "
        f"/incidents/{incident.id}, or with POST /api/v1/incidents/{incident.id}/acknowledge. "
        "I know of no duty roster."
    )
    return draft.said()


def approve(scene: Scene, subject: Subject) -> Said:
    """What waits for a person, and where that person decides."""
    incident = None if subject.assumed or subject.incident is None else subject.incident.id
    draft = Draft()
    draft.add(_NEVER)
    waiting = scene.approvals.listed(("pending", "escalated"), incident=incident, limit=10)
    for one in waiting:
        draft.add(f"- {one.id}: {_what(one)}", _cited(one))
    if not waiting:
        draft.add("No action waits for a decision.")
    return draft.said()


def stop(scene: Scene, stopped: int) -> Said:
    """What was stopped, and how to stop what chat does not."""
    draft = Draft()
    if stopped:
        answers = "1 answer is" if stopped == 1 else f"{stopped} answers are"
        draft.add(f"{answers} stopped.")
    else:
        draft.add("No answer of this conversation is being worked on.")
    engaged = scene.switch.state()
    if engaged is not None:
        draft.add(f"All writes are stopped by {plain(engaged.by)}: {plain(engaged.reason)}")
    else:
        draft.add("To stop every write of aiops at once: aiops stop REASON")
    return draft.said()


def _fitting(known: Sequence[Approval], verb: str) -> list[Approval]:
    """What was proposed, the newest first; only what the verb names, where one is named."""
    return [one for one in known if verb in one.action.tool.replace("_", "")]


def _nothing_to_do(subject: Subject, verb: str, known: Sequence[Approval]) -> Said:
    draft = Draft()
    if subject.incident is not None:
        draft.add(f"About {titled(subject.incident)}:", cite(subject.incident))
    if verb and known:
        draft.add(f"Nobody proposed to {verb} anything. What was proposed, for 'do it':")
        for one in known[:5]:
            draft.add(f"- {_what(one)}: {one.state}", _cited(one))
    else:
        draft.add("Nothing was proposed that I could ask for, and I invent no action.")
    return draft.said()


def _asked(scene: Scene, subject: Subject, former: Approval, look: Look, thread: str) -> Said:
    """Ask anew for what was rejected, lapsed or done: the gateway looks at it as it is today."""
    if scene.tools is None:
        return Said("No tool is set up here that could do it.", ending="failed")
    action, incident = former.action, subject.incident
    call = ToolCall(
        id=look.id,
        tool=action.tool,
        arguments=action.arguments,
        caller=Caller(look.author, "executor", thread, None if incident is None else incident.id),
        key=look.id,
        reason=f"{look.author} asked for it in chat {thread}; before, it was {former.state}",
    )
    look.told()
    with scene.tools((action.tool.partition(".")[0],)) as ask:
        outcome = ask(call, look.stopped)
    return _told(outcome, former, scene)


def _told(outcome: Outcome, former: Approval, scene: Scene) -> Said:
    if outcome.status == "waits" and outcome.approval is not None:
        return _waits(scene.approvals.get(outcome.approval), "I asked for it.")
    if outcome.status == "shadowed":
        return Said(
            f"Shadow mode: it was noted what this would do, and nothing is carried out. "
            f"{plain(outcome.summary)}",
            approval=outcome.approval,
        )
    return Said(f"{_what(former)}: {outcome.status}: {plain(outcome.summary)}", ending="refused")


def _several(waiting: Sequence[Approval]) -> Said:
    draft = Draft()
    draft.add(f"{len(waiting)} actions wait for a person already; decide about each by itself:")
    for one in waiting:
        draft.add(f"- {one.id}: {_what(one)} (risk {one.action.risk})", _cited(one))
    return draft.said()


def _waits(one: Approval, how: str) -> Said:
    return Said(
        f"{how} {_what(one)} (risk {one.action.risk}) waits for a person; whoever asked for it "
        f"cannot approve it. To look at it and decide: aiops approvals show {one.id}",
        (_cited(one),),
        approval=one.id,
    )


def _what(one: Approval) -> str:
    return plain(one.action.preview.summary)


def _cited(one: Approval) -> Cited:
    return Cited(one.id, "approvals", one.action.preview.summary)
