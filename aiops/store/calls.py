"""Calls in this process: the twin of the SQL ledger, and what both say of a call."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from threading import Lock

from aiops.errors import AlreadyKept
from aiops.model.tool import Outcome, Spent, ToolCall
from aiops.ports.approvals import Begun


def begun(call: ToolCall, at: datetime) -> Begun:
    """What is kept of a call that begins: not its arguments, which may hold secrets."""
    return Begun(call.id, call.tool, call.caller, call.key, call.approval, at)


def unknown(call_id: str) -> Outcome:
    """The outcome of a call that was begun and has not ended."""
    return Outcome(
        call_id,
        "unknown",
        f"call {call_id} was begun and has not ended; look at its target before calling again",
        reason="begun",
    )


class MemoryLedger:
    """A CallLedger; see ``ports.approvals``. Safe for many threads."""

    def __init__(self) -> None:
        self._begun: dict[str, tuple[ToolCall, datetime]] = {}
        self._ended: dict[str, Outcome] = {}
        self._beats: Counter[str] = Counter()
        self._spent: dict[str, Spent] = {}
        self._lock = Lock()

    def begin(self, call: ToolCall, at: datetime) -> Outcome | None:
        """Note it, or say what became of the first one; raises AlreadyKept."""
        with self._lock:
            if call.key not in self._begun:
                self._begun[call.key] = (call, at)
                return None
            first, _ = self._begun[call.key]
            if _same(first) != _same(call):
                raise AlreadyKept("call", call.key)
            return self._ended.get(call.key, unknown(first.id))

    def end(self, call: ToolCall, outcome: Outcome, seconds: float) -> None:
        """Note how it ended."""
        del seconds
        with self._lock:
            if call.key in self._begun and self._begun[call.key][0].id == call.id:
                self._ended.setdefault(call.key, outcome)

    def renew(self, calls: Sequence[ToolCall]) -> None:
        """A sign of life."""
        with self._lock:
            self._beats.update(call.key for call in calls)

    def unfinished(self, before: datetime, *, limit: int = 1000) -> tuple[Begun, ...]:
        """Those begun and not ended."""
        with self._lock:
            found = [
                replace(begun(call, at), beats=self._beats[call.key])
                for call, at in self._begun.values()
                if at < before and call.key not in self._ended
            ]
        return tuple(sorted(found, key=lambda each: each.at)[:limit])

    def count(self, run: str, at: datetime, *, write: bool, seconds: float) -> Spent:
        """Add one call."""
        del at
        with self._lock:
            was = self._spent.get(run, Spent())
            self._spent[run] = replace(
                was,
                calls=was.calls + 1,
                writes=was.writes + write,
                seconds=was.seconds + seconds,
            )
            return self._spent[run]

    def spent(self, run: str) -> Spent:
        """What it has spent."""
        return self._spent.get(run, Spent())


def _same(call: ToolCall) -> tuple[str, str, str]:
    return call.tool, call.arguments, call.caller.run
