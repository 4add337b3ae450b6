"""Approved actions become work: each is carried out once, by whichever process gets to it."""

from dataclasses import replace
from datetime import datetime
from typing import Final

from aiops.model.approval import Approval
from aiops.model.job import Job
from aiops.ports.approvals import ApprovalStore
from aiops.ports.clock import Clock
from aiops.ports.jobs import JobQueue

KIND: Final = "carry-out"
MOST: Final = 100


def job_of(approval: Approval, now: datetime) -> Job | None:
    """The work of an approval; None where there is none: in shadow mode nothing is done."""
    if approval.state != "approved" or approval.mode != "approve":
        return None
    return Job(f"{KIND}:{approval.id}", KIND, approval.id, now)


def order_approved(approvals: ApprovalStore, queue: JobQueue, clock: Clock) -> tuple[str, ...]:
    """Queue what is approved and was not queued: whoever approved it may have died in between.

    Returns:
        Ids of the approvals that were queued now.

    Raises:
        StoreUnavailable: the rest is to be done in the next round.
    """
    now = clock.now()
    jobs = (job_of(each, now) for each in approvals.listed(("approved",), limit=MOST))
    return tuple(job.about for job in jobs if job is not None and queue.put(job))


def end_unused(approvals: ApprovalStore, approval_id: str, outcome: str) -> bool:
    """Nothing was changed and nothing will be: the approval is over, and says why.

    An approval that lies about could be used at a time when nobody thinks of it any more. False
    where it was used, or decided otherwise, meanwhile.
    """
    approval = approvals.get(approval_id)
    if approval.state != "approved":
        return False
    return approvals.swap(approval, replace(approval, state="expired", outcome=outcome[:2000]))
