"""What an analyzer answers: suspects in order, and the evidence that put them there."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aiops.model.entity import Entity, Indicator
from aiops.model.faults import FaultType

Verdict = Literal["root_cause", "healthy", "inconclusive"]
EvidenceKind = Literal[
    "metric", "log", "trace", "event", "change", "state", "tool", "experiment", "incident"
]
Relation = Literal["calls", "granger", "experiment"]


@dataclass(frozen=True, slots=True)
class Window:
    """A closed interval of time, UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """One claim and where to look it up.

    Attributes:
        id: "E1", "E2", ... unique within a report.
        claim: a sentence with numbers and units.
        source: the file, table or tool the claim was read from.
        window: the interval the claim is about.
        ref: what to select in the source: a column, a template, a trace id, a call.
    """

    id: str
    kind: EvidenceKind
    claim: str
    source: str
    window: Window
    ref: str


@dataclass(frozen=True, slots=True)
class Suspect:
    """A possible root cause.

    Attributes:
        score: strength of the case against it; comparable within one ranking only.
        confidence: calibrated probability that it is the root cause, 0 to 1.
        fault_types: candidates with probabilities, most likely first; may be empty.
        evidence: ids of the evidence behind it.
        kind: the finer kind of fault in a reader's own words (Hypothesis.kind), where it has one.
    """

    entity: Entity
    indicator: Indicator | None
    score: float
    confidence: float = 0.0
    fault_types: tuple[tuple[FaultType, float], ...] = ()
    evidence: tuple[str, ...] = ()
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class Propagation:
    """An edge of the explanation: what happened in ``source`` reached ``target``."""

    source: Entity
    target: Entity
    relation: Relation
    lag_s: float | None = None
    p_value: float | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cleared:
    """What speaks against a suspect: it stays on the list, and the report says why not it.

    Attributes:
        reason: one clause that goes on after "but".
    """

    entity: Entity
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ranking:
    """The answer of one analyzer on one case.

    Attributes:
        verdict: "healthy" and "inconclusive" are answers too; both leave the order of suspects
            informative but accuse nobody.
        suspects: one per (entity, indicator), most suspicious first. An entity's rank is that of
            its first suspect.
        onset: when the anomaly began, as found in the data; None where nothing changed.
        notes: what a reader must know: columns dropped, fallbacks used, modalities missing.
        cleared: suspects against whom something speaks; it does not change their order.
    """

    verdict: Verdict
    suspects: tuple[Suspect, ...]
    onset: datetime | None = None
    evidence: tuple[Evidence, ...] = ()
    propagation: tuple[Propagation, ...] = ()
    notes: tuple[str, ...] = ()
    cleared: tuple[Cleared, ...] = ()

    def entities(self) -> tuple[Suspect, ...]:
        """The strongest suspect of each service, in order: the ranking at service level.

        Equal names in two namespaces or clusters are two services.
        """
        first: dict[str, list[Suspect]] = {}
        order: list[Suspect] = []
        for suspect in self.suspects:
            namesakes = first.setdefault(suspect.entity.service_name, [])
            if not any(suspect.entity.same_service(one.entity) for one in namesakes):
                namesakes.append(suspect)
                order.append(suspect)
        return tuple(order)
