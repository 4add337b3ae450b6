"""Which fault an incident resembles, and whether it resembles any: unknown is an answer.

Distance to what was seen before decides. TrioXpert (ASE 2025) cuts a tree over deviation vectors
and always answers with one of its leaves; here an incident farther from all past ones than they
are from each other is called unknown.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from aiops.model.telemetry import FloatArray

UNKNOWN = "unknown"
NEIGHBOURS = 3
"""Past incidents that vote: one may be mislabelled, many may not exist."""
FAMILIAR_SHARE = 0.99
"""Share of the past incidents that lie within the usual distance of their nearest neighbour."""
MARGIN = 1.25
"""Distance, in multiples of the usual one, from which nothing like it has been seen: new
incidents always lie a little farther out than the ones the limit was measured on."""
LEAST_PAST = 5
"""Past incidents under which no usual distance exists, and nothing is called unknown."""


class Familiarity:
    """How far a row lies from the rows seen before, in multiples of the limit.

    Args:
        rows: (n, f) features of past incidents.
    """

    def __init__(self, rows: FloatArray) -> None:
        self._centre = rows.mean(axis=0)
        spread = rows.std(axis=0)
        # A feature that never varied makes a new value conspicuous, not infinitely so.
        self._scale = np.where(spread > 0, spread, 1.0)
        self._rows = self._scaled(rows)
        self._limit = np.inf
        if len(rows) >= LEAST_PAST:
            apart = _distances(self._rows, self._rows)
            np.fill_diagonal(apart, np.inf)
            usual = float(np.quantile(apart.min(axis=1), FAMILIAR_SHARE))
            self._limit = MARGIN * usual if usual > 0 else 1e-9

    def distance(self, rows: FloatArray) -> FloatArray:
        """(k,) distance to the nearest past row over the limit; unknown from 1."""
        nearest = self.to_each(rows).min(axis=1)
        far: FloatArray = np.where(np.isinf(self._limit), 0.0, nearest / self._limit)
        return far

    def to_each(self, rows: FloatArray) -> FloatArray:
        """(k, n) distances to every past row, in usual variations."""
        return _distances(self._scaled(rows), self._rows)

    def _scaled(self, rows: FloatArray) -> FloatArray:
        scaled: FloatArray = (rows - self._centre) / self._scale
        return scaled


@dataclass(frozen=True, slots=True)
class Resemblance:
    """What one incident resembles.

    Attributes:
        labels: faults with shares of the vote, most first.
        distance: to the nearest past incident over the limit.
    """

    labels: tuple[tuple[str, float], ...]
    distance: float

    @property
    def label(self) -> str:
        """The fault; UNKNOWN where nothing like it has been seen."""
        return UNKNOWN if self.distance >= 1 or not self.labels else self.labels[0][0]


class NearestFaults:
    """Triage by the nearest past incidents; no library, no training.

    Args:
        rows: (n, f), n >= 1, features of past incidents without NaN.
        labels: (n,) their faults.
    """

    def __init__(self, rows: FloatArray, labels: Sequence[str]) -> None:
        self._familiar = Familiarity(rows)
        self._labels = tuple(labels)

    def resemblance(self, row: FloatArray) -> Resemblance:
        """What the (f,) ``row`` resembles; nearer neighbours count more."""
        apart = self._familiar.to_each(row[None])[0]
        nearest = np.argsort(apart, kind="stable")[:NEIGHBOURS]
        votes: dict[str, float] = {}
        for i in nearest:
            label = self._labels[i]
            votes[label] = votes.get(label, 0.0) + 1 / (apart[i] + 1e-9)
        total = sum(votes.values())
        ranked = sorted(votes.items(), key=lambda item: (-item[1], item[0]))
        return Resemblance(
            tuple((label, vote / total) for label, vote in ranked),
            float(self._familiar.distance(row[None])[0]),
        )


def _distances(one: FloatArray, other: FloatArray) -> FloatArray:
    """(a, b) Euclidean distances."""
    squares = (one**2).sum(axis=1)[:, None] + (other**2).sum(axis=1)[None] - 2 * one @ other.T
    apart: FloatArray = np.sqrt(np.maximum(squares, 0.0))
    return apart
