"""Following failing requests among the suspects of a shortlist, and what that adds to it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from aiops.agents.recursion.conclusion import concluded
from aiops.agents.recursion.requests import failing
from aiops.agents.recursion.walk import Sign, walk
from aiops.analyze.wording import plain
from aiops.model.case import CaseData
from aiops.model.ranking import Cleared, Ranking
from aiops.model.trail import Lean, Trail

MOST_SIGNS: Final = 8
"""Suspects with evidence of their own; analyzers spell out no more of it."""


def followed(case: CaseData, ranking: Ranking) -> Trail | None:
    """Where the failing requests of ``case`` lead; None where there are none, or to nobody."""
    onset = ranking.onset or case.trigger.at
    requests = failing(case, onset) if onset is not None else None
    if requests is None:
        return None
    return concluded(walk(requests.tops(), requests, _signs(ranking)), requests)


def leaning(ranking: Ranking, trails: Sequence[Trail]) -> Ranking:
    """The ranking with what ``trails`` found as evidence for and against; twice is as once.

    The order of suspects is the analyzers' and stays.
    """
    for trail in trails:
        known = {item.claim for item in ranking.evidence}
        if not any(item.claim in known for item in trail.evidence):
            ranking = _with(ranking, trail)
    return ranking


def _signs(ranking: Ranking) -> Mapping[str, Sign]:
    kinds = {item.id: item.kind for item in ranking.evidence}
    return {
        one.entity.service_name: Sign(one.score, frozenset(kinds[ref] for ref in one.evidence))
        for one in ranking.entities()[:MOST_SIGNS]
        if one.evidence
    }


def _with(ranking: Ranking, trail: Trail) -> Ranking:
    taken = {item.id for item in ranking.evidence}
    free = (f"E{n}" for n in range(1, len(taken) + len(trail.evidence) + 1) if f"E{n}" not in taken)
    items = tuple(replace(item, id=ref) for item, ref in zip(trail.evidence, free, strict=False))
    refs = tuple(item.id for item in items)
    spoken_for = {lean.service for lean in trail.leans if lean.nats > 0}
    suspects, cleared = [], list(ranking.cleared)
    for one in ranking.suspects:
        service = one.entity.service_name
        first = service in spoken_for
        spoken_for.discard(service)
        suspects.append(replace(one, evidence=(*one.evidence, *refs)) if first else one)
    for one in ranking.entities():
        lean = _against(trail, one.entity.service_name)
        if lean is not None:
            cleared.append(Cleared(one.entity, lean.reason, refs))
    accused = [one.entity for one in ranking.entities()[:1]]
    new = [one for one in cleared[len(ranking.cleared) :] if one.entity in accused]
    notes = [f"Against {plain(one.entity.name)} stands that {one.reason}." for one in new]
    return replace(
        ranking,
        suspects=tuple(suspects),
        notes=(*ranking.notes, *notes),
        evidence=(*ranking.evidence, *items),
        cleared=tuple(cleared),
    )


def _against(trail: Trail, service: str) -> Lean | None:
    return next((one for one in trail.leans if one.service == service and one.nats < 0), None)
