"""What one run may spend on tools."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aiops.model.tool import Spent
from aiops.ports.approvals import CallLedger
from aiops.toolbelt.refusals import Refused

_RUNS: Final = 10_000
"""Runs whose seconds are remembered between two calls."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that the calls of one run cost.

    Attributes:
        writes: that are made with an approval; those only asked for are calls.
        seconds: of waiting for tools.
    """

    calls: int
    writes: int
    seconds: float

    def check(self, spent: Spent, *, write: bool) -> None:
        """Raises Refused, "budget", where ``spent`` is too much."""
        if spent.calls > self.calls:
            raise self._refused(f"{self.calls} calls", "calls")
        if write and spent.writes > self.writes:
            raise self._refused(f"{self.writes} changes", "writes")
        if spent.seconds > self.seconds:
            raise self._refused(f"{self.seconds:g} seconds of tools", "seconds")

    @staticmethod
    def _refused(what: str, key: str) -> Refused:
        return Refused(
            "budget",
            f"this run has used its {what} (gateway.budget.{key}); end it with what is known",
        )


class Till:
    """Where calls pay: one statement of the ledger a call, so that many at once overdraw nothing.

    How long a call took is known when it ends; it is paid with the next call of its run.
    """

    def __init__(self, ledger: CallLedger, budget: Budget) -> None:
        self._ledger, self._budget = ledger, budget
        self._owed: dict[str, float] = {}

    def pay(self, run: str, at: datetime, *, write: bool) -> None:
        """Count one call; raises Refused, "budget", where it is one too many."""
        seconds = self._owed.pop(run, 0.0)
        spent = self._ledger.count(run, at, write=write, seconds=seconds)
        self._budget.check(spent, write=write)

    def owe(self, run: str, seconds: float) -> None:
        """Note how long a call took."""
        self._owed[run] = self._owed.get(run, 0.0) + seconds
        if len(self._owed) > _RUNS:
            del self._owed[next(iter(self._owed))]
