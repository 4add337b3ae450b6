"""The door for readers: each looks at one modality and raises typed hypotheses."""

from typing import Protocol

from aiops.model import CaseData
from aiops.model.hypothesis import Episode, Reading


class Reader(Protocol):
    """Reads one modality of an incident.

    Pure: the same case, episode and seed give the same reading, whatever the order of columns,
    lines with equal times, or objects. Malformed input is bounded, counted and noted, never
    raised. Nothing here knows a system: names matter only where compared with each other.
    """

    name: str
    modality: str

    def read(self, case: CaseData, episode: Episode, *, seed: int = 0) -> Reading:
        """The hypotheses this modality raises about ``episode``."""
        ...
