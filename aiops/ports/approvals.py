"""The doors of what outlives a call: approvals, calls made once, the kill switch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from aiops.model.approval import Action, Approval, ApprovalState, Mode
from aiops.model.tool import Caller, Outcome, Spent, Stop, ToolCall


class ApprovalStore(Protocol):
    """Keeps approvals; a change is made only to what was read.

    Each new one and each change of state is told on the event bus: "approval.<state>"; how carrying
    it out ended as "approval.ended".
    """

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
        """At most ``limit``, newest first: in descending order of ids. No state named: of any.

        Args:
            before: id of the last one seen; only older ones.
        """
        ...

    def due(self, now: datetime, *, limit: int = 100) -> tuple[Approval, ...]:
        """Those whose time is over by ``now``, first the one that was over first.

        Open ones, and approved ones but for shadowed: those are only an answer, never used.
        """
        ...

    def swap(self, was: Approval, to: Approval) -> bool:
        """Put ``to`` in the place of ``was``; False where it was changed since ``was`` was read.

        Of many who swap the same at once, one succeeds. It is kept with the revision after
        ``was.revision``, whatever ``to`` says.
        """
        ...

    def counts(self, mode: Mode) -> Mapping[ApprovalState, int]:
        """How many of a mode are in each state; every state is named."""
        ...


class Rehearsal(Protocol):
    """Looks at what a write would do now, by every rule of the gateway, and changes nothing."""

    async def rehearse(self, tool: str, arguments: str, caller: Caller) -> Action:
        """The action that these arguments stand for at this moment.

        Args:
            arguments: canonical JSON of an object.

        Raises:
            ToolFailed: it could not be done: kind "denied" by a rule of the gateway, "invalid" by
                the tool's schema, else as the tool says.
        """
        ...


class Summons(Protocol):
    """Calls people to an approval: a channel, a pager."""

    name: str

    def summon(self, approval: Approval) -> None:
        """Ask for a decision. The same question may reach people twice. Does not wait for long.

        Raises:
            NotDelivered: it did not reach them.
        """
        ...


@dataclass(frozen=True, slots=True)
class Begun:
    """A call that was begun and has not ended; its arguments are not kept.

    Attributes:
        beats: signs of life of its process so far; None where a version that gives none began it.
    """

    call: str
    tool: str
    caller: Caller
    key: str
    approval: str | None
    at: datetime
    beats: int | None = None


class CallLedger(Protocol):
    """Keeps which calls were begun and how they ended: a key's write happens once."""

    def begin(self, call: ToolCall, at: datetime) -> Outcome | None:
        """Note that ``call`` begins; None where its key is new.

        Else how the first call with this key ended, or "unknown" where it has not, or its process
        died: it is not begun again.

        Raises:
            AlreadyKept: the key was used for another tool, other arguments or in another run.
        """
        ...

    def end(self, call: ToolCall, outcome: Outcome, seconds: float) -> None:
        """Note how the call begun with this id and key ended; only its first end counts."""
        ...

    def renew(self, calls: Sequence[ToolCall]) -> None:
        """A sign of life of these calls, known by their keys; none once one has ended."""
        ...

    def unfinished(self, before: datetime, *, limit: int = 1000) -> tuple[Begun, ...]:
        """Calls begun before then that have not ended, oldest first: their process may be dead."""
        ...

    def count(self, run: str, at: datetime, *, write: bool, seconds: float) -> Spent:
        """Add one call, made ``at`` then, to what ``run`` has spent; all of it, this one included.

        What a run spent is kept for as long as calls are after its last one.
        """
        ...

    def spent(self, run: str) -> Spent:
        """What ``run`` has spent; nothing yet where nobody knows it."""
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
