"""Anomalous moments close together are one incident.

TrioXpert (ASE 2025) merges outliers within ten minutes; here an incident also needs enough of
them close enough together, since a threshold is passed by chance now and then.
"""

from dataclasses import dataclass, field

MERGE_WITHIN = 600.0
"""Seconds between anomalous moments of one incident: what a cascade takes to show everywhere."""
CONFIRM_AFTER = 3
"""Anomalous moments that confirm an incident: two in a row happen by chance, three hardly."""
CONFIRM_WITHIN = 5
"""Samples within which they must lie."""


@dataclass(frozen=True, slots=True)
class DetectedIncident:
    """A stretch of anomalous moments.

    Attributes:
        start, end: first and last anomalous moment, unix seconds.
        detected: when it was confirmed, unix seconds.
        moments: anomalous samples in it.
    """

    start: float
    end: float
    detected: float
    moments: int


@dataclass(slots=True)
class IncidentLog:
    """Turns a stream of verdicts into incidents.

    Attributes:
        merge_within: seconds between anomalous moments of one incident.
        confirm_after: anomalous moments that confirm one.
        closed: incidents that are over, oldest first.
        open: the one going on, None where there is none.
    """

    merge_within: float = MERGE_WITHIN
    confirm_after: int = CONFIRM_AFTER
    closed: list[DetectedIncident] = field(default_factory=list)
    open: DetectedIncident | None = None
    _recent: list[tuple[float, bool]] = field(default_factory=list)

    def step(self, time: float, anomalous: bool) -> bool:
        """Takes the verdict on one moment; whether an incident was confirmed by it."""
        self._recent = [*self._recent[-(CONFIRM_WITHIN - 1) :], (time, anomalous)]
        if self.open is not None and time - self.open.end > self.merge_within:
            self.closed.append(self.open)
            self.open = None
        if not anomalous:
            return False
        if self.open is not None:
            self.open = DetectedIncident(
                self.open.start, time, self.open.detected, self.open.moments + 1
            )
            return False
        moments = [moment for moment, bad in self._recent if bad]
        if len(moments) < self.confirm_after:
            return False
        self.open = DetectedIncident(moments[0], time, time, len(moments))
        return True

    def all(self) -> tuple[DetectedIncident, ...]:
        """Every incident so far, oldest first."""
        return (*self.closed, *((self.open,) if self.open is not None else ()))
