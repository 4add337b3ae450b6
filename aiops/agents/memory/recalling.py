"""The past incidents that come to mind with a report."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from aiops.agents.memory.likeness import TWIN, Recollection, likeness, seen_before
from aiops.agents.memory.signature import signature_of
from aiops.model.memory import HumanVerdict, PastIncident
from aiops.model.report import Report
from aiops.ports.memory import Memory

Recall = Callable[[Report], Sequence[Recollection]]


@dataclass(frozen=True, slots=True)
class Recalling:
    """A Recall: an earlier look at the same incident is no memory of another.

    Attributes:
        incident: which the run is about.
        verdict: what a person said of the cause of an incident, by its id.
    """

    memory: Memory
    incident: str
    verdict: Callable[[str], HumanVerdict]

    def __call__(self, report: Report) -> tuple[Recollection, ...]:
        """The most alike first; () where nobody is suspected, which looks like nothing."""
        if not report.root_causes:
            return ()
        signature = signature_of(report)
        alike = (
            self._judged(past)
            for past in self.memory.newest()
            if past.incident != self.incident and likeness(signature, past.signature) >= TWIN
        )
        return seen_before(signature, alike)

    def _judged(self, past: PastIncident) -> PastIncident:
        return replace(past, verdict=self.verdict(past.incident))
