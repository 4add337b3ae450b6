"""One run of an investigation: its shortlist, the facts it asked for, what it told meanwhile."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aiops.model.case import CaseData
from aiops.model.ranking import Ranking
from aiops.model.report import FailedStep
from aiops.model.tool import OutcomeStatus

Specialist = Literal[
    "metrics", "logs", "traces", "kubernetes", "cloud", "changes", "past_incidents"
]
SPECIALISTS: tuple[Specialist, ...] = (
    "metrics",
    "logs",
    "traces",
    "kubernetes",
    "cloud",
    "changes",
    "past_incidents",
)
"""In the order in which they read."""
MomentKind = Literal[
    "begun",
    "plan",
    "words",  # a piece of a model's answer, as it comes
    "answer",
    "call",
    "finding",
    "stopped",
    "waits",
    "action",
    "ended",
]


@dataclass(frozen=True, slots=True)
class Collected:
    """What an investigation begins with.

    Attributes:
        failed: sources that gave nothing.
        seconds: what was done, and how long it took.
    """

    case: CaseData
    failed: tuple[FailedStep, ...] = ()
    seconds: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Shortlist:
    """The likely causes, as the analyzers rank and explain them.

    Attributes:
        failed: steps that could not be done so far.
        seconds: step by step, in the order in which they were taken.
    """

    ranking: Ranking
    failed: tuple[FailedStep, ...] = ()
    seconds: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Fact:
    """What one tool answered.

    Attributes:
        call: tool and canonical arguments, "kubernetes.events {...}".
        text: the answer's content, else its summary; what readers look at.
        about: the service it was asked for.
        at: when, UTC.
        suspicious: whether its text reads like instructions.
    """

    specialist: Specialist
    call: str
    status: OutcomeStatus
    summary: str
    text: str
    about: str
    at: datetime
    suspicious: bool = False


@dataclass(frozen=True, slots=True)
class Proposal:
    """A write that would mend it; carried out only with an approval of exactly it.

    Attributes:
        arguments: canonical JSON of an object.
        reason: with evidence ids, for whoever approves.
    """

    tool: str
    arguments: str
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Deed:
    """How a proposal stands: what the gateway last said of it.

    Attributes:
        approval: id of the one that it waits for, or was answered with.
        reached: whether it did what it was for, as measured afterwards; None: nobody could tell.
        diff: of the dry run, as it is approved; "" where nothing was looked at.
    """

    proposal: Proposal
    status: OutcomeStatus
    summary: str
    risk: str
    approval: str | None = None
    reached: bool | None = None
    seen: str = ""
    diff: str = ""


@dataclass(frozen=True, slots=True)
class Moment:
    """One step of a trajectory, told as it happens.

    Attributes:
        node: of the graph.
        digest: id of what was kept of it, where something was.
    """

    run: str
    at: datetime
    node: str
    kind: MomentKind
    text: str
    digest: str | None = None
