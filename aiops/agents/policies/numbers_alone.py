"""The same question with nothing in it that a stranger could have written.

Names, lines of logs, spans, annotations and alerts are words of the systems under investigation.
Without them are left: numbered suspects, what was measured of them, and the words that our own
sentences measure with. A verdict that holds there was not talked into anybody (after the dual
model of Willison, "The Dual LLM pattern", 2023, whose privileged half never reads such words).
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from aiops.agents.policies.policy import Known
from aiops.agents.policies.verdict import offered
from aiops.model.case import Trigger
from aiops.model.entity import Entity
from aiops.model.ranking import Evidence, Propagation, Ranking, Suspect

_WORD: Final = re.compile(r"[^\W\d_]+|\d[\d.,]*\d|\d|[%/]")
_WORDS: Final = """
a about above after again alert all and any as at average before began below between but by came
code come connections container containers cores cpu current delay disk down each end ended
error errors every exceeded failed failure failures far fell found from gone half higher in
inside is its latency later left less level like limit limited lines liveness load longer lower
mean medians memory min missing more most ms network never no node nodes none normal not nothing
of on only onset others out own peak per pod pods port probe queue quota rate readiness replicas
requests response restarts rose s same saturation seconds share since slow spans status steps
storage than the then throttled throughput time timed times to traffic up usage used usual
usually variation was were while with without
"""
_MEASURES: Final = frozenset(_WORDS.split())
_OURS: Final = frozenset({"metric", "trace"})
"""Kinds of evidence whose sentences are ours but for the names in them; others quote."""
_GAP: Final = "..."


def numbers_alone(known: Known) -> Known:
    """What is known as numbers: the same suspects and evidence under the same numbers and ids."""
    ranking = known.shortlist.ranking
    number = {each.entity: at for at, each in enumerate(offered(ranking), 1)}
    shortlist = replace(known.shortlist, ranking=_ranking(ranking, number))
    return replace(
        known,
        case=replace(known.case, trigger=Trigger(known.case.trigger.at)),
        shortlist=shortlist,
        facts=(),
        tools=(),
        said=(),
    )


def measured(claim: str) -> str:
    """Numbers and words of measurement, in their order; all else is a gap."""
    told: list[str] = []
    for word in _WORD.findall(claim.lower()):
        plain = word if word in _MEASURES or not word.isalpha() else _GAP
        if (plain, told[-1:]) != (_GAP, [_GAP]):
            told.append(plain)
    return " ".join(told)


def _ranking(ranking: Ranking, number: Mapping[Entity, int]) -> Ranking:
    return replace(
        ranking,
        suspects=tuple(
            _suspect(each, number[each.entity])
            for each in ranking.suspects
            if each.entity in number
        ),
        evidence=tuple(map(_evidence, ranking.evidence)),
        propagation=tuple(
            _edge(edge, number)
            for edge in ranking.propagation
            if edge.source in number and edge.target in number
        ),
        notes=(),
        cleared=(),
    )


def _named(number: int) -> Entity:
    return Entity("service", f"number {number}")


def _suspect(suspect: Suspect, number: int) -> Suspect:
    return replace(suspect, entity=_named(number), indicator=None, kind=None)


def _evidence(evidence: Evidence) -> Evidence:
    claim = measured(evidence.claim) if evidence.kind in _OURS else _GAP
    return replace(evidence, claim=claim, source="", ref="")


def _edge(edge: Propagation, number: Mapping[Entity, int]) -> Propagation:
    return replace(edge, source=_named(number[edge.source]), target=_named(number[edge.target]))
