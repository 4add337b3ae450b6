"""The doors of an investigation's graph: its incident, what it keeps, and who watches."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from aiops.model.case import CaseData
from aiops.model.report import Report
from aiops.model.run import Collected, Deed, Moment, Proposal, Shortlist
from aiops.model.tool import Outcome, ToolCall

T = TypeVar("T")
Watch = Callable[[Moment], None]
Ask = Callable[[ToolCall], Outcome]
"""One call through the gateway; never raises for what is asked."""


class Inquiry(Protocol):
    """One incident, and the analyzers over it: the same functions whoever asks."""

    def collect(self, at: datetime) -> Collected:
        """Its telemetry as of ``at``; the same again for the same moment.

        Raises:
            StoreUnavailable: nothing can be kept, so nothing was collected.
        """
        ...

    def shortlist(self, case: CaseData) -> Shortlist:
        """The likely causes; a step that fails is named in it."""
        ...

    def report(self, case: CaseData, shortlist: Shortlist) -> Report:
        """The report on ``shortlist``, without timings, actions and usage."""
        ...


class Shelf(Protocol):
    """Keeps what a run finds outside its state, which holds ids only."""

    def keep(self, value: object) -> str:
        """Keep a dataclass of the model; returns its id. The same value twice is kept once.

        Raises:
            StoreUnavailable: it cannot be kept.
        """
        ...

    def take(self, kind: type[T], ref: str) -> T:
        """The value of ``kind`` kept under ``ref``.

        Raises:
            NotKept: there is none.
        """
        ...


class Proposer(Protocol):
    """Says what would mend an incident."""

    def __call__(self, case: CaseData, report: Report) -> Sequence[Proposal]:
        """Writes to ask approval for, best first; () where nothing known would help.

        Args:
            report: as it would be written now; its evidence is what proposals cite.
        """
        ...


class Guide(Protocol):
    """A troubleshooting guide that matches an incident."""

    def __call__(self, case: CaseData, shortlist: Shortlist) -> Shortlist:
        """The shortlist with what walking the guide added to its evidence."""
        ...


class Remember(Protocol):
    """Takes a finished run into memory."""

    def __call__(self, report: Report, deeds: Sequence[Deed], run: str) -> None:
        """Keep what is worth knowing the next time; the same run twice is kept once."""
        ...


class Runner(Protocol):
    """Carries one investigation through its graph."""

    def __call__(self, run: str, inquiry: Inquiry, incident: str | None = None) -> Report:
        """The report; begun again after a crash it goes on where it was.

        Raises:
            StoreUnavailable: nothing was finished; it is to be tried again.
        """
        ...

    def go_on(self, run: str, inquiry: Inquiry, incident: str | None = None) -> Report | None:
        """The report of a run that waited, once everything it asked for is settled.

        Returns:
            None while somebody has yet to answer, or what was approved is being carried out.

        Raises:
            NotKept: no such run is known: it never began, or it ended and is forgotten.
            StoreUnavailable: nothing was finished; it is to be tried again.
        """
        ...

    def forget(self, run: str) -> None:
        """Its report is kept elsewhere: nothing will be asked of it again. Unknown runs: nothing.

        Raises:
            StoreUnavailable: it is kept on.
        """
        ...
