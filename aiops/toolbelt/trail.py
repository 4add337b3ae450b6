"""What is known of a call on its way, and the one row of the audit log that it leaves."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from aiops.model.canonical import canonical
from aiops.model.investigation import AuditEntry
from aiops.model.tool import Outcome, ToolCall, ToolSpec
from aiops.ports.clock import Clock
from aiops.ports.tools import Progress
from aiops.toolbelt.cut import Cut
from aiops.toolbelt.finish import Finish

_MOST = 8_000
"""Characters of arguments in the audit log; an action's whole arguments are in its approval."""


@dataclass(slots=True)
class Trail:
    """Of one call; filled in as it passes the stages.

    Attributes:
        where: places or targets, for the audit log.
        charged: whether it counts in its run's budget.
        begun: whether the ledger has it, so that its end is noted there.
        changing: whether something may have been changed by now.
        moving: set once a tool works on it.
    """

    call: ToolCall
    cut: Cut
    started: float
    spec: ToolSpec | None = None
    where: tuple[str, ...] = ()
    action_hash: str | None = None
    charged: bool = False
    begun: bool = False
    changing: bool = False
    moving: asyncio.Event = field(default_factory=asyncio.Event)
    progress: Progress | None = None
    listener: Callable[[Progress], None] | None = None

    def report(self, progress: Progress) -> None:
        """Take progress, and hand it on."""
        self.progress = progress
        if self.listener is not None:
            self.listener(progress)


def entry(
    trail: Trail, outcome: Outcome, seconds: float, clock: Clock, finish: Finish
) -> AuditEntry:
    """The row of one call."""
    call, caller = trail.call, trail.call.caller
    arguments = finish.redact(call.arguments, caller.run)
    detail = {
        "run": caller.run,
        "capability": caller.capability,
        "incident": caller.incident,
        "arguments": arguments[:_MOST],
        "key": call.key,
        "approval": outcome.approval or call.approval,
        "action": trail.action_hash,
        "said": outcome.summary[:_MOST] if outcome.status != "done" else None,
        "verified": None if outcome.verified is None else outcome.verified.seen,
        "unread": [one.what for one in outcome.unread],
        "blob": outcome.blob,
        "suspicious": outcome.suspicious or None,
        "seconds": round(seconds, 3),
    }
    return AuditEntry(
        at=clock.now(),
        actor=caller.name,
        action=_plain(call.tool),
        target="; ".join(trail.where),
        outcome=f"{outcome.status}: {outcome.reason}" if outcome.reason else outcome.status,
        ref=call.id,
        detail=canonical({key: value for key, value in detail.items() if value not in (None, [])}),
    )


def rollback(
    trail: Trail, tool: str, where: tuple[str, ...], ref: str, outcome: str, said: str, clock: Clock
) -> AuditEntry:
    """The row of a change that was taken back, or not, as part of a call."""
    return AuditEntry(
        at=clock.now(),
        actor=trail.call.caller.name,
        action=_plain(tool),
        target="; ".join(where),
        outcome=outcome,
        ref=ref,
        detail=canonical(
            {"rollback_of": trail.call.id, "run": trail.call.caller.run, "said": said}
        ),
    )


def _plain(name: str) -> str:
    """Of a tool that does not exist the name is anybody's text."""
    return name if name.isascii() and name.isprintable() and len(name) <= 200 else ascii(name)[:200]
