"""Has this happened before? The past incidents that looked alike, and how far to trust each."""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from aiops.model.faults import FaultType
from aiops.model.memory import HumanVerdict, PastIncident, Signature

TWIN: Final = 0.65
"""Likeness from which an incident is said to have been seen before."""
FAULTS, METRICS, TELEMETRY, WORDS, PLACE = 0.6, 0.15, 0.05, 0.15, 0.05
"""What each part of two signatures adds to their likeness; together 1."""
TRUST: Final[dict[HumanVerdict, float]] = {"confirmed": 1.0, "unreviewed": 0.4, "refuted": 0.0}


@dataclass(frozen=True, slots=True)
class Recollection:
    """A past incident that comes to mind.

    Attributes:
        likeness: of the signatures, 0 to 1.
        trust: by what a person said of its cause, 0 to 1.
    """

    past: PastIncident
    likeness: float
    trust: float


def likeness(one: Signature, other: Signature) -> float:
    """How alike two incidents looked, 0 to 1; symmetric, and 1 for equals."""
    return (
        FAULTS * _cosine(one.faults, other.faults)
        + METRICS * _overlap(one.metrics, other.metrics)
        + TELEMETRY * _overlap(one.telemetry, other.telemetry)
        + WORDS * _overlap(one.words, other.words)
        + PLACE * (one.place == other.place)
    )


def seen_before(
    signature: Signature, past: Iterable[PastIncident], *, least: float = TWIN, most: int = 3
) -> tuple[Recollection, ...]:
    """The past incidents that looked like this one, the most alike first.

    Of a refuted cause nothing is recalled: that it looked so then is known, why is not.
    """
    found = [
        Recollection(one, alike, TRUST[one.verdict])
        for one in past
        if TRUST[one.verdict] > 0 and (alike := likeness(signature, one.signature)) >= least
    ]
    found.sort(key=lambda one: (-one.likeness, -one.trust, -one.past.at.timestamp(), one.past.id))
    return tuple(found[:most])


def _cosine(
    one: tuple[tuple[FaultType, float], ...], other: tuple[tuple[FaultType, float], ...]
) -> float:
    left, right = dict(one), dict(other)
    norm = math.hypot(*left.values()) * math.hypot(*right.values())
    shared = sum(left[fault] * right[fault] for fault in left.keys() & right.keys())
    return min(shared / norm, 1.0) if norm else float(left == right)


def _overlap(one: Collection[str], other: Collection[str]) -> float:
    """Jaccard's index; 1 where there is nothing on either side."""
    left, right = set(one), set(other)
    return len(left & right) / len(left | right) if left | right else 1.0
