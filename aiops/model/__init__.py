"""The domain: frozen, slotted types without I/O. Import from the submodules or from here."""

from aiops.model.case import CaseData, RecordedOutput, Reference, TelemetryWindow, Trigger
from aiops.model.entity import Entity, Indicator
from aiops.model.faults import FaultType
from aiops.model.graph import Call, ServiceGraph
from aiops.model.hypothesis import Episode, Hypothesis, Reading
from aiops.model.ranking import Evidence, Propagation, Ranking, Suspect, Verdict, Window
from aiops.model.report import FailedStep, Report, RootCause, RuledOut, Subject
from aiops.model.telemetry import AlertSignal, LogTable, MetricTable, Series, SpanTable

__all__ = [
    "AlertSignal",
    "Call",
    "CaseData",
    "Entity",
    "Episode",
    "Evidence",
    "FailedStep",
    "FaultType",
    "Hypothesis",
    "Indicator",
    "LogTable",
    "MetricTable",
    "Propagation",
    "Ranking",
    "Reading",
    "RecordedOutput",
    "Reference",
    "Report",
    "RootCause",
    "RuledOut",
    "Series",
    "ServiceGraph",
    "SpanTable",
    "Subject",
    "Suspect",
    "TelemetryWindow",
    "Trigger",
    "Verdict",
    "Window",
]
