"""The report of one investigation: one schema, many faces (JSON, Markdown, HTML, terminal, chat).

Fields are in the order in which they are printed. Every claim cites evidence by id; a statement
that cites none is printed as "inferred".
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from aiops.model.case import Trigger
from aiops.model.change import Change
from aiops.model.entity import Entity, Indicator
from aiops.model.faults import FaultType
from aiops.model.ranking import Evidence, Propagation, Verdict, Window

SCHEMA = "aiops.report/1"
Modality = Literal["metrics", "logs", "traces", "alerts", "cluster_state", "call_graph", "changes"]


@dataclass(frozen=True, slots=True)
class Subject:
    """What was looked at.

    Attributes:
        case: opaque id of the incident.
        window: the interval searched, UTC.
        relative: True where the source has no wall clock; times then count from the window's start.
        trigger: the alert.
        present, missing: the kinds of telemetry there were, and were not.
        series, lines, spans, alerts: how much of each there was.
    """

    case: str
    window: Window
    relative: bool
    trigger: Trigger
    present: tuple[Modality, ...]
    missing: tuple[Modality, ...]
    series: int = 0
    lines: int = 0
    spans: int = 0
    alerts: int = 0


@dataclass(frozen=True, slots=True)
class Impact:
    """What the incident did to users; None where nothing says so.

    Attributes:
        slo: the objective that broke, or the symptom the alert fired on.
        affected: whom or what it reached, in words.
        budget_burnt: share of the error budget, 0 to 1.
    """

    slo: str | None = None
    affected: str | None = None
    budget_burnt: float | None = None


@dataclass(frozen=True, slots=True)
class RootCause:
    """A candidate cause. ``rank`` 1 is the accused where the verdict is "root_cause".

    Attributes:
        score: comparable within this report only.
        confidence: calibrated probability, 0 to 1; None where the method gives none.
    """

    rank: int
    entity: Entity
    indicator: Indicator | None
    fault_type: FaultType
    fault_type_candidates: tuple[tuple[FaultType, float], ...]
    score: float
    confidence: float | None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AlertExplained:
    """An alert, and how the root cause accounts for it."""

    alert: str
    at: datetime | None
    explanation: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RuledOut:
    """Something that looked abnormal and is judged not to be the cause, with the reason."""

    entity: Entity
    indicator: Indicator | None
    reason: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FailedStep:
    """A step that could not be done; the report was made without it."""

    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class PlaybookRun:
    """A troubleshooting guide that was walked, and how it ended."""

    playbook: str
    outcome: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ProposedAction:
    """A fix; nothing is carried out before a person approves exactly it.

    Attributes:
        summary: what was last said of it.
        state: how it stands, in the gateway's words: "waits", "shadowed", "done", "rolled_back".
        reason: why it would help.
        approval: id, where it was asked for.
        diff: of the dry run; "" where it could not be looked at.
    """

    tool: str
    summary: str
    risk: str
    state: str
    evidence: tuple[str, ...] = ()
    reason: str = ""
    approval: str | None = None
    diff: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """Whether the fix worked, as measured afterwards; of several, whether each did."""

    outcome: str
    at: datetime
    worked: bool
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Agreement:
    """What the statistics say and what a model says; where they differ, both are printed."""

    statistics: str
    model: str | None = None


@dataclass(frozen=True, slots=True)
class Timings:
    """Seconds of wall time: the whole, and step by step."""

    total_s: float
    steps: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True)
class Usage:
    """What the investigation cost."""

    policy: str = "deterministic"
    llm_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    usd: float = 0.0
    stopped_by: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What an investigation found (schema "aiops.report/1").

    Attributes:
        summary: two to four plain sentences; "[E1]" cites, "(inferred)" says that nothing does.
        onset: when the anomaly began, as found in the data; None where nothing changed.
        root_causes: candidates, most likely first.
        unknowns: what was not there to be looked at, and so may hide something.
        notes: what the reader must know about the data: unit of time detected, columns dropped,
            window derived, confidence capped.
    """

    subject: Subject
    verdict: Verdict
    summary: str
    onset: datetime | None
    impact: Impact
    root_causes: tuple[RootCause, ...]
    propagation: tuple[Propagation, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    changes: tuple[Change, ...] = ()
    alerts_explained: tuple[AlertExplained, ...] = ()
    ruled_out: tuple[RuledOut, ...] = ()
    unknowns: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    failed_steps: tuple[FailedStep, ...] = ()
    playbook_runs: tuple[PlaybookRun, ...] = ()
    actions: tuple[ProposedAction, ...] = ()
    verification: Verification | None = None
    agreement: Agreement
    timings: Timings
    usage: Usage = Usage()
