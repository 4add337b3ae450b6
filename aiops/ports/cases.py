"""The door for recorded incidents."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from aiops.model import CaseData


@dataclass(frozen=True, slots=True)
class CaseLocation:
    """Where one recorded case lies.

    Attributes:
        dataset: the data set's name; the folder's name for a loose folder.
        name: the case's name in its source. It often gives the answer away: never shown to a
            method, never printed by ``rca`` or ``investigate``.
        path: its folder, or the file that holds it among others.
        id: opaque, derived from dataset and name; safe to show.
    """

    dataset: str
    name: str
    path: Path
    id: str


@dataclass(frozen=True, slots=True)
class CaseHints:
    """What a layout without case.json cannot say.

    Attributes:
        inject_time: when the alert fired, in the unit and clock of the case's own time column.
        graph: a call-graph file: CSV with source,target[,weight] rows, or an adjacency matrix.
        trigger: what it fired on: "service" or "service:metric".
    """

    inject_time: float | None = None
    graph: Path | None = None
    trigger: str | None = None


class CaseSource(Protocol):
    """One layout of recorded cases. Opens no file that holds answers while loading."""

    name: str

    def recognises(self, path: Path) -> bool:
        """Whether ``path`` is a single case in this layout."""
        ...

    def locate(self, path: Path) -> Iterator[CaseLocation]:
        """The cases in ``path``: itself, or those below a data set's folder; none if not ours."""
        ...

    def load(self, location: CaseLocation, hints: CaseHints) -> CaseData:
        """The telemetry and trigger of one case, without its answers.

        Raises:
            InvalidData: a file that cannot be used, naming file, column and reason.
        """
        ...
