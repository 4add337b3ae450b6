"""What a policy is asked: whom to send, with which questions, and whether enough is known."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from aiops.model.case import CaseData
from aiops.model.run import Fact, Shortlist, Specialist
from aiops.model.tool import ToolSpec


@dataclass(frozen=True, slots=True)
class Question:
    """One read-only call.

    Attributes:
        arguments: canonical JSON of an object.
        about: the service it is asked for.
    """

    tool: str
    arguments: str
    about: str

    @property
    def call(self) -> str:
        """How it is told and told apart."""
        return f"{self.tool} {self.arguments}"


@dataclass(frozen=True, slots=True)
class Task:
    """One specialist's part of a round.

    Attributes:
        questions: for tools; () where it only reads the window.
    """

    specialist: Specialist
    questions: tuple[Question, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """All that a policy decides by.

    Attributes:
        case: with what tools answered so far.
        tools: that may be asked; () where there is none.
        incident: its id, where it is about one.
        turn: rounds that were held.
    """

    case: CaseData
    shortlist: Shortlist
    tools: tuple[ToolSpec, ...] = ()
    facts: tuple[Fact, ...] = ()
    incident: str | None = None
    turn: int = 0


class Policy(Protocol):
    """Chooses. It never ranks: the analyzers do."""

    name: str

    def plan(self, known: Known) -> Sequence[Task]:
        """The next round, its most telling questions first; () where enough is known."""
        ...

    def settled(self, known: Known) -> bool:
        """Whether the shortlist can stand as it is."""
        ...
