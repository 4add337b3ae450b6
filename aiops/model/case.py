"""A recorded or live incident as analyzers and agents see it: without its answers."""

from dataclasses import dataclass
from datetime import datetime

from aiops.model.change import Change
from aiops.model.entity import Entity
from aiops.model.graph import ServiceGraph
from aiops.model.telemetry import AlertSignal, LogTable, MetricTable, SpanTable


@dataclass(frozen=True, slots=True)
class Trigger:
    """What woke somebody.

    Attributes:
        at: when the alert fired, UTC; None where the source does not say.
        entity: what it fired on (the service whose SLO broke), where given.
        metric: the metric it fired on, as the source names it, where given.
        statement: the symptom in words, where given.
    """

    at: datetime | None = None
    entity: Entity | None = None
    metric: str | None = None
    statement: str | None = None


@dataclass(frozen=True, slots=True)
class RecordedOutput:
    """What one read-only call answered when the incident was recorded."""

    call: str
    text: str


@dataclass(frozen=True, slots=True)
class Reference:
    """Telemetry known to be free of faults, recorded apart from the window."""

    metrics: MetricTable | None = None
    logs: LogTable | None = None
    spans: SpanTable | None = None


@dataclass(frozen=True, slots=True)
class TelemetryWindow:
    """Everything recorded around an incident. A modality that was not recorded is None or empty.

    Attributes:
        start, end: bounds of the window, UTC; derived from the data where the source has none.
        relative: True where the source has no wall clock: times count seconds from 1970.
        cluster_state: cluster read-outs (command -> output), raw.
        tool_outputs: recorded answers of investigation tools (call -> output), raw.
        changes: what was done to the system, ascending in time; None where nobody recorded that.
    """

    start: datetime
    end: datetime
    relative: bool = False
    metrics: MetricTable | None = None
    logs: LogTable | None = None
    spans: SpanTable | None = None
    load: MetricTable | None = None
    alerts: tuple[AlertSignal, ...] = ()
    cluster_state: tuple[RecordedOutput, ...] = ()
    tool_outputs: tuple[RecordedOutput, ...] = ()
    graph: ServiceGraph | None = None
    reference: Reference | None = None
    changes: tuple[Change, ...] | None = None


@dataclass(frozen=True, slots=True)
class CaseData:
    """One incident, ready to analyze.

    Attributes:
        id: opaque; says nothing about the fault.
        window: the telemetry.
        trigger: the alert.
        notes: what the loader noticed and the report must say (unit of time detected, columns
            dropped, window derived), one sentence each.
    """

    id: str
    window: TelemetryWindow
    trigger: Trigger = Trigger()
    notes: tuple[str, ...] = ()
