"""What memory may add to a suspicion that present evidence raised: a nudge, never a verdict.

All memories together weigh at most MOST_NATS, however many they are and whatever they say, so a
poisoned one is outvoted by any sign a few times above its floor; and what nothing shows today is
not suspected because it was at fault once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aiops.agents.memory.likeness import Recollection
from aiops.model.hypothesis import Hypothesis

MOST_NATS: Final = 0.5
"""Less than a sign of one floor (log 2 = 0.69) adds."""
LEAST_PRESENT: Final = 0.5
"""Nats of present evidence below which memory adds nothing."""


@dataclass(frozen=True, slots=True)
class Remembered:
    """A hypothesis with what memory adds to it.

    Attributes:
        nats: added, 0 to MOST_NATS.
        because: the past incidents that add it, the most telling first.
    """

    hypothesis: Hypothesis
    nats: float
    because: tuple[Recollection, ...]

    @property
    def strength(self) -> float:
        """Of present evidence and memory together, nats."""
        return self.hypothesis.strength + self.nats


def weighed(
    hypotheses: Sequence[Hypothesis], recalled: Sequence[Recollection]
) -> tuple[Remembered, ...]:
    """The hypotheses with what memory adds, strongest first; equal ones keep their order.

    A memory speaks for its kind of fault, not for its service: names mean nothing elsewhere.
    """
    ordered = [_with_memory(one, recalled) for one in hypotheses]
    return tuple(sorted(ordered, key=lambda one: -one.strength))


def _with_memory(hypothesis: Hypothesis, recalled: Sequence[Recollection]) -> Remembered:
    if hypothesis.strength < LEAST_PRESENT:
        return Remembered(hypothesis, 0.0, ())
    for_it = [one for one in recalled if one.past.fault == hypothesis.fault]
    for_it.sort(key=lambda one: (-one.likeness * one.trust, one.past.id))
    # The best one, not their sum: a hundred copies of one lie are one lie.
    best = max((one.likeness * one.trust for one in for_it), default=0.0)
    return Remembered(hypothesis, MOST_NATS * best, tuple(for_it))
