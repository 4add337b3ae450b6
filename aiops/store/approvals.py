"""Approvals and the kill switch in this process: the twins of the SQL ones."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from threading import Lock
from typing import get_args

from aiops.errors import AlreadyKept, NotKept
from aiops.model.approval import OPEN, Approval, ApprovalState, Mode
from aiops.model.tool import Stop
from aiops.ports.events import EventBus


def event_of(was: Approval, to: Approval) -> str | None:
    """What a change is told as on the bus; None where there is nothing to tell."""
    if was.state != to.state:
        return f"approval.{to.state}"
    return "approval.ended" if was.outcome != to.outcome else None


class MemoryApprovals:
    """An ApprovalStore; see ``ports.approvals``. Safe for many threads.

    Args:
        bus: where changes are told.
    """

    def __init__(self, bus: EventBus) -> None:
        self._bus = bus
        self._kept: dict[str, Approval] = {}
        self._lock = Lock()

    def file(self, approval: Approval) -> Approval:
        """Keep it, or say which one is asked already; raises AlreadyKept."""
        with self._lock:
            if approval.id in self._kept:
                if self._kept[approval.id] != approval:
                    raise AlreadyKept("approval", approval.id)
                return approval
            asked = (
                each
                for each in self._kept.values()
                if each.state in OPEN and _question(each) == _question(approval)
            )
            if approval.state in OPEN and (same := next(asked, None)) is not None:
                return same
            self._put(approval, told=f"approval.{approval.state}")
        return approval

    def get(self, approval_id: str) -> Approval:
        """The approval; raises NotKept."""
        if approval_id not in self._kept:
            raise NotKept("approval", approval_id)
        return self._kept[approval_id]

    def listed(
        self,
        states: Sequence[ApprovalState] = (),
        *,
        incident: str | None = None,
        before: str | None = None,
        limit: int = 50,
    ) -> tuple[Approval, ...]:
        """Those asked for, newest first."""
        found = [
            each
            for each in self._all()
            if (not states or each.state in states)
            and incident in (None, each.incident)
            and (before is None or each.id < before)
        ]
        return tuple(sorted(found, key=lambda each: each.id, reverse=True)[:limit])

    def due(self, now: datetime, *, limit: int = 100) -> tuple[Approval, ...]:
        """Those whose time is over."""
        over = [each for each in self._all() if each.lapses and each.expires_at <= now]
        return tuple(sorted(over, key=lambda each: (each.expires_at, each.id))[:limit])

    def swap(self, was: Approval, to: Approval) -> bool:
        """Compare and swap."""
        if was.id != to.id:
            raise ValueError(f"approval {to.id} cannot stand for {was.id}")
        with self._lock:
            kept = self._kept.get(was.id)
            if kept is None or kept.revision != was.revision:
                return False
            self._put(replace(to, revision=was.revision + 1), told=event_of(was, to))
        return True

    def counts(self, mode: Mode) -> Mapping[ApprovalState, int]:
        """How many are in each state."""
        found = Counter(each.state for each in self._all() if each.mode == mode)
        return {state: found[state] for state in get_args(ApprovalState)}

    def _all(self) -> list[Approval]:
        with self._lock:
            return list(self._kept.values())

    def _put(self, approval: Approval, *, told: str | None) -> None:
        self._kept[approval.id] = approval
        if told is not None:
            self._bus.publish(told, approval.id)


class MemorySwitch:
    """A KillSwitch; see ``ports.approvals``. Safe for many threads."""

    def __init__(self) -> None:
        self._stop: Stop | None = None
        self._lock = Lock()

    def state(self) -> Stop | None:
        """Who stopped everything."""
        return self._stop

    def engage(self, stop: Stop) -> None:
        """Stop; the first stays."""
        with self._lock:
            self._stop = self._stop or stop

    def release(self) -> None:
        """Let writes pass."""
        with self._lock:
            self._stop = None


def _question(approval: Approval) -> tuple[str, str, Mode]:
    return approval.action_hash, approval.run, approval.mode
