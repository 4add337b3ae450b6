"""What memory may add to a suspicion that present evidence raised: a nudge, never a verdict.

All memories together weigh at most MOST_NATS, however many they are and whatever they say, so a
poisoned one is outvoted by any sign a few times above its floor; and what nothing shows today is
not suspected because it was at fault once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from aiops.agents.memory.likeness import Recollection
from aiops.analyze.wording import fault, listed, percent, plain
from aiops.model.faults import FaultType
from aiops.model.memory import Attempt, HumanVerdict
from aiops.model.ranking import Evidence, Ranking, Suspect, Window

SOURCE: Final = "memory"
MOST_NATS: Final = 0.5
"""Less than a sign of one floor (log 2 = 0.69) adds."""
LEAST_PRESENT: Final = 0.5
"""Nats of present evidence below which memory adds nothing."""
_WORDS: Final[dict[HumanVerdict, str]] = {
    "confirmed": "which a person confirmed",
    "unreviewed": "which nobody confirmed",
    "refuted": "which a person refuted",
}


def weighed(ranking: Ranking, recalled: Sequence[Recollection]) -> Ranking:
    """The ranking with what memory adds, and each memory as evidence of those it speaks for.

    A memory speaks for its kind of fault, not for its service: names mean nothing elsewhere.
    Equal suspects keep their order, and the verdict is that of present evidence.
    """
    if not recalled or ranking.verdict == "healthy":
        return ranking
    taken = {item.id for item in ranking.evidence}
    free = (f"E{n}" for n in range(1, len(taken) + len(recalled) + 1) if f"E{n}" not in taken)
    items = [_evidence(one, ref) for one, ref in zip(recalled, free, strict=False)]
    told = tuple(zip(recalled, items, strict=True))
    suspects = sorted((_with(one, told) for one in ranking.suspects), key=lambda one: -one.score)
    return replace(
        ranking,
        suspects=tuple(suspects),
        evidence=(*ranking.evidence, *items),
        notes=(*ranking.notes, *(item.claim for item in items)),
    )


def _with(suspect: Suspect, told: Iterable[tuple[Recollection, Evidence]]) -> Suspect:
    kind = suspect.fault_types[0][0] if suspect.fault_types else FaultType.UNKNOWN
    if suspect.score < LEAST_PRESENT or kind is FaultType.UNKNOWN:
        return suspect
    for_it = [(one, item) for one, item in told if one.past.fault is kind]
    # The best one, not their sum: a hundred copies of one lie are one lie.
    nats = MOST_NATS * max((one.likeness * one.trust for one, _ in for_it), default=0.0)
    refs = tuple(item.id for _, item in for_it)
    return replace(suspect, score=suspect.score + nats, evidence=(*suspect.evidence, *refs))


def _evidence(one: Recollection, ref: str) -> Evidence:
    past = one.past
    cause = plain(past.cause.name) if past.cause is not None else "nobody"
    helped = [_tried(each) for each in past.tried]
    then = f" Tried then: {listed(helped)}." if helped else ""
    return Evidence(
        id=ref,
        kind="incident",
        claim=(
            f"Seen before: incident {past.incident} of {past.at:%Y-%m-%d} looked "
            f"{percent(one.likeness)} alike; its cause was {cause} ({fault(past.fault)}), "
            f"{_WORDS[past.verdict]}.{then}"
        ),
        source=SOURCE,
        window=Window(past.at, past.at),
        ref=past.id,
    )


def _tried(attempt: Attempt) -> str:
    ends = {True: "which helped", False: "which did not help", None: "unverified"}
    return f"{plain(attempt.tool)}, {ends[attempt.helped]}"
