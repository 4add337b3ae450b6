"""Has this happened before? From memory, dated; how things are now is never told from it."""

from typing import Final

from aiops.agents.memory.likeness import Recollection
from aiops.agents.memory.questions import Recalled, recall
from aiops.agents.memory.signature import signature_of
from aiops.analyze.wording import fault, percent, plain
from aiops.app.chat.incident_answers import NO_INCIDENT
from aiops.app.chat.saying import Draft, Said, cite
from aiops.app.chat.scene import Scene, titled
from aiops.app.chat.subjects import Subject
from aiops.model.thread import Cited

_ASKED: Final = "has this happened before?"
"""What is put to memory, whatever words it was asked in: they were understood as this."""
_WORDS: Final = {"confirmed": "a person confirmed it", "unreviewed": "nobody confirmed it"}


def before(scene: Scene, subject: Subject) -> Said:
    """Past incidents that looked like this one, and what was tried then."""
    incident = subject.incident
    if incident is None:
        return Said(NO_INCIDENT)
    draft, investigation = Draft(), scene.investigation(incident)
    draft.add(f"{titled(incident)} is {incident.status} now, which I looked up.", cite(incident))
    if investigation is None:
        draft.add("It has no report yet, so there is nothing to compare past ones with.")
        return draft.said()
    past = [one for one in scene.memory.newest() if one.incident != incident.id]
    found = recall(_ASKED, signature_of(investigation.report), past)
    alike = found.recollections if isinstance(found, Recalled) else ()
    if not alike:
        draft.add(f"I remember nothing like it among {len(past)} past incidents.")
    for one in alike:
        draft.add(f"- {_told(one)}", Cited(one.past.id, "memory", f"incident {one.past.incident}"))
    return draft.said()


def _told(one: Recollection) -> str:
    past = one.past
    cause = "nobody" if past.cause is None else plain(past.cause.name)
    words = [
        f"{past.at:%Y-%m-%d %H:%M} UTC, {past.incident}: {percent(one.likeness)} alike",
        f"the cause was {cause} ({fault(past.fault)}; {_WORDS[past.verdict]})",
    ]
    helped = {True: "helped", False: "did not help", None: "nobody saw whether it helped"}
    words += [f"{plain(each.summary)}: {helped[each.helped]}" for each in past.tried]
    return "; ".join(words)
