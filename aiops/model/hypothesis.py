"""A typed suspicion: this entity has this kind of fault, and here is why.

Raised by many small readers, weighed in one place (``analyze.fusion``). It is also what agents
later argue with, so it says what speaks against it and what would refute it.
"""

from dataclasses import dataclass
from datetime import datetime

from aiops.model.entity import Entity, Indicator
from aiops.model.faults import FaultType
from aiops.model.ranking import Evidence


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One entity, one kind of fault, in physical units.

    Attributes:
        entity: what would be at fault.
        fault: in our vocabulary.
        kind: the reader's own, finer name for it in plain words with underscores
            ("service_selector_matches_no_pod"); general semantics, never a benchmark's label.
        size: how large the sign is, in ``unit``.
        unit: of ``size`` and ``floor``: "ms", "percentage points", "probability", "lines/min",
            "spans", "variations" (usual variations of a metric), "objects".
        floor: the least size that matters; a named constant of the reader.
        strength: nats, >= 0; log(1 + size / floor) times how telling such a sign is (0 to 1).
            Comparable across readers: 1.6 is a sign of four floors.
        indicator: the signal that carries it (a metric, a template, an operation, a setting).
        support: evidence for it, ids "" until the fusion numbers them.
        against: evidence that speaks against it.
        refuted_by: one sentence: what observation would refute it.
        explains: other entities whose symptoms would follow from this one by itself.
    """

    entity: Entity
    fault: FaultType
    kind: str
    size: float
    unit: str
    floor: float
    strength: float
    indicator: Indicator | None = None
    support: tuple[Evidence, ...] = ()
    against: tuple[Evidence, ...] = ()
    refuted_by: str = ""
    explains: tuple[Entity, ...] = ()


@dataclass(frozen=True, slots=True)
class Episode:
    """The stretch of time a reading is about, found once for all readers.

    Attributes:
        onset: when it began, UTC.
        end: when it ended or the window does, UTC.
        alert: when somebody was woken, UTC; None where unknown.
        found: whether the data named the onset, or the alert was taken at its word.
    """

    onset: datetime
    end: datetime
    alert: datetime | None = None
    found: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reader made of one case.

    Attributes:
        hypotheses: any number, in any order.
        missing: the modality was not recorded, so silence means nothing.
        notes: what a reader of the report must know: lines skipped, spans without parents, each
            counted; one sentence each.
        most_confidence: the most that a ranking led by one of these hypotheses may claim, where
            there was little to read.
    """

    hypotheses: tuple[Hypothesis, ...] = ()
    missing: bool = False
    notes: tuple[str, ...] = ()
    most_confidence: float = 1.0
