"""Following a fault through a cluster, question by question, from what was seen so far.

After how people do it (the expert paths of Cloud-OpsBench, AOI's probe): the namespace first, then
whatever looks wrong in it, and further out only while that leaves it open. What was found is
followed to what stands behind it before anything else is asked; a new question needs a reason
that the answers so far gave.
"""

from collections.abc import Iterator
from typing import Final

from aiops.agents.policies import behind, elsewhere
from aiops.agents.policies.behind import Lead, Seen
from aiops.agents.policies.policy import Known, Question
from aiops.agents.policies.wants import Place, Want, question
from aiops.analyze.state.scene import scene

DECIDED: Final = 1.9
"""Nats from which a suspect can stand while nothing behind it is open: one object that does not
work, for a reason that fits and that few others look like."""
AT_ONCE: Final = 3
"""Questions of one round; with their answers the next ones are chosen better."""


def can_follow(known: Known) -> bool:
    """Whether the cluster's objects were not recorded and can be asked for."""
    return not known.case.window.cluster_state and _asked_of(known, Want("list", "pod")) is not None


def decided(known: Known) -> bool:
    """Whether one suspect stands out by what is wrong with it, be something behind it or not."""
    ranking = known.shortlist.ranking
    first = next(iter(ranking.suspects), None)
    return ranking.verdict == "root_cause" and first is not None and first.score >= DECIDED


def questions(known: Known) -> tuple[Question, ...]:
    """The next round; () where nothing that was seen leads any further."""
    seen = Seen(scene(known.case), known.shortlist.ranking.suspects)
    asked = {fact.call for fact in known.facts}
    for lead in (*behind.LEADS, *(() if decided(known) else elsewhere.LEADS)):
        found = dict.fromkeys(_new(lead, seen, known, asked))
        if found:
            return tuple(found)[:AT_ONCE]
    return ()


def _new(lead: Lead, seen: Seen, known: Known, asked: set[str]) -> Iterator[Question]:
    for want in lead(seen):
        one = _asked_of(known, want)
        if one is not None and one.call not in asked:
            yield one


def _asked_of(known: Known, want: Want) -> Question | None:
    return question(want, known.tools, _place(known))


def _place(known: Known) -> Place:
    """Where the alert is; else where the first suspect is."""
    entity = known.case.trigger.entity
    if entity is None:
        suspects = known.shortlist.ranking.suspects
        entity = suspects[0].entity if suspects else None
    if entity is None:
        return Place()
    namespace = entity.name if entity.kind == "namespace" else entity.namespace
    return Place(entity.cluster, namespace)
