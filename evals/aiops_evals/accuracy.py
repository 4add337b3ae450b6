"""AC@k, Avg@5 and MRR from the ranks of the answers (notes: measures, "Accuracy")."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often, and how high, the answer was named.

    Attributes:
        n: cases, those included in which the method failed or abstained.
        hits: cases whose answer is among the first 1, 2, ..., 5.
        mrr: mean reciprocal rank, 0 for an answer that was not named.
    """

    n: int
    hits: tuple[int, int, int, int, int]
    mrr: float

    def at(self, k: int) -> float:
        """AC@k for k in 1..5: the share of cases whose answer is among the first k."""
        return self.hits[k - 1] / self.n

    @property
    def avg5(self) -> float:
        """Mean of AC@1..5."""
        return sum(self.hits) / (5 * self.n)


def accuracy(ranks: Sequence[int | None]) -> Accuracy:
    """The accuracy over cases, given the rank of each one's answer (from 1; None: not named).

    Raises:
        ValueError: there are no cases, or a rank is below 1.
    """
    if not ranks:
        raise ValueError("no cases to count")
    named = [rank for rank in ranks if rank is not None]
    if any(rank < 1 for rank in named):
        raise ValueError("ranks count from 1")
    one, two, three, four, five = (sum(rank <= k for rank in named) for k in range(1, 6))
    return Accuracy(
        n=len(ranks),
        hits=(one, two, three, four, five),
        mrr=sum(1 / rank for rank in named) / len(ranks),
    )
