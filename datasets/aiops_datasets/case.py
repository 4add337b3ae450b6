"""A case with its answers: what evaluations see and methods never do."""

from dataclasses import dataclass

from aiops.model import CaseData, Entity, FaultType


@dataclass(frozen=True, slots=True)
class Answers:
    """The recorded truth of one case (notes: measures, "Answers, entities, fault types").

    Attributes:
        entities: the root causes; any one of them counts.
        columns: the metric columns that carry the fault; () where the set names none.
        metric_answer: True where ``columns`` is an answer at metric level (and not merely all
            columns of the culprit).
        inner: the inner label (log statements or metric), as the source gives it.
        fault_type: in our vocabulary.
        fault_label: the source's own label.
        inject_time_kind: exact | window_start | issue_label | alert_onset | none.
    """

    entities: tuple[Entity, ...]
    columns: tuple[str, ...]
    metric_answer: bool
    inner: str | None
    fault_type: FaultType
    fault_label: str
    inject_time_kind: str


@dataclass(frozen=True, slots=True)
class Case:
    """One evaluated incident.

    Attributes:
        labels: every fault label of the set, sorted: data that may be handed to a method.
        system: what was running, "" where the source does not say; several sets share one.
    """

    dataset: str
    data: CaseData
    answers: Answers
    labels: tuple[str, ...] = ()
    system: str = ""
