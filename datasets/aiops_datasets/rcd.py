"""RCD's own layout (Ikram et al., NeurIPS 2022): normal.csv and anomalous.csv of separate runs."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from aiops.errors import InvalidData
from aiops.model import CaseData
from aiops.ports.cases import CaseHints, CaseLocation
from aiops_datasets import assembly
from aiops_datasets.folder import csv_of, opaque_id
from aiops_datasets.reading import BUDGET_CELLS, read_table


class RcdLayout:
    """Reads the two runs as one window; the alert is the first anomalous row."""

    name = "rcd"

    def recognises(self, path: Path) -> bool:
        """A folder with both runs."""
        return path.is_dir() and all(
            (path / f"{run}.csv").is_file() or (path / f"{run}.csv.gz").is_file()
            for run in ("normal", "anomalous")
        )

    def locate(self, path: Path) -> Iterator[CaseLocation]:
        """``path`` itself, or ``<service>-<metric>/<n>`` below it."""
        if self.recognises(path):
            yield _location(path)
        elif path.is_dir():
            for folder in sorted(path.glob("*/*")):
                if self.recognises(folder):
                    yield _location(folder)

    def load(self, location: CaseLocation, hints: CaseHints) -> CaseData:
        """The telemetry of one case; see the port."""
        normal, anomalous = (csv_of(location.path, run) for run in ("normal", "anomalous"))
        if normal is None or anomalous is None:
            raise InvalidData(location.path, "must hold normal.csv and anomalous.csv")
        before = read_table(normal, budget_cells=BUDGET_CELLS // 2)
        after = read_table(anomalous, budget_cells=BUDGET_CELLS // 2)
        table = assembly.stitched(before, after, float(np.median(np.diff(before.times))))
        onset = float(table.times[len(before.times)]) / table.clock.scale
        return assembly.metrics_case(
            location,
            hints,
            anomalous,
            table,
            alert_at=onset,
        )


def _location(folder: Path) -> CaseLocation:
    full = folder.resolve()
    name = "/".join(full.parts[-2:])
    dataset = full.parent.parent.name
    return CaseLocation(dataset, name, folder, opaque_id(dataset, name))
