"""Service level objectives: what share of events must be good, and over how long."""

from dataclasses import dataclass
from typing import Literal

from aiops.model.ranking import Window

SliKind = Literal["availability", "latency"]


@dataclass(frozen=True, slots=True)
class EventRatio:
    """Events counted: all of them, and the good ones or the bad ones.

    Attributes:
        total: metric that counts all events, or their rate.
        part: metric that counts the good ones, or the bad ones.
        counts_good: which of the two ``part`` counts.
    """

    total: str
    part: str
    counts_good: bool


@dataclass(frozen=True, slots=True)
class Limit:
    """Time is good while a metric is at most ``at_most``, in the metric's own unit."""

    metric: str
    at_most: float


@dataclass(frozen=True, slots=True)
class Slo:
    """One objective of one service.

    Attributes:
        name: unique in the installation.
        kind: what users notice when it breaks: failures, or waiting.
        objective: share of events, or of time, that must be good, between 0 and 1.
        period_s: over how long, seconds.
        planned: times of planned work, which count for nothing.
    """

    name: str
    service: str
    kind: SliKind
    sli: EventRatio | Limit
    objective: float
    period_s: float
    planned: tuple[Window, ...] = ()
