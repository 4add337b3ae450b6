"""A case with its answers: what evaluations see and methods never do."""

from dataclasses import dataclass

from aiops.model import CaseData, Entity, FaultType


@dataclass(frozen=True, slots=True)
class Answers:
    """The recorded truth of one case (notes: measures, "Answers, entities, fault types").

    Attributes:
        entities: the root causes; any one of them counts; () where nothing was broken.
        columns: the metric columns that carry the fault; () where the set names none.
        metric_answer: True where ``columns`` is an answer at metric level (and not merely all
            columns of the culprit).
        inner: the inner label (log statements or metric), as the source gives it.
        fault_type: in our vocabulary.
        fault_label: the source's own label; of several faults at once all, joined by "+".
        inject_time_kind: exact | window_start | issue_label | alert_onset | none.
    """

    entities: tuple[Entity, ...]
    columns: tuple[str, ...]
    metric_answer: bool
    inner: str | None
    fault_type: FaultType
    fault_label: str
    inject_time_kind: str

    @property
    def healthy(self) -> bool:
        """Whether the answer is that nothing was at fault."""
        return not self.entities


@dataclass(frozen=True, slots=True)
class Case:
    """One evaluated incident.

    Attributes:
        labels: every fault label of the set, sorted: data that may be handed to a method.
        system: what was running, "" where the source does not say; several sets share one.
        name: of the case in its set.
    """

    dataset: str
    data: CaseData
    answers: Answers
    labels: tuple[str, ...] = ()
    system: str = ""
    name: str = ""
