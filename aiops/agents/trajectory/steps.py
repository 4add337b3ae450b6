"""The steps of a trajectory."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from aiops.agents.memory.likeness import Recollection
from aiops.model.run import Deed, Moment
from aiops.model.tool import Outcome, ToolCall, ToolSpec


@dataclass(frozen=True, slots=True)
class Begun:
    """What a run begins with.

    Attributes:
        policy: its name.
        at: the moment the incident is looked at, UTC.
        case: sha256 of the telemetry, see ``fingerprint``.
        tools: that may be asked.
    """

    run: str
    policy: str
    at: datetime
    case: str
    tools: tuple[ToolSpec, ...] = ()
    incident: str | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """A tool call and what the gateway said to it, which is redacted."""

    call: ToolCall
    outcome: Outcome
    at: datetime


@dataclass(frozen=True, slots=True)
class Recalled:
    """The past incidents that came to mind."""

    recollections: tuple[Recollection, ...]


@dataclass(frozen=True, slots=True)
class Proposed:
    """What was proposed and how it stood at the end; () where nothing known would help."""

    deeds: tuple[Deed, ...]


Record = Callable[[Begun | Answered | Recalled | Proposed], None]


@dataclass(frozen=True, slots=True)
class Made:
    """What decides a run besides its data.

    Attributes:
        versions: of aiops and of what computes for it.
        method: name of the analyzer.
        seed, top: as set.
    """

    versions: tuple[tuple[str, str], ...]
    method: str
    seed: int
    top: int


@dataclass(frozen=True, slots=True)
class Header:
    """The first line of a trajectory."""

    begun: Begun
    made: Made


@dataclass(frozen=True, slots=True)
class ModelAnswered:
    """A language model's answer, or how it failed to give one.

    Attributes:
        outcome: canonical JSON, as the recorder of models writes it.
    """

    outcome: str


@dataclass(frozen=True, slots=True)
class Ended:
    """What came of it.

    Attributes:
        report: the document (schema "aiops.report/1"), JSON text, byte for byte.
    """

    report: str


Step = Header | Moment | Answered | Recalled | Proposed | ModelAnswered | Ended


@dataclass(frozen=True, slots=True)
class Trajectory:
    """A whole run.

    Attributes:
        steps: after the header, in order.
    """

    header: Header
    steps: tuple[Step, ...]

    @property
    def moments(self) -> tuple[Moment, ...]:
        """What was told."""
        return tuple(step for step in self.steps if isinstance(step, Moment))

    @property
    def answers(self) -> tuple[Answered, ...]:
        """What tools were asked."""
        return tuple(step for step in self.steps if isinstance(step, Answered))

    @property
    def recalled(self) -> tuple[Recollection, ...] | None:
        """What came to mind; None where there was no memory to ask."""
        found = [step.recollections for step in self.steps if isinstance(step, Recalled)]
        return found[-1] if found else None

    @property
    def proposed(self) -> Proposed | None:
        """What was proposed; None where nobody was to propose anything."""
        found = [step for step in self.steps if isinstance(step, Proposed)]
        return found[-1] if found else None

    @property
    def outcomes(self) -> tuple[str, ...]:
        """What models answered."""
        return tuple(step.outcome for step in self.steps if isinstance(step, ModelAnswered))

    @property
    def report(self) -> str | None:
        """Its JSON text; None where the run was cut off."""
        ends = [step.report for step in self.steps if isinstance(step, Ended)]
        return ends[-1] if ends else None
