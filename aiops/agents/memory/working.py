"""The memory of one run: what was asked and what came of it, by ids; evidence is in the store."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from aiops.model.canonical import digest, parsed


@dataclass(frozen=True, slots=True)
class Asked:
    """A tool call of this run.

    Attributes:
        call: digest of the tool's name and its arguments.
        evidence: ids of what it brought; () where it brought nothing.
    """

    call: str
    tool: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Working:
    """What this run knows that it did. Never changed: ``noted`` gives the next one."""

    asked: tuple[Asked, ...] = ()

    def noted(self, tool: str, arguments: str, evidence: Iterable[str]) -> "Working":
        """This memory and one more call; the same call again takes the place of the first.

        Args:
            arguments: JSON of an object.
        """
        new = Asked(call_of(tool, arguments), tool, tuple(evidence))
        others = tuple(one for one in self.asked if one.call != new.call)
        return replace(self, asked=(*others, new))

    def answer_to(self, tool: str, arguments: str) -> Asked | None:
        """The same call made earlier in this run; None where it was not."""
        call = call_of(tool, arguments)
        return next((one for one in self.asked if one.call == call), None)

    def evidence(self) -> tuple[str, ...]:
        """All evidence that this run gathered, each id once, in order."""
        return tuple(dict.fromkeys(each for one in self.asked for each in one.evidence))


def call_of(tool: str, arguments: str) -> str:
    """The same for calls that differ in the order of their arguments only."""
    return digest([tool, dict(parsed(arguments))])
