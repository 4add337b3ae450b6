"""A recorded case as a folder in the uniform layout: whole, or not there at all."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiops.errors import AiopsError, InvalidInput
from aiops_lab.faults.orders import truth_to_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from aiops.model.change import Change
    from aiops.model.rows import LogLine, Span
    from aiops_lab.faults.orders import Truth
    from aiops_lab.recording.alert import Alert

DATASET = "lab"
HEALTHY = "healthy"


class FolderTaken(InvalidInput):
    """A case is never written over another."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"{folder} is there already; record to a new folder")


class CannotRecord(AiopsError):
    """The case cannot be written."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(f"cannot write the case to {folder}: {reason}; nothing of it was kept")


@dataclass(frozen=True, slots=True)
class Recording:
    """Everything of one case.

    Attributes:
        rows: (unix seconds, column -> value), ascending.
        lines, spans: of the window; spans are a sample of whole traces.
        state: command -> output.
        calls: (caller, callee, how many were seen).
        truths: what was broken; none: a healthy control.
        broken_at: unix seconds of the first fault; of the healthy control: where it would be.
        notes: what was left out, one sentence each.
    """

    system: str
    namespace: str
    entry: str
    rows: Sequence[tuple[float, Mapping[str, float]]]
    lines: Sequence[LogLine]
    spans: Sequence[Span]
    changes: Sequence[Change]
    state: Mapping[str, str]
    calls: Sequence[tuple[str, str, int]]
    alert: Alert
    truths: Sequence[Truth]
    broken_at: float
    notes: Sequence[str]


@contextmanager
def fresh_folder(out: Path) -> Iterator[Path]:
    """A folder that becomes ``out`` at the end, and is removed where the end is not reached.

    Raises:
        FolderTaken: ``out`` is there.
        CannotRecord: it cannot be made or written.
    """
    if out.exists():
        raise FolderTaken(out)
    partial = out.parent / f".{out.name}.{os.getpid()}.partial"
    try:
        partial.mkdir(parents=True)
        yield partial
        if out.exists():
            raise FolderTaken(out)
        partial.rename(out)
    except OSError as error:
        raise CannotRecord(out, error.strerror or str(error)) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write(folder: Path, one: Recording) -> None:
    """Write a case's files; ``case.json`` holds no answer, ``answers.json`` nothing else."""
    _write_json(folder / "case.json", public(one))
    _write_json(folder / "answers.json", answers(one))
    _pack(folder / "metrics.csv.gz", _csv(metric_rows(one.rows)))
    _pack(folder / "logs.csv.gz", _csv(_log_rows(one)))
    if one.spans:
        _pack(folder / "traces.csv.gz", _csv(_span_rows(one.spans)))
    graph = [("source", "target", "weight"), *one.calls]
    (folder / "graph.csv").write_text(_csv(graph), encoding="utf-8")
    _pack(folder / "k8s_states.json.gz", json.dumps(dict(one.state)))
    _write_json(folder / "changes.json", [change_to_json(change) for change in one.changes])


def public(one: Recording) -> dict[str, Any]:
    """What whoever diagnoses may know."""
    target = None
    if one.alert.metric:
        metric, _, statistic = one.alert.metric.partition("_p99_")
        metric, agg = (metric, f"p99_{statistic}") if statistic else metric.rsplit("_", 1)
        target = {"node": one.entry, "metric": metric, "agg": agg, "timestamp": one.alert.at}
    return {
        "dataset": DATASET,
        "system": one.system,
        "namespace": one.namespace,
        "inject_time": one.alert.at,
        "inject_time_kind": "alert_onset",
        "query": one.alert.statement,
        "target": target,
        "sampling_interval_s": 1,
        "modalities": ["metrics", "logs", *(["traces"] if one.spans else []), "state", "changes"],
        "notes": list(one.notes),
    }


def answers(one: Recording) -> dict[str, Any]:
    """What was broken; the first truth also under the keys that public data sets use."""
    found: dict[str, Any] = {
        "namespace": one.namespace,
        "inject_time_kind": "alert_onset",
        "injected_at": one.broken_at,
        "verdict": "root_cause" if one.truths else HEALTHY,
        "root_causes": [truth_to_json(truth) for truth in one.truths],
    }
    if one.truths:
        first = one.truths[0]
        found["fault_type"] = first.fault_type.value
        if first.entity.kind == "service":
            found["root_cause_service"] = first.entity.name
        else:
            found["root_cause_object"] = f"{first.entity.kind}/{first.entity.name}"
    return found


def metric_rows(
    rows: Sequence[tuple[float, Mapping[str, float]]],
) -> Iterator[tuple[str, ...]]:
    """Header and rows of the metrics: every column that has a value at some time."""
    names = sorted({name for _, row in rows for name in row})
    yield ("time", *names)
    for at, row in rows:
        yield (f"{at:.15g}", *(f"{row[name]:.5g}" if name in row else "" for name in names))


def _log_rows(one: Recording) -> Iterator[tuple[str, ...]]:
    # Ids of traces that are not in the sample lead nowhere.
    known = {span.trace_id for span in one.spans}
    yield ("time_ns", "service", "pod", "trace_id", "span_id", "message")
    for line in sorted(one.lines, key=lambda line: line.time or 0.0):
        ids = (line.trace_id, line.span_id) if line.trace_id in known else ("", "")
        stamp = "" if line.time is None else f"{round(line.time * 1e3)}000000"
        yield (stamp, line.service, line.instance, *ids, line.message)


def _span_rows(spans: Iterable[Span]) -> Iterator[tuple[str, ...]]:
    yield (
        "trace_id",
        "span_id",
        "parent_id",
        "service",
        "pod",
        "operation",
        "start_ns",
        "duration_us",
        "status",
    )
    for span in sorted(spans, key=lambda span: (span.start, span.span_id)):
        yield (
            span.trace_id,
            span.span_id,
            span.parent_id,
            span.service,
            span.instance,
            span.operation,
            f"{round(span.start * 1e6)}000",
            f"{span.duration * 1e6:.0f}",
            span.status,
        )


def change_to_json(change: Change) -> dict[str, Any]:
    """As changes.json keeps it."""
    return {
        "time": round(change.at.timestamp(), 3),
        "entity": {"kind": change.entity.kind, "name": change.entity.name},
        "kind": change.kind,
        "description": change.description,
        "ref": change.ref,
    }


def _csv(rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


def _pack(path: Path, text: str) -> None:
    # No time in the header: equal content makes equal files.
    path.write_bytes(gzip.compress(text.encode(), 9, mtime=0))


def _write_json(path: Path, document: object) -> None:
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
