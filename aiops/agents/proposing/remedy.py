"""What a rule says: writes that would mend a workload, and why."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from aiops.agents.proposing.patient import Patient


@dataclass(frozen=True, slots=True)
class Move:
    """One write.

    Attributes:
        verb: the tool's name without its toolset.
        arguments: but for the cluster.
    """

    verb: str
    arguments: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Remedy:
    """What would mend it, and why, in a sentence; several moves are one plan, in order."""

    moves: tuple[Move, ...]
    reason: str


Rule = Callable[[Patient], Iterator[Remedy]]
"""What one idea has to say of a patient; mostly nothing."""
