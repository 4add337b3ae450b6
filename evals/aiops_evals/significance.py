"""How much of a difference chance explains: Wilson intervals and McNemar's exact test."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

_Z95 = 1.959963984540054


def wilson(hits: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share of ``hits`` in ``n`` (Wilson 1927, J. Am. Stat. Assoc. 22).

    Raises:
        ValueError: ``hits`` is not between 0 and ``n``, or ``n`` is 0.
    """
    if not 0 <= hits <= n or n == 0:
        raise ValueError(f"no share: {hits} of {n}")
    share, z2 = hits / n, _Z95**2
    centre = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z95 / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    # Rounding must not push the bound of 0/n above 0 or that of n/n below 1.
    low = 0.0 if hits == 0 else max(0.0, centre - half)
    high = 1.0 if hits == n else min(1.0, centre + half)
    return low, high


@dataclass(frozen=True, slots=True)
class McNemar:
    """A paired comparison of two methods on the same cases.

    Attributes:
        n: pairs.
        only_first: cases the first method got right and the second wrong.
        only_second: the reverse.
        p_value: two-sided, exact.
    """

    n: int
    only_first: int
    only_second: int
    p_value: float

    @property
    def discordant(self) -> int:
        return self.only_first + self.only_second


def mcnemar(first: Sequence[bool], second: Sequence[bool]) -> McNemar:
    """McNemar's test of two methods, exact binomial (McNemar 1947, Psychometrika 12).

    Args:
        first, second: whether each method was right, case by case, in the same order.

    Raises:
        ValueError: the two differ in length.
    """
    if len(first) != len(second):
        raise ValueError(f"not the same cases: {len(first)} against {len(second)}")
    only_first = sum(a and not b for a, b in zip(first, second, strict=True))
    only_second = sum(b and not a for a, b in zip(first, second, strict=True))
    discordant, fewer = only_first + only_second, min(only_first, only_second)
    tail = sum(math.comb(discordant, k) for k in range(fewer + 1))
    p_value = min(1.0, 2 * tail / 2**discordant)
    return McNemar(len(first), only_first, only_second, p_value)
