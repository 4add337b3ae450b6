"""A model's word beside the numbers: it may say who of two equals stands first, and no more.

The verdict is the statistics' and stays; see docs/design/model-in-the-graph.md for the why.
"""

from dataclasses import replace
from typing import Final

from aiops.model.entity import Entity
from aiops.model.ranking import Ranking, Suspect
from aiops.model.said import Opinion

LOW_MARGIN: Final = 0.1
"""Calibrated probability by which the first suspect may lead another and still be its equal: less
than the calibration itself is good for."""
_PLACES: Final = ("first", "second", "third", "fourth", "fifth")


def hardly_decides(ranking: Ranking, other: Entity | None = None) -> bool:
    """Whether the statistics leave it open who of the first and ``other`` it is.

    Args:
        other: another suspect; the second if None.
    """
    order = ranking.entities()
    if ranking.verdict == "healthy" or len(order) < 2:
        return False
    one = _suspect(ranking, other) if other is not None else order[1]
    # Without a calibrated probability nobody knows how much of a lead a score is.
    return one is not None and 0 < order[0].confidence < one.confidence + LOW_MARGIN


def agrees(ranking: Ranking, opinion: Opinion) -> bool:
    """Whether it takes the first suspect for the cause."""
    order = ranking.entities()
    return opinion.suspect is not None and bool(order) and order[0].entity == opinion.suspect


def followed(ranking: Ranking, opinion: Opinion) -> bool:
    """Whether the opinion decides who is first: the statistics hardly do, it rests on evidence
    about the one whom it accuses, nobody gave it orders, and it holds without the words that
    strangers may have written."""
    return _tells(ranking, opinion) and opinion.held and not opinion.swayed


def _tells(ranking: Ranking, opinion: Opinion) -> bool:
    suspect = _suspect(ranking, opinion.suspect)
    if suspect is None or agrees(ranking, opinion):
        return False
    about = {
        ref
        for one in ranking.suspects
        if one.entity.same_service(suspect.entity)
        for ref in one.evidence
    }
    rests = any(ref in about for claim in opinion.claims for ref in claim.evidence)
    return rests and hardly_decides(ranking, suspect.entity)


def judged(ranking: Ranking, opinion: Opinion) -> Ranking:
    """The ranking with the opinion's suspect first where it is followed, else as it is.

    Nothing but the place of this one suspect changes.
    """
    suspect = _suspect(ranking, opinion.suspect)
    if suspect is None or not followed(ranking, opinion):
        return ranking
    others = tuple(one for one in ranking.suspects if one is not suspect)
    return replace(ranking, suspects=(suspect, *others))


def told(ranking: Ranking, opinion: Opinion) -> str:
    """The opinion in words, what became of it, and its claims with what they cite.

    Args:
        ranking: of the statistics.
    """
    because = " ".join(
        f"{each.text.rstrip('.')} [{', '.join(each.evidence)}]." for each in opinion.claims
    )
    return " ".join(filter(None, [f"{opinion.model}: {_stance(ranking, opinion)}.", because]))


def _stance(ranking: Ranking, opinion: Opinion) -> str:
    if opinion.suspect is None:
        return "the evidence does not tell"
    name = opinion.suspect.name
    if agrees(ranking, opinion):
        return (
            f"{name} first, as the statistics"
            if ranking.verdict == "root_cause"
            else f"{name} first"
        )
    place = next(
        (n for n, one in enumerate(ranking.entities()) if one.entity == opinion.suspect), 0
    )
    if followed(ranking, opinion):
        return f"{name} first, whom the statistics hardly tell from their first; followed"
    if _tells(ranking, opinion):
        why = (
            "something that it read reads like orders to it"
            if opinion.swayed
            else "of the numbers alone, without words of others, it does not say so"
        )
        return (
            f"{name} first, whom the statistics hardly tell from their first; not followed: {why}"
        )
    where = _PLACES[place] if place < len(_PLACES) else f"number {place + 1}"
    return f"{name} first, whom the statistics have {where}; their order stands"


def _suspect(ranking: Ranking, entity: Entity | None) -> Suspect | None:
    return next((one for one in ranking.entities() if one.entity == entity), None)
