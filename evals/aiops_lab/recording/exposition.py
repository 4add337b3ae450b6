"""A scrape's totals, and what they grew by: Prometheus' text format 0.0.4. Pure."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

Labels = tuple[tuple[str, str], ...]
_LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Totals:
    """Every sample of one exposition.

    Attributes:
        samples: (name, labels as written) -> value.
    """

    samples: Mapping[tuple[str, str], float]

    def of(self, name: str) -> Iterator[tuple[Labels, float]]:
        """The samples of one metric, with their labels."""
        for (own, labels), value in self.samples.items():
            if own == name:
                yield labels_of(labels), value

    def total(self, name: str) -> float | None:
        """The sum of one metric's samples; ``None`` where it has none."""
        found = [value for (own, _), value in self.samples.items() if own == name]
        return sum(found) if found else None

    def since(self, before: Totals | None) -> Totals:
        """What each grew by; from zero where the process has started anew, or was not there."""
        if before is None:
            return self
        old = before.samples
        return Totals(
            {
                key: value - was if (was := old.get(key, 0.0)) <= value else value
                for key, value in self.samples.items()
            }
        )


def read_totals(text: str) -> Totals:
    """The samples in an exposition; lines that are none are left out."""
    samples: dict[tuple[str, str], float] = {}
    for line in text.splitlines():
        if not line or line.startswith("#"):
            continue
        series, _, number = line.rpartition(" ")
        name, _, labels = series.partition("{")
        try:
            samples[name, labels.removesuffix("}")] = float(number)
        except ValueError:
            continue
    return Totals(samples)


@lru_cache(maxsize=8192)
def labels_of(text: str) -> Labels:
    """The labels between a sample's braces."""
    return tuple(_LABEL.findall(text))


@dataclass(slots=True)
class Requests:
    """Requests in a stretch of time: how many, how many failed, and how long they took.

    Attributes:
        buckets: upper bound in seconds -> requests that took no longer, as a histogram counts.
    """

    count: float = 0.0
    errors: float = 0.0
    buckets: dict[float, float] = field(default_factory=dict)

    def add(self, bound: float, count: float) -> None:
        """Count requests in a bucket, those of all lower ones included."""
        self.buckets[bound] = self.buckets.get(bound, 0.0) + count

    def quantile(self, share: float) -> float:
        """Seconds that ``share`` of the requests did not pass, as histogram_quantile says it.

        Within a bucket it goes evenly; beyond the last bound, that bound; NaN without requests.
        """
        bounds = sorted(self.buckets)
        total = self.buckets[bounds[-1]] if bounds else 0.0
        if total <= 0:
            return math.nan
        rank, below, low = share * total, 0.0, 0.0
        for bound in bounds:
            count = self.buckets[bound]
            if count >= rank and count > below:
                if math.isinf(bound):
                    return low
                return low + (bound - low) * (rank - below) / (count - below)
            below, low = count, bound
        return low
