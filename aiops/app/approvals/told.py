"""Approvals whose changes people learn of: in the incident's timeline, and by being called."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from aiops.app.approvals.calling import again
from aiops.app.approvals.noting import ACTOR, note
from aiops.errors import NotDelivered
from aiops.model.approval import Approval, ApprovalState, Mode
from aiops.ports.approvals import ApprovalStore, Summons
from aiops.ports.clock import Clock
from aiops.ports.incidents import IncidentRepo
from aiops.ports.jobs import JobQueue


class ToldApprovals:
    """An ApprovalStore around another one; whoever makes a change, it is told of the same way.

    Args:
        summons: called when a decision is needed; not for actions in shadow mode.
        queue: takes the next try to call whom it did not reach; without one there is none.
    """

    def __init__(
        self,
        kept: ApprovalStore,
        incidents: IncidentRepo,
        clock: Clock,
        summons: Sequence[Summons] = (),
        queue: JobQueue | None = None,
    ) -> None:
        self._kept, self._incidents, self._clock = kept, incidents, clock
        self._summons, self._queue = tuple(summons), queue

    def file(self, approval: Approval) -> Approval:
        """Keep it; raises AlreadyKept."""
        kept = self._kept.file(approval)
        if kept.id == approval.id:
            self._tell(kept)
        return kept

    def get(self, approval_id: str) -> Approval:
        """The approval; raises NotKept."""
        return self._kept.get(approval_id)

    def listed(
        self,
        states: Sequence[ApprovalState] = (),
        *,
        incident: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> tuple[Approval, ...]:
        """Those asked for, newest first."""
        return self._kept.listed(states, incident=incident, before=before, limit=limit)

    def due(self, now: datetime, *, limit: int = 100) -> tuple[Approval, ...]:
        """Those whose time is over."""
        return self._kept.due(now, limit=limit)

    def swap(self, was: Approval, to: Approval) -> bool:
        """Compare and swap."""
        swapped = self._kept.swap(was, to)
        if swapped and (was.state, was.outcome) != (to.state, to.outcome):
            self._tell(to)
        return swapped

    def counts(self, mode: Mode) -> Mapping[ApprovalState, int]:
        """How many are in each state."""
        return self._kept.counts(mode)

    def _tell(self, approval: Approval) -> None:
        self._note(approval, sentence(approval))
        if approval.open and approval.mode == "approve":
            for each in self._summons:
                try:
                    each.summon(approval)
                except NotDelivered as error:
                    self._note(approval, f"Nobody was called for approval {approval.id}: {error}")
                    if self._queue is not None:
                        self._queue.put(again(approval, each.name, self._clock.now()))

    def _note(self, approval: Approval, text: str) -> None:
        note(self._incidents, self._clock.now(), approval, text)


def sentence(approval: Approval) -> str:
    """The state of an approval, for a timeline."""
    what, by = approval.action.preview.summary, approval.decided_by or ACTOR
    because = f": {approval.decision_reason}" if approval.decision_reason else ""
    shadow = "Shadow mode, nothing is carried out. " if approval.mode == "shadow" else ""
    match approval.state:
        case "pending":
            said = (
                f"{approval.requested_by} asks to {_small(what)} "
                f"(risk {approval.action.risk}): {approval.reason}"
            )
        case "escalated" if approval.decided_by is None:
            said = f"Nobody answered in time, an admin is asked: {what}"
        case "escalated":
            said = f"Escalated by {by}{because}: {what}"
        case "approved" | "rejected":
            said = f"{approval.state.capitalize()} by {by}{because}: {what}"
        case "expired":
            said = f"{approval.outcome or 'Lapsed, nothing was done'}: {what}"
        case "superseded":
            said = f"Replaced by approval {approval.superseded_by}{because}: {what}"
        case "used":
            said = f"{approval.outcome or 'Is carried out now'}: {what}"
    return shadow + said


def _small(text: str) -> str:
    return text[:1].lower() + text[1:]
