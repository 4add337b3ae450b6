"""Runs that waited for people go on: as work, by whichever process gets to it, once all is settled.

Approvals do not know who waits for them, and several runs of one incident may wait for the same
one; their reports tell.
"""

from typing import Final

from aiops.agents.proposing.tried import settled
from aiops.app.incident_reports import ACTED
from aiops.errors import WrongState
from aiops.model.approval import ApprovalState
from aiops.model.investigation import Investigation
from aiops.model.job import Job
from aiops.ports.approvals import ApprovalStore
from aiops.ports.clock import Clock
from aiops.ports.jobs import JobQueue
from aiops.ports.repositories import InvestigationRepo

KIND: Final = "resume"
LATEST: Final = 20
"""Investigations of one incident that may still wait: more are not made of one in an hour."""
_OVER: Final[tuple[ApprovalState, ...]] = ("used", "rejected", "expired", "superseded")


class Resumptions:
    """Queues runs whose approvals are settled; each is queued once, whoever looks how often."""

    def __init__(
        self,
        approvals: ApprovalStore,
        investigations: InvestigationRepo,
        queue: JobQueue,
        clock: Clock,
    ) -> None:
        self._approvals, self._investigations = approvals, investigations
        self._queue, self._clock = queue, clock
        self._seen: frozenset[tuple[str, int]] = frozenset()

    def sweep(self) -> tuple[str, ...]:
        """Look at incidents whose approvals changed since the last time; all, the first time.

        Returns:
            Ids of the runs that were queued now.

        Raises:
            StoreUnavailable: the rest is to be done in the next round.
        """
        over = self._approvals.listed(_OVER, limit=100)
        new = [each for each in over if (each.id, each.revision) not in self._seen]
        about = dict.fromkeys(each.incident for each in new if each.incident is not None)
        queued = tuple(run for incident in about for run in self.of(incident))
        self._seen = frozenset((each.id, each.revision) for each in over)
        return queued

    def of(self, incident: str) -> tuple[str, ...]:
        """Queue the runs of one incident that can go on; their ids."""
        made = self._investigations.newest(incident, limit=LATEST)
        jobs = [
            Job(f"{KIND}:{each.id}", KIND, each.id, self._clock.now())
            for each in made
            if not each.id.endswith(ACTED) and self._can_go_on(each)
        ]
        return tuple(job.about for job in jobs if self._queue.put(job))

    def resume(self, run: str) -> bool:
        """Queue one run because somebody asks for it; False where it is queued or over already.

        Raises:
            NotKept: there is no investigation of this id.
            WrongState: it waits for nothing, or for people.
        """
        investigation = self._investigations.get(run)
        asked = _asked(investigation)
        if not asked:
            raise WrongState(f"investigation {run}", "waits for nothing, so nothing is to resume")
        still = [each for each in asked if not settled(self._approvals, each)]
        if still:
            raise WrongState(
                f"investigation {run}",
                f"goes on by itself once {', '.join(still)} is decided and carried out",
            )
        return run in self.of(investigation.about)

    def _can_go_on(self, investigation: Investigation) -> bool:
        asked = _asked(investigation)
        return bool(asked) and all(settled(self._approvals, each) for each in asked)


def _asked(investigation: Investigation) -> tuple[str, ...]:
    """Approvals that its report waits for."""
    waits = (one.approval for one in investigation.report.actions if one.state == "waits")
    return tuple(each for each in waits if each is not None)
