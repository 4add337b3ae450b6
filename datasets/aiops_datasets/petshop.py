"""PetShop's own layout (Hardt et al., CLeaR 2024): ``<scenario>/<split>/issue_<n>/``.

An issue has metrics.csv (component, metric and statistic in three header rows, the index's name
in a fourth) and target.json, which holds the alert and the answer; its scenario has graph.csv
and noissue/metrics.csv, recorded months apart.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from aiops.errors import InvalidData
from aiops.model import CaseData, Reference
from aiops.ports.cases import CaseHints, CaseLocation
from aiops_datasets import assembly, columns, graphs, public
from aiops_datasets.folder import csv_of, inside, opaque_id
from aiops_datasets.public import PublicReader
from aiops_datasets.reading import read_table

_HEADER_ROWS = 4
_BASELINE_ROWS = 100
_INTERVAL_S = 300.0


class PetShopLayout:
    """Reads an issue with the end of its scenario's fault-free run in front of it."""

    name = "petshop"

    def __init__(self, read_public: PublicReader = public.apart) -> None:
        self._read_public = read_public

    def recognises(self, path: Path) -> bool:
        """A folder with target.json and metrics."""
        return (
            path.is_dir()
            and (path / "target.json").is_file()
            and any((path / name).is_file() for name in ("metrics.csv", "metrics.csv.gz"))
        )

    def locate(self, path: Path) -> Iterator[CaseLocation]:
        """``path`` itself, or ``<scenario>/<split>/issue_<n>`` below it."""
        if self.recognises(path):
            yield _location(path)
        elif path.is_dir():
            for mark in sorted(path.glob("*/*/*/target.json")):
                yield _location(mark.parent)

    def load(self, location: CaseLocation, hints: CaseHints) -> CaseData:
        """The telemetry and trigger of one issue; see the port."""
        folder = location.path
        metrics, said = csv_of(folder, "metrics"), inside(folder, "target.json")
        if metrics is None or said is None:
            raise InvalidData(folder, "must hold metrics.csv and target.json")
        target = self._read_public("target", said)
        scenario = folder.resolve().parent.parent
        issue = read_table(metrics, header_rows=_HEADER_ROWS)
        normal_at = csv_of(scenario / "noissue", "metrics")
        table, reference = issue, None
        if normal_at is not None:
            normal = read_table(normal_at, header_rows=_HEADER_ROWS)
            last = replace(
                normal, times=normal.times[-_BASELINE_ROWS:], values=normal.values[-_BASELINE_ROWS:]
            )
            table = assembly.stitched(last, issue, _INTERVAL_S, move_before=True)
            reference = Reference(assembly.metric_table(normal_at, normal)[0])
        else:
            notes = (*issue.notes, "the scenario has no fault-free run; there is no baseline")
            table = replace(issue, notes=notes)
        graph_at = csv_of(scenario, "graph")
        component = partial(columns.entity, kind="component")
        return assembly.metrics_case(
            location,
            hints,
            metrics,
            table,
            alert_at=float(target["timestamp"]),
            graph=graphs.read_graph(graph_at, component) if graph_at else None,
            reference=reference,
            target=(target["node"], f"{target['metric']}_{target['agg']}"),
        )


def _location(folder: Path) -> CaseLocation:
    full = folder.resolve()
    name = "/".join(full.parts[-3:])
    dataset = full.parents[2].name
    return CaseLocation(dataset, name, folder, opaque_id(dataset, name))
