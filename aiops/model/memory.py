"""What is remembered beyond one run: past incidents, and routines that helped."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aiops.model.entity import Entity, Indicator
from aiops.model.faults import FaultType

Place = Literal["source", "middle", "end", "alone"]
"""Where the accused stands in the explanation: it spreads trouble, passes it on, only suffers it,
or nothing is known to have spread."""
HumanVerdict = Literal["confirmed", "refuted", "unreviewed"]


@dataclass(frozen=True, slots=True)
class Signature:
    """What an incident looked like, in words that hold for any system.

    Attributes:
        faults: kinds of fault with their probabilities, most likely first.
        metrics: what moved at the accused, by kind of metric: "cpu", "latency".
        telemetry: what spoke: "metric", "log", "trace", "state", ...
        words: of the claims about the accused and its log templates, lower case, without digits
            and without names of entities; sorted.
        place: of the accused in the propagation.
    """

    faults: tuple[tuple[FaultType, float], ...]
    metrics: tuple[str, ...] = ()
    telemetry: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    place: Place = "alone"


@dataclass(frozen=True, slots=True)
class Attempt:
    """Something that was tried against an incident, and whether it was seen to help.

    Attributes:
        tool: its name, such as "deployments.rollback".
        helped: None where nobody verified it.
    """

    tool: str
    summary: str
    helped: bool | None


@dataclass(frozen=True, slots=True)
class PastIncident:
    """One incident as it is remembered.

    Attributes:
        id: of the investigation that found the cause.
        incident: which it was about.
        at: when it ended, UTC.
        cause: the accused; None where the verdict accused nobody.
        verdict: what a person said of the cause.
        revision: counts its changes.
    """

    id: str
    incident: str
    at: datetime
    signature: Signature
    cause: Entity | None
    indicator: Indicator | None = None
    fault: FaultType = FaultType.UNKNOWN
    tried: tuple[Attempt, ...] = ()
    verdict: HumanVerdict = "unreviewed"
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Cue:
    """What calls a routine to mind: a kind of fault, and how it shows."""

    fault: FaultType
    telemetry: tuple[str, ...]

    @property
    def key(self) -> str:
        """The same for equal cues, and for no others."""
        return "|".join([self.fault.value, *self.telemetry])


@dataclass(frozen=True, slots=True)
class Routine:
    """What helped when something looked so; a habit, never an order.

    Attributes:
        steps: names of tools, in order.
        learned_from: ids of the past incidents whose verified outcome it rests on.
        used_at: when it last proved right or wrong, UTC.
        failures: since it last helped.
        demoted: it failed too often and is no longer proposed.
        revision: counts its changes.
    """

    cue: Cue
    steps: tuple[str, ...]
    learned_from: tuple[str, ...]
    used_at: datetime
    successes: int = 1
    failures: int = 0
    demoted: bool = False
    revision: int = 0
