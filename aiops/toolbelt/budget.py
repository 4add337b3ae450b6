"""What one run may spend on tools."""

from collections import Counter
from dataclasses import dataclass

from aiops.model.tool import Spent
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
    """The calls of each run that have begun and are not yet counted: not to be overrun by many
    at once.
    """

    def __init__(self) -> None:
        self._calls: Counter[str] = Counter()
        self._writes: Counter[str] = Counter()

    def with_spent(self, run: str, spent: Spent) -> Spent:
        """What is spent once those that run are counted."""
        return Spent(
            spent.calls + self._calls[run], spent.writes + self._writes[run], spent.seconds
        )

    def begin(self, run: str, *, write: bool) -> None:
        """One more."""
        self._calls[run] += 1
        self._writes[run] += write

    def end(self, run: str, *, write: bool) -> None:
        """One less."""
        for counter, by in ((self._calls, 1), (self._writes, int(write))):
            counter[run] -= by
            if counter[run] <= 0:
                del counter[run]
