"""The value that a model ends with: one suspect by its number, and claims that cite evidence.

Numbers and ids that exist are part of its schema, so one that was made up is not valid: the model
is told once, and then goes without its word.
"""

from collections.abc import Sequence
from typing import Any, Final

from aiops.agents.context.compaction import evidence_ids
from aiops.model.canonical import canonical, parsed
from aiops.model.ranking import Ranking, Suspect
from aiops.model.said import Claim, Opinion

OFFERED: Final = 5
"""Suspects that a model chooses from: the cause seldom stands further down a shortlist."""
CLAIMS: Final = 6
CLAIM_CHARS: Final = 300
"""Of one claim: a sentence."""


class MadeUp(ValueError):
    """A claim names evidence that there is not."""


def offered(ranking: Ranking) -> Sequence[Suspect]:
    """The suspects by number, from 1: the strongest of each service."""
    return ranking.entities()[:OFFERED]


def schema(ranking: Ranking) -> str:
    """Of a verdict on ``ranking``, which has suspects and evidence; canonical JSON."""
    ids = [item.id for item in ranking.evidence]
    claim: dict[str, Any] = {
        "type": "object",
        "properties": {
            "claim": {"type": "string", "description": "one sentence"},
            "evidence": {"type": "array", "items": {"enum": ids}, "minItems": 1},
        },
        "required": ["claim", "evidence"],
        "additionalProperties": False,
    }
    numbers = list(range(len(offered(ranking)) + 1))
    return canonical(
        {
            "type": "object",
            "properties": {
                "suspect": {"enum": numbers, "description": "0: the evidence does not tell"},
                "because": {"type": "array", "items": claim, "maxItems": CLAIMS},
            },
            "required": ["suspect", "because"],
            "additionalProperties": False,
        }
    )


def opinion_of(value: str, ranking: Ranking, model: str) -> Opinion:
    """What ``value`` says, which is valid by ``schema(ranking)``.

    Raises:
        MadeUp: the words of a claim name evidence that does not exist.
    """
    read = parsed(value)
    claims = tuple(
        Claim(_short(each["claim"]), tuple(dict.fromkeys(each["evidence"])))
        for each in read["because"]
    )
    known = {item.id for item in ranking.evidence}
    for claim in claims:
        if unknown := [ref for ref in evidence_ids(claim.text) if ref not in known]:
            raise MadeUp(f"it names {', '.join(unknown)}, and there is no such evidence")
    number = int(read["suspect"])
    suspect = offered(ranking)[number - 1].entity if number else None
    return Opinion(model, suspect, claims)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= CLAIM_CHARS else f"{line[: CLAIM_CHARS - 1]}…"
