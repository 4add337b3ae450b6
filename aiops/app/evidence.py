"""From a piece of evidence back to the telemetry it was read from."""

import re

import numpy as np
import numpy.typing as npt

from aiops.analyze import change_events
from aiops.errors import AiopsError
from aiops.model import (
    AlertSignal,
    CaseData,
    Evidence,
    LogTable,
    MetricTable,
    RecordedOutput,
    SpanTable,
)
from aiops.model.change import Change

Resolved = (
    MetricTable
    | LogTable
    | SpanTable
    | tuple[AlertSignal, ...]
    | tuple[RecordedOutput, ...]
    | tuple[Change, ...]
)
_Mask = npt.NDArray[np.bool_]


class EvidenceLost(AiopsError):
    """A piece of evidence points at nothing in the recording, so its claim cannot be checked."""

    def __init__(self, evidence: Evidence) -> None:
        self.evidence = evidence
        super().__init__(
            f"evidence {evidence.id} ({evidence.claim!r}) points at {evidence.ref!r} in "
            f"{evidence.source}, where its window holds nothing; report it to the method's authors"
        )


def resolve(case: CaseData, evidence: Evidence) -> Resolved:
    """What ``evidence`` was read from: the rows of its source in its window that its ref selects.

    A metric's ref is a column, or several ("a -> b" for an edge between two). A log's is a
    template ("<*>" stands for anything), a service, or a part of the message; a trace's a trace
    id, an operation or a service; that of a state or tool answer its call. "" selects all.

    Raises:
        EvidenceLost: there is nothing there.
    """
    found: Resolved | None
    if evidence.kind == "metric":
        found = _metrics(case, evidence)
    elif evidence.kind == "log":
        found = _logs(case, evidence)
    elif evidence.kind == "trace":
        found = _spans(case, evidence)
    elif evidence.source == change_events.SOURCE:
        found = _changes(case, evidence)
    else:
        found = _records(case, evidence)
    if found is None:
        raise EvidenceLost(evidence)
    return found


def columns_of(table: MetricTable, ref: str) -> tuple[int, ...]:
    """The columns of ``table`` that ``ref`` names; () unless all of them are there.

    Column names may themselves hold arrows and commas, so the whole is tried before its parts.
    """
    place = {series.column: i for i, series in enumerate(table.series)}
    for separator in (None, " -> ", "|", ", ", ","):
        names = [ref] if separator is None else ref.split(separator)
        if all(name in place for name in names):
            return tuple(place[name] for name in names)
    return ()


def _bounds(evidence: Evidence) -> tuple[float, float]:
    """Unix seconds, the end exclusive; a window is closed, so its end is moved one step up."""
    return evidence.window.start.timestamp(), float(
        np.nextafter(evidence.window.end.timestamp(), np.inf)
    )


def _metrics(case: CaseData, evidence: Evidence) -> MetricTable | None:
    reference = case.window.reference
    tables = (case.window.metrics, case.window.load, reference.metrics if reference else None)
    for table in tables:
        if table is None or table.source != evidence.source:
            continue
        columns = columns_of(table, evidence.ref)
        found = table.take(np.array(columns, dtype=np.intp)).between(*_bounds(evidence))
        if columns and np.isfinite(found.values).any():
            return found
    return None


def _logs(case: CaseData, evidence: Evidence) -> LogTable | None:
    reference = case.window.reference
    for table in (case.window.logs, reference.logs if reference else None):
        if table is not None and table.source == evidence.source:
            rows = _selected_lines(table, evidence.ref) & _within(table.times, evidence)
            if rows.any():
                return table.rows(rows)
    return None


def _selected_lines(table: LogTable, ref: str) -> _Mask:
    if not ref:
        return np.ones(len(table.times), dtype=np.bool_)
    if ref in table.services:
        return np.asarray(table.service_of == table.services.index(ref), dtype=np.bool_)
    # Blanks are loosened because templates are made of words, not of the exact spacing.
    words = re.split(r"(<\*>|\s+)", ref.strip())
    pattern = re.compile(
        "".join(".*?" if w == "<*>" else r"\s+" if w.isspace() else re.escape(w) for w in words)
    )
    matches = (pattern.search(str(message)) is not None for message in table.messages)
    return np.fromiter(matches, dtype=np.bool_, count=len(table.messages))


def _spans(case: CaseData, evidence: Evidence) -> SpanTable | None:
    reference = case.window.reference
    for table in (case.window.spans, reference.spans if reference else None):
        if table is not None and table.source == evidence.source:
            rows = _selected_spans(table, evidence.ref) & _within(table.starts, evidence)
            if rows.any():
                return table.rows(rows)
    return None


def _selected_spans(table: SpanTable, ref: str) -> _Mask:
    if not ref:
        return np.ones(len(table.starts), dtype=np.bool_)
    if ref in table.operations:
        return np.asarray(table.operation_of == table.operations.index(ref), dtype=np.bool_)
    if ref in table.services:
        return np.asarray(table.service_of == table.services.index(ref), dtype=np.bool_)
    return np.asarray((table.trace_ids == ref) | (table.span_ids == ref), dtype=np.bool_)


def _within(times: npt.NDArray[np.float64], evidence: Evidence) -> _Mask:
    """Rows in the window; rows of unknown time are kept, since nothing says they are outside."""
    start, end = _bounds(evidence)
    return np.asarray(((times >= start) & (times < end)) | np.isnan(times), dtype=np.bool_)


def _changes(case: CaseData, evidence: Evidence) -> tuple[Change, ...] | None:
    changes = case.window.changes or ()
    return tuple(one for one in changes if change_events.ref(one) == evidence.ref) or None


def _records(
    case: CaseData, evidence: Evidence
) -> tuple[RecordedOutput, ...] | tuple[AlertSignal, ...] | None:
    """Recorded read-outs by their call, or alerts by their name: neither has a time of its own."""
    outputs = case.window.cluster_state + case.window.tool_outputs
    found = tuple(output for output in outputs if evidence.ref in ("", output.call))
    if found:
        return found
    return (
        tuple(
            alert
            for alert in case.window.alerts
            if evidence.ref in ("", alert.name, alert.entity.name)
        )
        or None
    )
