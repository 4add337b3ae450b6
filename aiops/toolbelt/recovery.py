"""Calls whose process died: found in the ledger, and written down as what they are, unknown."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from aiops.model.canonical import canonical
from aiops.model.investigation import AuditEntry
from aiops.model.tool import Outcome, ToolCall
from aiops.ports.approvals import Begun, CallLedger
from aiops.ports.clock import Clock
from aiops.ports.repositories import AuditLog

PATIENCE: Final = timedelta(hours=3)
"""A call that is silent for longer has no process any more: no plan takes that long."""
EVERY_S: Final = 60.0


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A chore: called again and again, it says in how many seconds the next time is."""

    ledger: CallLedger
    audit: AuditLog
    clock: Clock
    patience: timedelta = PATIENCE

    def __call__(self) -> float:
        """One round."""
        for begun in self.ledger.unfinished(self.clock.now() - self.patience):
            self._write_down(begun)
        return EVERY_S

    def _write_down(self, begun: Begun) -> None:
        said = (
            f"{begun.tool} was begun at {begun.at.isoformat()} and its process ended before it "
            "did; look at its target"
        )
        outcome = Outcome(begun.call, "unknown", said, reason="died", approval=begun.approval)
        detail = {"run": begun.caller.run, "approval": begun.approval, "said": said}
        self.audit.append(
            AuditEntry(
                at=self.clock.now(),
                actor=begun.caller.name,
                action=begun.tool,
                target="",
                outcome="unknown: died",
                ref=begun.call,
                detail=canonical({key: value for key, value in detail.items() if value}),
            )
        )
        call = ToolCall(begun.call, begun.tool, "{}", begun.caller, begun.key, begun.approval)
        self.ledger.end(call, outcome, 0.0)
