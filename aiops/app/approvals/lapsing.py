"""Approvals that nobody answers: an admin is asked, and then the action is not carried out."""

from collections.abc import Iterator
from dataclasses import replace

from aiops.app.approvals.deciding import Desk
from aiops.app.approvals.noting import ACTOR
from aiops.model.approval import Approval
from aiops.model.investigation import AuditEntry


def lapse(desk: Desk) -> tuple[Approval, ...]:
    """One round; those whose state it changed, as they are now.

    Several processes may do it at once: each change is made by one of them.

    Raises:
        StoreUnavailable: the rest is to be done in the next round.
    """
    return tuple(_changes(desk))


def _changes(desk: Desk) -> Iterator[Approval]:
    now = desk.clock.now()
    for due in desk.approvals.due(now):
        unanswered = due.state == "pending" and due.mode == "approve"
        to = desk.escalated(due, now) if unanswered else replace(due, state="expired")
        if desk.approvals.swap(due, to):
            targets = ", ".join(str(target) for target in due.action.preview.targets)
            action = f"approval.{'escalate' if unanswered else 'expire'}"
            desk.audit.append(AuditEntry(now, ACTOR, action, targets, "done", due.id))
            yield to
