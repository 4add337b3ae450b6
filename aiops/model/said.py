"""What a language model said in a run: what it wanted to know, and whom it takes for the cause."""

from dataclasses import dataclass, field

from aiops.model.chat import AskedCall, Usage
from aiops.model.entity import Entity
from aiops.model.report import FailedStep


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of a model, with the ids of the evidence that it cites; never none."""

    text: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opinion:
    """Whom a model takes for the cause, and why; a word beside the numbers, not above them.

    Attributes:
        suspect: one of the shortlist; None: it cannot tell.
        swayed: whether something that it read reads like orders to it.
        held: whether it says the same of the numbers alone, where that was asked.
    """

    model: str
    suspect: Entity | None
    claims: tuple[Claim, ...] = ()
    swayed: bool = False
    held: bool = True


@dataclass(frozen=True, slots=True)
class Said:
    """One question to the models of a run, and what came of it.

    Attributes:
        calls: of tools that it wants; after them it is asked again.
        opinion: its last word; None where it wants to know more, or gave no answer.
        usage: of all models asked for it.
        failed: models that gave no answer, and why.
        stopped: the budget that left it unasked, in words.
        hurried: why it could ask no more tools although there were some and room for calls.
    """

    calls: tuple[AskedCall, ...] = ()
    opinion: Opinion | None = None
    usage: Usage = field(default_factory=Usage)
    failed: tuple[FailedStep, ...] = ()
    stopped: str | None = None
    hurried: str | None = None
