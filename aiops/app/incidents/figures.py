"""How fast incidents are noticed, taken up and ended: MTTD, MTTA, MTTR."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from statistics import fmean

from aiops.model.incident import Incident


@dataclass(frozen=True, slots=True)
class Delays:
    """How long one incident took, seconds; None where it is not known or has not happened.

    Attributes:
        detect_s: from the onset of the fault, as found in the data, to the first alert; 0 where
            the alert came first.
        acknowledge_s: from the first alert until a person was on it.
        resolve_s: from the first alert to the end.
    """

    detect_s: float | None = None
    acknowledge_s: float | None = None
    resolve_s: float | None = None


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean, and of how many; None of none."""

    mean_s: float | None
    of: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over incidents; merged ones count with the one they were merged into."""

    incidents: int
    mttd: Mean
    mtta: Mean
    mttr: Mean


def delays(incident: Incident, onset: datetime | None = None) -> Delays:
    """How long an incident took.

    Args:
        onset: of the fault, from the report.
    """
    opened = incident.opened_at
    return Delays(
        detect_s=_between(onset, opened),
        acknowledge_s=_between(opened, incident.acknowledged_at),
        resolve_s=_between(opened, incident.resolved_at),
    )


def figures(incidents: Iterable[Incident], onsets: Mapping[str, datetime]) -> Figures:
    """Means over incidents.

    Args:
        onsets: of faults, by the id of their incident, for those with a report that found one.
    """
    own = [each for each in incidents if each.merged_into is None]
    all_delays = [delays(each, onsets.get(each.id)) for each in own]
    return Figures(
        len(own),
        _mean([each.detect_s for each in all_delays]),
        _mean([each.acknowledge_s for each in all_delays]),
        _mean([each.resolve_s for each in all_delays]),
    )


def _between(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None:
        return None
    return max(0.0, (end - start).total_seconds())


def _mean(values: Sequence[float | None]) -> Mean:
    known = [value for value in values if value is not None]
    return Mean(fmean(known) if known else None, len(known))
