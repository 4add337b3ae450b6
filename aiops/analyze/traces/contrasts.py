"""During against before and against known-normal: how large a rise is, at the least.

Few requests, with heavy tails: a mean of six calls jumps by itself. So a rise counts only as far
as it exceeds its own sampling error.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from aiops.analyze.traces.forest import Rows
from aiops.model.telemetry import FloatArray

ERRORS = 1.64
"""Standard errors taken off a rise: it is larger than what is left with 95 % confidence."""
LEAST_SEEN = 2
"""Observations on a side below which nothing is compared; for one there is no error to take off."""

SESSION = 3.0
"""How many requests are worth one independent one where it is counted what they do: a user's
requests fail or succeed together, and generators replay the same few sessions."""


class Phase(IntEnum):
    """When a span began."""

    OUTSIDE = -1
    BEFORE = 0
    DURING = 1
    REFERENCE = 2


def phases(
    starts: FloatArray, reference: npt.NDArray[np.bool_], split: float, end: float
) -> npt.NDArray[np.int8]:
    """(n,) phase of each span.

    Args:
        starts: (n,) unix seconds.
        reference: (n,) whether it is of the known-normal recording.
        split, end: the episode, unix seconds.
    """
    phase = np.where(starts < split, Phase.BEFORE, Phase.DURING)
    phase = np.where(starts > end, Phase.OUTSIDE, phase)
    return np.where(reference, Phase.REFERENCE, phase).astype(np.int8)


@dataclass(frozen=True, slots=True, eq=False)
class Rise:
    """The rise of a mean in each of g groups; where two references exist, the stronger one.

    Attributes:
        usual: (g,) mean in the reference; NaN where nothing could be compared.
        now: (g,) mean during the episode; NaN where nothing was seen.
        change: (g,) their difference, 0 where nothing could be compared.
        error: (g,) its standard error.
        seen: (g,) observations during the episode.
        compared: (g,) observations in the reference.
    """

    usual: FloatArray
    now: FloatArray
    change: FloatArray
    error: FloatArray
    seen: FloatArray
    compared: FloatArray

    @property
    def sure(self) -> FloatArray:
        """(g,) the rise that is there with 95 % confidence, never below 0."""
        return np.maximum(self.change - ERRORS * self.error, 0.0)


def rises(group: Rows, values: FloatArray, phase: npt.NDArray[np.int8], groups: int) -> Rise:
    """The rise of the mean of ``values`` in each group.

    Args:
        group, values, phase: (k,) one observation each; NaN values are passed over.
        groups: how many there are.
    """
    return _stronger(*(_means(group, values, phase, groups, reference) for reference in _PAST))


@dataclass(frozen=True, slots=True, eq=False)
class Outcomes:
    """What happened or not, (k,) each: observations of g kinds.

    Attributes:
        row: the span whose phase counts.
        kind: 0 to g - 1.
        holds: whether it happened.
        kinds: (g, c) indices that say what each kind is.
    """

    row: Rows
    kind: Rows
    holds: npt.NDArray[np.bool_]
    kinds: Rows


def rising_shares(outcomes: Outcomes, phase: npt.NDArray[np.int8]) -> Rise:
    """The rise of the probability that something happens, for each kind.

    Sessions are counted, not requests, and half a one of either outcome is added (Jeffreys prior),
    so that two out of two is not taken for certainty.

    Args:
        phase: (n,) of each span.
    """
    return _stronger(*(_shares(outcomes, phase[outcomes.row], past) for past in _PAST))


def pooled(rise: Rise, member: Rows, owners: int) -> Rise:
    """The groups of each owner taken together, weighted by what was seen during the episode.

    Args:
        member: (g,) the owner of each group, -1 for none.
        owners: how many there are.
    """
    kept = (member >= 0) & np.isfinite(rise.usual)
    owner = member[kept]
    weight = rise.seen[kept]
    total: FloatArray = np.bincount(owner, weight, owners).astype(np.float64)
    share = weight / np.maximum(total[owner], 1e-12)

    def mean(column: FloatArray) -> FloatArray:
        sums: FloatArray = np.bincount(owner, share * column[kept], owners).astype(np.float64)
        return sums

    nothing = total == 0
    return Rise(
        usual=np.where(nothing, np.nan, mean(rise.usual)),
        now=np.where(nothing, np.nan, mean(rise.now)),
        change=mean(rise.change),
        error=np.sqrt(np.bincount(owner, (share * rise.error[kept]) ** 2, owners)),
        seen=total,
        compared=np.bincount(owner, rise.compared[kept], owners).astype(np.float64),
    )


_PAST = (Phase.BEFORE, Phase.REFERENCE)


def _means(
    group: Rows, values: FloatArray, phase: npt.NDArray[np.int8], groups: int, past: Phase
) -> Rise:
    usual, usual_variance, compared = _moments(group, values, phase == past, groups)
    now, variance, seen = _moments(group, values, phase == Phase.DURING, groups)
    return _rise(usual, usual_variance, compared, now, variance, seen)


def _shares(outcomes: Outcomes, phase: npt.NDArray[np.int8], past: Phase) -> Rise:
    kinds = len(outcomes.kinds)
    sides = []
    for chosen in (past, Phase.DURING):
        rows = phase == chosen
        seen: FloatArray = np.bincount(outcomes.kind[rows], minlength=kinds).astype(np.float64)
        held = np.bincount(outcomes.kind[rows & outcomes.holds], minlength=kinds) / SESSION
        sessions = seen / SESSION + 1
        share = (held + 0.5) / sessions
        # The variance of one observation: what divides it by their number gets that of the share.
        sides.append((share, share * (1 - share) * seen / sessions, seen))
    return _rise(*sides[0], *sides[1])


def _moments(
    group: Rows, values: FloatArray, rows: npt.NDArray[np.bool_], groups: int
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(g,) mean, variance and number of the finite values among ``rows``."""
    rows = rows & np.isfinite(values)
    at, kept = group[rows], values[rows]
    seen = np.bincount(at, minlength=groups).astype(np.float64)
    mean = np.bincount(at, weights=kept, minlength=groups) / np.maximum(seen, 1)
    squares = np.bincount(at, weights=(kept - mean[at]) ** 2, minlength=groups)
    return mean, squares / np.maximum(seen - 1, 1), seen


def _rise(
    usual: FloatArray,
    usual_variance: FloatArray,
    compared: FloatArray,
    now: FloatArray,
    variance: FloatArray,
    seen: FloatArray,
) -> Rise:
    possible = (seen >= LEAST_SEEN) & (compared >= LEAST_SEEN)
    error = np.sqrt(variance / np.maximum(seen, 1) + usual_variance / np.maximum(compared, 1))
    return Rise(
        usual=np.where(possible, usual, np.nan),
        now=np.where(seen > 0, now, np.nan),
        change=np.where(possible, now - usual, 0.0),
        error=np.where(possible, error, 0.0),
        seen=seen,
        compared=np.where(possible, compared, 0.0),
    )


def _stronger(one: Rise, other: Rise) -> Rise:
    """Group by group, the reference against which the rise is surer; the one there is, if one."""
    first = one.change - ERRORS * one.error
    second = other.change - ERRORS * other.error
    take_other = np.where(np.isnan(one.usual), True, ~np.isnan(other.usual) & (second > first))
    return Rise(
        *(
            np.where(take_other, getattr(other, name), getattr(one, name))
            for name in ("usual", "now", "change", "error", "seen", "compared")
        )
    )
