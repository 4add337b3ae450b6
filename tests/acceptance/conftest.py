"""The real command, in this process where speed matters, and planted worlds as files."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from aiops.cli import main
from aiops.model import CaseData

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to stand in, nothing set and no data sets near."""
    for name in list(os.environ):
        if name.startswith("AIOPS_"):
            monkeypatch.delenv(name)
    stand = tmp_path / "here" / "bare"
    stand.mkdir(parents=True)
    monkeypatch.chdir(stand)
    return stand


@pytest.fixture
def aiops(bare: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``aiops`` with the arguments given, in this process, from an empty folder."""

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        line = ["aiops", *map(str, arguments)]
        monkeypatch.setattr(sys, "argv", line)
        with pytest.raises(SystemExit) as left:
            main()
        said = capsys.readouterr()
        return subprocess.CompletedProcess(line, int(left.value.code or 0), said.out, said.err)

    return run


@pytest.fixture
def executable(bare: Path) -> Run:
    """Runs the installed ``aiops`` as its users do, in a process and a scrubbed environment."""

    def run(*arguments: object, **settings: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(Path(sys.executable).with_name("aiops")), *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={"PATH": os.defpath, **settings},
        )

    return run


@pytest.fixture
def export() -> Callable[[CaseData, Path], Path]:
    """Writes a case's metrics and call graph as anybody would: metrics.csv and calls.csv."""

    def write(case: CaseData, folder: Path) -> Path:
        table, graph = case.window.metrics, case.window.graph
        assert table is not None
        assert graph is not None
        folder.mkdir(parents=True, exist_ok=True)
        head = ["time", *(series.column for series in table.series)]
        rows = np.column_stack([table.times, table.values])
        lines = [",".join(head), *(",".join(f"{cell:.12g}" for cell in row) for row in rows)]
        (folder / "metrics.csv").write_text("\n".join(lines) + "\n")
        calls = [f"{call.source.name},{call.target.name}" for call in graph.calls]
        (folder / "calls.csv").write_text("\n".join(["source,target", *calls]) + "\n")
        return folder

    return write
