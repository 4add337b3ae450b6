"""From a finished investigation to what is remembered of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from aiops.agents.memory.routines import learn_from
from aiops.agents.memory.signature import signature_of
from aiops.errors import NotKept
from aiops.model.memory import Attempt, PastIncident
from aiops.model.report import Report
from aiops.model.run import Deed
from aiops.ports.clock import Clock
from aiops.ports.memory import Memory


@dataclass(frozen=True, slots=True)
class Remembering:
    """A Remember: takes a finished run into memory, and what its verified fix taught.

    Attributes:
        incident: which the run was about.
    """

    memory: Memory
    clock: Clock
    incident: str

    def __call__(self, report: Report, deeds: Sequence[Deed], run: str) -> None:
        """See Remember."""
        now = self.clock.now()
        tried = [Attempt(one.proposal.tool, one.summary, one.reached) for one in deeds]
        past = past_incident(run, self.incident, now, report, tried)
        if past is None or self._is_kept(run):
            return
        self.memory.remember(past)
        verified = [one for one in tried if one.helped is not None]
        if verified:
            helped = all(one.helped for one in verified)
            learn_from(self.memory, past, [one.tool for one in verified], helped, now)

    def _is_kept(self, run: str) -> bool:
        try:
            self.memory.get(run)
        except NotKept:
            return False
        return True


def past_incident(
    investigation: str, incident: str, at: datetime, report: Report, tried: Sequence[Attempt] = ()
) -> PastIncident | None:
    """What to remember of an investigation; None where it accused nobody."""
    if report.verdict != "root_cause" or not report.root_causes:
        return None
    cause = report.root_causes[0]
    return PastIncident(
        investigation,
        incident,
        at,
        signature_of(report),
        cause.entity,
        cause.indicator,
        cause.fault_type,
        tuple(tried),
    )
