"""How often statements are written: which are new, which surge, which stopped.

Exact tests for rare events: given the lines before and after, the share that came after is
binomial with the share of exposure as its probability. Exposure is time, and where requests are
known the requests a service handled: more traffic writes more lines, errors among them.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Trend = Literal["new", "surging", "vanished"]

RARE_P = 1e-4
"""Probability below which a count is no accident: thousands of statements are compared."""
ERRORS_FLOOR_PER_MIN = 1.0
"""Lines/min an error must have risen by to matter: below that it is a background of single
failures, such as every system has."""
VANISHED_FLOOR_PER_MIN = 5.0
"""Lines/min a statement must have had for its silence to be noticed."""
TRAFFIC_CAP = 4.0
"""Traffic counts at most this many times more or less: beyond that the change of traffic is itself
the symptom."""


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Lines of each (service, statement) in one stretch of time.

    Attributes:
        counts: (services, statements).
        minutes: how long the stretch was.
        requests: (services,) requests handled a minute; NaN where unknown.
    """

    counts: npt.NDArray[np.int64]
    minutes: float
    requests: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Movement:
    """A statement whose rate changed.

    Attributes:
        expected, seen: lines/min, had nothing changed, and as it was.
        p_value: of the count under "nothing changed" (exact binomial, one-sided).
    """

    service: int
    statement: int
    trend: Trend
    expected: float
    seen: float
    p_value: float

    @property
    def size(self) -> float:
        """Lines/min above (or below) what was expected."""
        return abs(self.seen - self.expected)


def movements(now: Tally, references: list[Tally]) -> tuple[Movement, ...]:
    """Statements that are new, surge or vanished against a reference; the stronger contrast counts.

    Without a reference, every line since the onset is taken for new.
    """
    if not references:
        references = [Tally(np.zeros_like(now.counts), now.minutes, now.requests)]
    best: dict[tuple[int, int], Movement] = {}
    for reference in references:
        for one in _against(now, reference):
            key = one.service, one.statement
            if key not in best or one.size > best[key].size:
                best[key] = one
    return tuple(best.values())


def _against(now: Tally, before: Tally) -> list[Movement]:
    from scipy.special import betainc

    with np.errstate(invalid="ignore", divide="ignore"):
        traffic = np.clip(now.requests / before.requests, 1 / TRAFFIC_CAP, TRAFFIC_CAP)
    traffic = np.where(np.isfinite(traffic), traffic, 1.0)
    # What the reference is worth in minutes of now: its time, less or more by traffic.
    worth = (before.minutes / traffic)[:, None]
    service, statement = np.nonzero((now.counts > 0) | (before.counts > 0))
    k1, k0 = now.counts[service, statement], before.counts[service, statement]
    e0 = worth[service, 0]
    share = now.minutes / (now.minutes + e0)
    # P(at least k1 of k0 + k1) and P(at most k1): regularised incomplete beta functions.
    above = np.where(k1 > 0, betainc(np.maximum(k1, 1), k0 + 1, share), 1.0)
    below = np.where(k0 > 0, 1.0 - betainc(k1 + 1, np.maximum(k0, 1), share), 1.0)
    expected, seen = k0 / np.maximum(e0, 1e-9), k1 / now.minutes
    up = (above <= RARE_P) & (seen - expected >= ERRORS_FLOOR_PER_MIN)
    down = (below <= RARE_P) & (k1 == 0) & (expected >= VANISHED_FLOOR_PER_MIN)
    found = []
    for i in np.flatnonzero(up | down):
        trend: Trend = "vanished" if down[i] else "new" if k0[i] == 0 else "surging"
        p = float(below[i] if down[i] else above[i])
        found.append(
            Movement(
                int(service[i]), int(statement[i]), trend, float(expected[i]), float(seen[i]), p
            )
        )
    return found
