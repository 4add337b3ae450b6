"""Whether an objective burns its error budget faster after a change than before it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from aiops.analyze.slo import Events
from aiops.model.slo import Limit, Slo

SHORTEST_S: Final = 300.0
"""The shortest window of the rules that alert: as far back as "before" goes at least."""
CHANCE: Final = 0.01
"""A difference that comes by itself more often than this is none."""


MARKEDLY: Final = 0.5
"""Of the burn rate before: what burns on above that has not got better, whatever the noise."""
TELLING: Final = 10
"""Events or samples after a change, below which nothing says that it did not help."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """Burn rates of one objective: 1 uses up exactly the budget of its period.

    Attributes:
        before, after: None where nothing was measured.
        faster: whether it burns too fast after the change, faster than before, and not by chance.
        mended: whether it burns at most half as fast as before, or slowly enough; None where it
            did not burn too fast before, or too little was measured since.
        early: whether it burnt too fast before, and too little was measured since to tell.
    """

    before: float | None
    after: float | None
    faster: bool
    mended: bool | None = None
    early: bool = False


@dataclass(frozen=True, slots=True)
class _Counts:
    bad: float
    total: float

    def rate(self, slo: Slo) -> float:
        return self.bad / self.total / (1 - slo.objective)


def compared(slo: Slo, events: Events, changed: float, since: float, until: float) -> Comparison:
    """The time from ``since`` to ``until`` against the time before ``changed``, unix seconds.

    Before is as long a time, or five minutes, whichever burnt faster: a change that is made while
    it burns already is not to blame for that. Two rates differ where Fisher's exact test says so,
    one-sided, of good and bad events (R. A. Fisher, Statistical Methods for Research Workers, 5th
    edition, 1934, section 21.02); of an objective with a limit it counts samples.
    """
    after = _counts(slo, events, since, until)
    spans = (until - since, max(until - since, SHORTEST_S))
    earlier = [_counts(slo, events, changed - span, changed) for span in spans]
    before = max((one for one in earlier if one.total), key=lambda one: one.rate(slo), default=None)
    if before is None or not after.total:
        return Comparison(
            None if before is None else before.rate(slo),
            after.rate(slo) if after.total else None,
            faster=False,
            early=before is not None and before.rate(slo) > 1.0,
        )
    was, rate = before.rate(slo), after.rate(slo)
    faster = rate > max(1.0, was) and _chance(before, after) < CHANCE
    if was <= 1.0 or after.total < TELLING:
        return Comparison(was, rate, faster, early=was > 1.0)
    return Comparison(was, rate, faster, mended=rate <= max(1.0, MARKEDLY * was))


def _counts(slo: Slo, events: Events, start: float, end: float) -> _Counts:
    """In (start, end]."""
    if not isinstance(slo.sli, Limit):
        return _Counts(*events.between(start, end))
    low, high = np.searchsorted(events.times, [start, end], side="right")
    rows = slice(int(low), int(high))
    return _Counts(
        float(np.count_nonzero(events.bad[rows])), float(np.count_nonzero(events.total[rows]))
    )


def _chance(before: _Counts, after: _Counts) -> float:
    """That so many of the bad ones come after, were it all the same."""
    from scipy.stats import hypergeom

    bad, total = round(after.bad), round(after.total)
    everything, all_bad = total + round(before.total), bad + round(before.bad)
    return float(hypergeom.sf(bad - 1, everything, all_bad, total))
