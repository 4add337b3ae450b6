"""People who could not be called to an approval are called again, until somebody has decided."""

from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import Final

from aiops.app.approvals.noting import note
from aiops.errors import NotDelivered, NotKept
from aiops.model.approval import Approval
from aiops.model.job import ATTEMPTS, FIRST_DELAY, Job
from aiops.ports.approvals import ApprovalStore, Summons
from aiops.ports.clock import Clock
from aiops.ports.incidents import IncidentRepo

KIND: Final = "summon"


def again(approval: Approval, notifier: str, now: datetime) -> Job:
    """The next try to call people by a notifier that failed; one for each state of an approval."""
    key = f"{KIND}:{approval.state}:{approval.id}:{notifier}"
    return Job(key, KIND, approval.id, now + FIRST_DELAY)


class Calling:
    """A Handler of such jobs: calls while the question is still the one that was asked."""

    def __init__(
        self,
        approvals: ApprovalStore,
        incidents: IncidentRepo,
        clock: Clock,
        summons: Sequence[Summons],
    ) -> None:
        self._approvals, self._incidents, self._clock = approvals, incidents, clock
        self._summons = {each.name: each for each in summons}

    def __call__(self, job: Job) -> None:
        """Call once more, unless it is decided, escalated or forgotten, or the notifier is gone.

        Raises:
            NotDelivered: it did not reach them; the queue tries again while it does so.
        """
        _, state, approval_id, name = job.key.split(":", 3)
        summons, approval = self._summons.get(name), None
        with suppress(NotKept):
            approval = self._approvals.get(approval_id)
        if summons is None or approval is None or approval.state != state:
            return
        try:
            summons.summon(approval)
        except NotDelivered as error:
            if job.attempt >= ATTEMPTS:
                said = (
                    f"Nobody could be called for approval {approval.id}, and no further try is made"
                )
                note(self._incidents, self._clock.now(), approval, f"{said}: {error}")
            raise
        said = f"Called for approval {approval.id} by {name} after all"
        note(self._incidents, self._clock.now(), approval, said)
