"""How often people would have done what shadow mode would have done."""

from dataclasses import dataclass

from aiops.ports.approvals import ApprovalStore


@dataclass(frozen=True, slots=True)
class Agreement:
    """People's verdicts on actions in shadow mode.

    Attributes:
        agreed: actions that somebody would have approved.
        judged: those, and the ones that somebody rejected.
        waiting: that nobody has judged yet.
        lapsed: that nobody judged in time; they count neither for nor against.
    """

    agreed: int
    judged: int
    waiting: int
    lapsed: int

    @property
    def share(self) -> float | None:
        """Of the judged ones, those agreed with, 0 to 1; None where none was judged."""
        return self.agreed / self.judged if self.judged else None


def agreement(approvals: ApprovalStore) -> Agreement:
    """The score so far, over all actions in shadow mode."""
    counts = approvals.counts("shadow")
    return Agreement(
        agreed=counts["approved"],
        judged=counts["approved"] + counts["rejected"],
        waiting=counts["pending"] + counts["escalated"],
        lapsed=counts["expired"],
    )
