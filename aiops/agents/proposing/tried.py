"""What was asked for an incident before: not asked twice, and what failed is not tried again."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from aiops.errors import NotKept
from aiops.model.approval import Approval
from aiops.model.run import Deed, Proposal
from aiops.model.tool import OutcomeStatus
from aiops.ports.approvals import ApprovalStore

LOOKED_AT: Final = 100
"""Approvals of one incident, the latest: more than anybody answers in one."""
_ENDS: Final[tuple[OutcomeStatus, ...]] = ("done", "failed", "rolled_back", "unknown")
_REACHED: Final[Mapping[OutcomeStatus, bool]] = {"done": True, "rolled_back": False}


def standing_for(approvals: ApprovalStore, approval_id: str) -> Approval | None:
    """The approval, or what stands in its place by now; None where it is forgotten."""
    try:
        found = approvals.get(approval_id)
        while found.state == "superseded" and found.superseded_by is not None:
            found = approvals.get(found.superseded_by)
    except NotKept:
        return None
    return found


def settled(approvals: ApprovalStore, approval_id: str) -> bool:
    """Whether nothing more comes of it: refused, lapsed, or carried out to its end."""
    found = standing_for(approvals, approval_id)
    if found is None or found.mode == "shadow":
        return True
    if found.state == "used":
        return found.outcome is not None
    return found.state in ("rejected", "expired")


def as_others_ended(deed: Deed, approval: Approval) -> Deed:
    """A worker carried it out, not this run: how that ended stands in the approval."""
    status = _ended(approval)
    said = (approval.outcome or "its end is not known; look at the object").removeprefix(
        f"{status}: "
    )
    return replace(
        deed,
        status=status,
        summary=said,
        approval=approval.id,
        reached=_REACHED.get(status),
        seen=said,
    )


@dataclass(frozen=True, slots=True)
class Tried:
    """Approvals that were asked for on behalf of one incident, by any of its runs."""

    earlier: tuple[Approval, ...] = ()

    @classmethod
    def of(cls, approvals: ApprovalStore, incident: str | None) -> "Tried":
        """Of ``incident``; nothing where a run is about none."""
        if incident is None:
            return cls()
        return cls(approvals.listed(incident=incident, limit=LOOKED_AT))

    def takes_back(self, proposal: Proposal) -> bool:
        """Whether it would undo what was approved and done for the incident."""
        undos = (one.action.preview.undo for one in self.earlier if _ended(one) == "done")
        return any(
            undo is not None and (undo.tool, undo.arguments) == (proposal.tool, proposal.arguments)
            for undo in undos
        )

    def told(self, proposal: Proposal) -> Deed | None:
        """How the same action stands; None where it may be asked for."""
        for one in self.earlier:
            if (one.action.tool, one.action.arguments) == (proposal.tool, proposal.arguments):
                deed = _told(proposal, one)
                if deed is not None:
                    return deed
        return None


def _ended(approval: Approval) -> OutcomeStatus:
    """As the gateway notes it, before the colon."""
    said = approval.outcome or ""
    return next((each for each in _ENDS if said.startswith(f"{each}: ")), "unknown")


def _told(proposal: Proposal, approval: Approval) -> Deed | None:
    deed = Deed(
        proposal=proposal,
        status="waits",
        summary=f"waits for approval {approval.id}, which was asked for before",
        risk=approval.action.risk,
        approval=approval.id,
        diff=approval.action.preview.diff,
    )
    if approval.mode == "shadow":
        said = f"shadow mode, noted before as {approval.id}: {approval.action.preview.summary}"
        return replace(deed, status="shadowed", summary=said)
    if approval.open or approval.state == "approved":
        return deed
    if approval.state == "rejected":
        said = f"not asked again: {approval.decided_by} rejected it: {approval.decision_reason}"
        return replace(deed, status="denied", summary=said)
    if approval.state == "used":
        ended = as_others_ended(deed, approval)
        return replace(ended, summary=f"not tried again: {ended.summary}", reached=None)
    return None
