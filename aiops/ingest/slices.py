"""Equal stretches of a window, so that a cap on an answer takes as much of each.

Whoever reads lines or traces from one end until the cap misses the incident or the time before
it; analyzers compare the two.
"""

from dataclasses import dataclass
from itertools import pairwise

SLICES = 12


@dataclass(frozen=True, slots=True)
class Slice:
    """A half-open stretch, and how much of it may be read.

    Attributes:
        start, end: in nanoseconds since 1970: as floats, seconds are too coarse.
    """

    start: int
    end: int
    most: int


def slices(start: float, end: float, most: int) -> tuple[Slice, ...]:
    """The window in twelve parts, ``most`` shared among them; bounds in unix seconds."""
    first, last = round(start * 1e9), round(end * 1e9)
    edges = [first + (last - first) * n // SLICES for n in range(SLICES + 1)]
    each = max(1, most // SLICES)
    return tuple(Slice(low, high, each) for low, high in pairwise(edges) if high > low)
