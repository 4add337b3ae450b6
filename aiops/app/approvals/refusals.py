"""Why an answer to an approval is refused: by whom it comes, and what they have looked at."""

from datetime import datetime

from aiops.errors import NotAllowed, WrongState
from aiops.model.access import RANK, Role
from aiops.model.approval import Approval, Decision
from aiops.model.tool import Risk


class NotAsSeen(WrongState):
    """It is not, or no longer, the action that was looked at.

    Args:
        approval: the one that was decided about.
        reason: what is different, and what can be done.
        current: the one to look at now; perhaps the same, in another state.
    """

    def __init__(self, approval: Approval, reason: str, current: Approval) -> None:
        self.current = current
        super().__init__(f"approval {approval.id}", reason)


def allowed(name: str, role: Role, approval: Approval, decision: Decision) -> None:
    """Whether this person may say this.

    A refusal and a call for others are open to every responder, since nothing is carried out by
    them. Names are compared whatever the case of their letters.

    Raises:
        NotAllowed: they may not.
    """
    if RANK.index(role) < RANK.index("responder"):
        raise NotAllowed(f"{name} is a {role}; deciding about actions needs the role responder")
    if decision == "approve" and name.strip().casefold() == approval.requested_by.casefold():
        raise NotAllowed(
            f"{name} requested approval {approval.id}, so somebody else has to approve it"
        )
    if decision in ("approve", "modify"):
        role_reached(name, role, approval, approval.action.risk)


def role_reached(name: str, role: Role, approval: Approval, risk: Risk) -> None:
    """Whether the role reaches for an action of this risk; raises NotAllowed."""
    needed: Role = "admin" if risk == "high" else approval.needed_role
    if RANK.index(role) < RANK.index(needed):
        why = "it was escalated" if risk != "high" else "its risk is high"
        raise NotAllowed(
            f"{name} is a {role}; approval {approval.id} needs an {needed}, because {why}: "
            "escalate it, or reject it"
        )


def as_seen(
    asked: Approval, current: Approval, decision: Decision, action_hash: str, now: datetime
) -> None:
    """Whether the question is still open, and the action the one that was looked at.

    Args:
        current: what stands in the place of ``asked``; itself, where nothing does.

    Raises:
        NotAsSeen: it is not.
    """
    if not asked.open:
        by = f" by {asked.decided_by}" if asked.decided_by else ""
        instead = "" if current.id == asked.id else f"; look at {current.id} instead"
        raise NotAsSeen(
            asked, f"is {asked.state}{by}, so nothing is left to decide{instead}", current
        )
    if action_hash != asked.action_hash or asked.action.hash != asked.action_hash:
        raise NotAsSeen(
            asked,
            "is for another action than the one stated; look at it again, and state its hash",
            current,
        )
    if asked.expires_at <= now and decision != "reject":
        raise NotAsSeen(
            asked,
            f"was to be answered until {asked.expires_at:%H:%M:%S} UTC; what the action rests on "
            "may be out of date. It is escalated or lapses in a moment",
            current,
        )
