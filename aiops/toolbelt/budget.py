"""What one run may spend on tools."""

from collections import Counter
from dataclasses import dataclass
from threading import Lock

from aiops.model.tool import Spent
from aiops.ports.approvals import CallLedger
from aiops.toolbelt.refusals import Refused


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that the calls of one run cost.

    Attributes:
        writes: that are carried out; those only asked for are calls.
        seconds: of waiting for tools.
    """

    calls: int
    writes: int
    seconds: float

    def check(self, spent: Spent, *, write: bool) -> None:
        """Raises Refused, "budget", where one more call is too much."""
        if spent.calls >= self.calls:
            raise self._refused(f"{self.calls} calls", "calls")
        if write and spent.writes >= self.writes:
            raise self._refused(f"{self.writes} changes", "writes")
        if spent.seconds >= self.seconds:
            raise self._refused(f"{self.seconds:g} seconds of tools", "seconds")

    @staticmethod
    def _refused(what: str, key: str) -> Refused:
        return Refused(
            "budget",
            f"this run has used its {what} (gateway.budget.{key}); end it with what is known",
        )


class Running:
    """The calls of each run that have begun and are not yet in the ledger, so that many at once
    spend no more than the same after each other. Safe for many threads.
    """

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()
        self._writes: Counter[str] = Counter()
        self._lock = Lock()

    def begin(self, run: str, ledger: CallLedger, budget: Budget, *, write: bool) -> None:
        """One more; raises Refused, "budget"."""
        with self._lock:  # what ends meanwhile is counted in the ledger, here, or in both
            spent = ledger.spent(run)
            calls, writes = spent.calls + self._calls[run], spent.writes + self._writes[run]
            budget.check(Spent(calls, writes, spent.seconds), write=write)
            self._calls[run] += 1
            self._writes[run] += write

    def end(self, run: str, *, write: bool) -> None:
        """One less; the ledger has it by now."""
        with self._lock:
            for counter, by in ((self._calls, 1), (self._writes, int(write))):
                counter[run] -= by
                if counter[run] <= 0:
                    del counter[run]
