"""What a policy is asked: whom to send, with which questions, and whether enough is known."""

from dataclasses import dataclass
from typing import Literal, Protocol

from aiops.model.case import CaseData
from aiops.model.run import Fact, Shortlist, Specialist
from aiops.model.said import Said
from aiops.model.tool import ToolSpec

Topology = Literal[
    "parallel",  # side by side: their answers do not need one another
    "sequential",  # a few questions a round: each answer narrows the next
    "recursive",  # failing requests are followed down, from caller to callee
]


@dataclass(frozen=True, slots=True)
class Question:
    """One read-only call.

    Attributes:
        arguments: canonical JSON of an object.
        about: the service it is asked for; "" where it is about no suspect.
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
class Plan:
    """The next round.

    Attributes:
        tasks: the most telling questions first; () where nothing more is asked.
        said: by models, to come to it; kept, so that nobody asks them the same again.
        topology: how its specialists work together.
    """

    tasks: tuple[Task, ...] = ()
    said: tuple[Said, ...] = ()
    topology: Topology = "parallel"

    @property
    def unfinished(self) -> bool:
        """Whether a model wants nothing but what is known already, and is to be told so."""
        return not self.tasks and any(one.calls for one in self.said)


@dataclass(frozen=True, slots=True)
class Known:
    """All that a policy decides by; the same in every process that takes the run up.

    Attributes:
        case: with what tools answered so far.
        shortlist: its evidence holds what tools answered, under ids of its own.
        tools: that may be asked; () where there is none.
        incident: its id, where it is about one.
        turn: rounds that were held.
        said: by models so far.
        spent: the budget that leaves no room for another round of questions, in words.
        remembers: whether past incidents can be recalled.
    """

    case: CaseData
    shortlist: Shortlist
    tools: tuple[ToolSpec, ...] = ()
    facts: tuple[Fact, ...] = ()
    incident: str | None = None
    turn: int = 0
    said: tuple[Said, ...] = ()
    spent: str | None = None
    remembers: bool = False


class Policy(Protocol):
    """Chooses what is asked. It never ranks: the analyzers do."""

    @property
    def name(self) -> str:
        """As it is chosen by, and named in reports."""
        ...

    def plan(self, known: Known) -> Plan:
        """The next round."""
        ...

    def goes_on(self, before: Shortlist, known: Known) -> bool:
        """Whether to plan another round, now that the answers of this one are weighed.

        Args:
            before: the shortlist without them.
        """
        ...

    def settled(self, known: Known) -> bool:
        """Whether the shortlist can stand as it is."""
        ...
