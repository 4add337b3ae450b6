"""The doors of what outlives a call: approvals, calls made once, the kill switch."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from aiops.model.approval import Approval, ApprovalState
from aiops.model.tool import Outcome, Spent, Stop, ToolCall


class ApprovalStore(Protocol):
    """Keeps approvals; a change is made only to what was read."""

    def file(self, approval: Approval) -> Approval:
        """Keep it; where an open one of the same action, run and mode is kept, that one instead.

        Raises:
            AlreadyKept: another has this id.
        """
        ...

    def get(self, approval_id: str) -> Approval:
        """The approval with this id.

        Raises:
            NotKept: there is none.
        """
        ...

    def listed(
        self,
        states: Sequence[ApprovalState] = (),
        *,
        incident: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> tuple[Approval, ...]:
        """At most ``limit``, newest first; of any state where none is named.

        Args:
            before: id of the last one seen; only older ones.
        """
        ...

    def due(self, now: datetime, *, limit: int = 100) -> tuple[Approval, ...]:
        """Open or approved ones that have expired by ``now``, oldest first."""
        ...

    def swap(self, was: Approval, to: Approval) -> bool:
        """Put ``to`` in the place of ``was``; False where it was changed since ``was`` was read.

        Of many who swap the same at once, one succeeds.
        """
        ...


class CallLedger(Protocol):
    """Keeps which calls were begun and how they ended: a key's write happens once."""

    def begin(self, call: ToolCall, at: datetime) -> Outcome | None:
        """Note that ``call`` begins; None where its key is new.

        Else how the first call with this key ended, or "unknown" where it has not, or its process
        died: it is not begun again.

        Raises:
            AlreadyKept: the key was used for another tool or other arguments.
        """
        ...

    def end(self, call: ToolCall, outcome: Outcome, seconds: float) -> None:
        """Note how it ended."""
        ...

    def count(self, run: str, *, write: bool, seconds: float) -> Spent:
        """Add one call to what ``run`` has spent; all of it, this one included."""
        ...

    def spent(self, run: str) -> Spent:
        """What ``run`` has spent."""
        ...


class KillSwitch(Protocol):
    """Stops every write of every process at once."""

    def state(self) -> Stop | None:
        """Who stopped everything, and why; None where nobody has. Never from a cache."""
        ...

    def engage(self, stop: Stop) -> None:
        """Stop; engaging again keeps the first."""
        ...

    def release(self) -> None:
        """Let writes pass again."""
        ...
