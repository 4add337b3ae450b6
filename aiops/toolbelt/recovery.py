"""Calls whose process died: found in the ledger, and written down as what they are, unknown."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from aiops.model.canonical import canonical
from aiops.model.investigation import AuditEntry
from aiops.model.tool import Outcome, ToolCall
from aiops.ports.approvals import Begun, CallLedger
from aiops.ports.clock import Clock
from aiops.ports.repositories import AuditLog

LEASE_S: Final = 60.0
"""How long a call may give no sign of life: six of them."""
EVERY_S: Final = LEASE_S / 6
SILENT_VERSIONS: Final = timedelta(hours=3)
"""How long a call of a version that gives no signs may take: no plan takes longer."""


@dataclass(slots=True)
class Unfinished:
    """A chore: called again and again, it says in how many seconds the next time is.

    Only its own stopwatch counts: no clock that jumps, and no two that differ, end a call. While it
    could not look, nobody is silent; they could not give a sign either.
    """

    ledger: CallLedger
    audit: AuditLog
    clock: Clock
    lease_s: float = LEASE_S
    _since: dict[tuple[str, int | None], float] = field(default_factory=dict)
    _looked_at: float = float("-inf")

    def __call__(self) -> float:
        """One round."""
        now = self.clock.stopwatch()
        begun = self.ledger.unfinished(self.clock.now())
        before = {} if now - self._looked_at > self.lease_s / 2 else self._since
        self._since = {sign: before.get(sign, now) for sign in map(_sign, begun)}
        self._looked_at = now
        for each in begun:
            if self._dead(each, now):
                self._write_down(each)
        return EVERY_S

    def _dead(self, begun: Begun, now: float) -> bool:
        if begun.beats is None:
            return begun.at < self.clock.now() - SILENT_VERSIONS
        return now - self._since[_sign(begun)] >= self.lease_s

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


def _sign(begun: Begun) -> tuple[str, int | None]:
    return begun.key, begun.beats
