"""Actions and their approvals: what is approved is exactly what is carried out."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Final, Literal

from aiops.model.canonical import digest
from aiops.model.tool import Preview, Risk

ApprovalState = Literal[
    "pending",  # nobody has decided
    "escalated",  # nobody has, and others were asked
    "approved",  # may be carried out once, until it expires
    "rejected",
    "expired",  # nobody decided in time, or nobody carried it out in time
    "superseded",  # arguments, target or diff changed; another approval stands in its place
    "used",  # carried out, once
]
OPEN: Final[tuple[ApprovalState, ...]] = ("pending", "escalated")
Decision = Literal["approve", "modify", "reject", "escalate"]
Mode = Literal["shadow", "approve"]


@dataclass(frozen=True, slots=True)
class Action:
    """One write, with all that whoever approves it has to see.

    Attributes:
        arguments: canonical JSON.
    """

    tool: str
    arguments: str
    risk: Risk
    preview: Preview

    @property
    def hash(self) -> str:
        """sha256 over tool, arguments, targets, their state, and the diff of the dry run."""
        return digest(
            {
                "tool": self.tool,
                "arguments": self.arguments,
                "targets": [asdict(target) for target in self.preview.targets],
                "state": self.preview.state,
                "diff": self.preview.diff,
            }
        )


@dataclass(frozen=True, slots=True)
class Approval:
    """The question whether an action may be carried out, and its answer.

    Attributes:
        action_hash: of ``action``; whoever decides states it, and another one is refused.
        reason: why the action is proposed, with evidence ids.
        mode: in "shadow" an answer is only compared with what would have been done.
        needed_role: who may decide: "responder", or "admin" for high risk and after escalation.
        expires_at: when an open one lapses, or an approved one can no longer be used.
        decided_by, decided_at, decision_reason: the last decision; who requested an action
            cannot approve it.
        superseded_by: the approval that stands in its place.
        outcome: how carrying it out ended.
        revision: counts changes; a change made from an older one is refused.
    """

    id: str
    action: Action
    action_hash: str
    state: ApprovalState
    mode: Mode
    reason: str
    requested_by: str
    run: str
    incident: str | None
    requested_at: datetime
    expires_at: datetime
    needed_role: Literal["responder", "admin"] = "responder"
    decided_by: str | None = None
    decided_at: datetime | None = None
    decision_reason: str = ""
    superseded_by: str | None = None
    used_at: datetime | None = None
    outcome: str | None = None
    revision: int = 0

    @property
    def open(self) -> bool:
        """Whether somebody still has to decide."""
        return self.state in OPEN

    @property
    def lapses(self) -> bool:
        """Whether its time can be over; a shadowed one that was answered is never used."""
        return self.open or (self.state == "approved" and self.mode == "approve")
