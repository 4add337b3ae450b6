"""The end of a conversation with tools: a model that only ever asks for more is stopped."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from aiops.errors import AiopsError
from aiops.model.canonical import digest
from aiops.model.chat import AskedCall


class TurnsSpent(AiopsError):
    """A specialist has had all its turns, or asks in circles; what it found so far stands."""


@dataclass(frozen=True, slots=True)
class Turns:
    """How far a conversation is.

    Attributes:
        most: answers with tool calls that it may have.
        taken: that it had.
        idle_most: answers in a row that ask nothing new; more is a circle.
        idle: that there were just now.
        seen: digests of the calls made so far, sorted: what a checkpoint can hold.
    """

    most: int
    taken: int = 0
    idle_most: int = 2
    idle: int = 0
    seen: tuple[str, ...] = ()

    def after(self, calls: Sequence[AskedCall]) -> "tuple[Turns, tuple[AskedCall, ...]]":
        """The next state, and those of ``calls`` that were not made before, each once.

        The others are answered with what is known already; they cost nothing but a turn.

        Raises:
            TurnsSpent: it may not go on.
        """
        if self.taken >= self.most:
            raise TurnsSpent(f"stopped after {self.taken} turns of {self.most}")
        fresh = {key: call for call in reversed(calls) if (key := call_key(call)) not in self.seen}
        idle = 0 if fresh else self.idle + 1
        if idle > self.idle_most:
            raise TurnsSpent(f"stopped in a circle: {idle} turns in a row asked nothing new")
        seen = tuple(sorted({*self.seen, *fresh}))
        chosen = set(fresh.values())
        return (
            replace(self, taken=self.taken + 1, idle=idle, seen=seen),
            tuple(call for call in calls if call in chosen),
        )


def call_key(call: AskedCall) -> str:
    """The same for the same tool and arguments, whatever its id."""
    return digest([call.tool, call.arguments])
