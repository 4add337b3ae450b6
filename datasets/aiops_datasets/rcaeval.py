"""RCAEval's own layout (Pham et al., WWW 2025): ``<service>_<fault>/<n>/`` with an alert time.

Files: simple_metrics.csv, simple_data.csv, data.csv or metrics.csv; inject_time.txt (unix s);
logs.csv and traces.csv in RE2 and RE3. The folder's name is the answer: it is never looked at.
"""

from collections.abc import Iterator
from pathlib import Path

from aiops.errors import InvalidData
from aiops.model import CaseData
from aiops.ports.cases import CaseHints, CaseLocation
from aiops_datasets import assembly, records
from aiops_datasets.folder import csv_of, inside, opaque_id
from aiops_datasets.reading import read_table

_METRICS = ("simple_metrics", "simple_data", "data", "metrics")


class RcaEvalLayout:
    """Reads RCAEval's RE1, RE2 and RE3 as they are downloaded."""

    name = "rcaeval"

    def recognises(self, path: Path) -> bool:
        """A folder with inject_time.txt."""
        return path.is_dir() and (path / "inject_time.txt").is_file()

    def locate(self, path: Path) -> Iterator[CaseLocation]:
        """``path`` itself, or ``<service>_<fault>/<n>`` below it."""
        if self.recognises(path):
            yield _location(path)
        elif path.is_dir():
            for mark in sorted(path.glob("*/*/inject_time.txt")):
                yield _location(mark.parent)

    def load(self, location: CaseLocation, hints: CaseHints) -> CaseData:
        """The telemetry of one run; see the port."""
        folder = location.path
        metrics = next((path for name in _METRICS if (path := csv_of(folder, name))), None)
        if metrics is None:
            raise InvalidData(folder, f"holds none of {', '.join(f'{n}.csv' for n in _METRICS)}")
        logs_at, traces_at = csv_of(folder, "logs"), csv_of(folder, "traces")
        logs, said_of_logs = records.read_logs(logs_at) if logs_at else (None, ())
        spans, said_of_spans = records.read_spans(traces_at) if traces_at else (None, ())
        return assembly.metrics_case(
            location,
            hints,
            metrics,
            # RE1's files have their time column twice.
            read_table(metrics, ignore=("time", "time.1")),
            alert_at=_alert_time(folder),
            logs=logs,
            spans=spans,
            notes=(*said_of_logs, *said_of_spans),
        )


def _location(folder: Path) -> CaseLocation:
    full = folder.resolve()
    name = "/".join(full.parts[-2:])
    dataset = full.parent.parent.name
    return CaseLocation(dataset, name, folder, opaque_id(dataset, name))


def _alert_time(folder: Path) -> float | None:
    path = inside(folder, "inject_time.txt")
    if path is None:
        return None
    text = path.read_text(encoding="utf-8", errors="replace").strip()
    try:
        return float(text) if text else None
    except ValueError as error:
        raise InvalidData(path, f"{text[:40]!r} is not a time in unix seconds") from error
