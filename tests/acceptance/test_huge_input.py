"""A file larger than anybody should keep: read in bounded memory, and said so in the report.

The issue's own figures (2 GB in 1 GB of memory and 120 s) are measured by hand; here is a file of
60 MB with figures in proportion, and one above the budget of cells.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

T0 = 1_767_600_000
MEGABYTE = 1 << 20

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss counts KB on Linux only")


def write(folder: Path, columns: list[str], culprit: str, size: int) -> tuple[int, int]:
    """A metrics.csv of ``size`` bytes whose ``culprit`` steps at 80 %; its rows and its alert.

    Rows are drawn from a pool: writing 60 MB of fresh random numbers would take longer than
    everything that is tested.
    """
    rng = np.random.default_rng(1)
    pools = []
    for shift in (0.0, 200.0):
        values = rng.normal(50, 3, (200, len(columns)))
        values[:, columns.index(culprit)] += shift
        lines = [",".join(f"{cell:.3f}" for cell in row) for row in values]
        pools.append(np.array(lines, dtype=object))
    rows = size // (len(pools[0][0]) + 12)
    onset = int(rows * 0.8)
    picks = rng.integers(0, 200, rows)
    folder.mkdir()
    with (folder / "metrics.csv").open("w") as file:
        file.write(f"time,{','.join(columns)}\n")
        for i, pick in enumerate(picks):
            file.write(f"{T0 + i},{pools[int(i >= onset)][pick]}\n")
    return rows, T0 + onset + 30


def measured(*arguments: object) -> tuple[dict[str, Any], float, float]:
    """The report of ``aiops`` with these arguments, its peak memory in MB and its seconds."""
    program = (
        "import json, resource, subprocess, sys\n"
        "done = subprocess.run(sys.argv[1:], capture_output=True, text=True)\n"
        "peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss\n"
        "print(json.dumps([done.returncode, done.stdout, done.stderr, peak]))\n"
    )
    aiops = Path(sys.executable).with_name("aiops")
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", program, str(aiops), *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
        env={"PATH": os.defpath},
    )
    code, out, err, peak = json.loads(done.stdout)
    assert (code, err) == (0, "")
    return json.loads(out), peak * 1024 / MEGABYTE, time.monotonic() - began


@pytest.mark.parametrize(
    ("services", "metrics"), [(19, 2), (1250, 4)], ids=["38 columns", "5,000 columns"]
)
def test_a_file_of_sixty_megabytes_is_ranked_in_bounded_memory(
    tmp_path: Path, services: int, metrics: int
) -> None:
    kinds = ["cpu", "latency", "memory", "rate"][:metrics]
    columns = [f"svc{i}_{kind}" for i in range(services) for kind in kinds]
    rows, alert = write(tmp_path / "huge", columns, "svc3_cpu", 60 * MEGABYTE)
    report, peak, seconds = measured("rca", tmp_path / "huge", "--inject-time", alert, "--json")
    first = report["root_causes"][0]
    assert (first["entity"]["name"], first["indicator"]["name"]) == ("svc3", "cpu")
    assert report["subject"]["series"] == len(columns)
    assert peak <= 600
    assert seconds <= 60  # on two busy cores; alone it takes a second or two
    assert rows * len(columns) > 5_000_000


def test_a_file_above_the_budget_is_averaged_and_the_report_says_so(tmp_path: Path) -> None:
    columns = [f"svc{i}_cpu" for i in range(120)]
    folder = tmp_path / "tall"
    folder.mkdir()
    rows, onset = 90_000, 72_000  # 10.8 M cells
    before, after = ("1," * 119 + "1", "1,1,1,9," + "1," * 115 + "1")
    with (folder / "metrics.csv").open("w") as file:
        file.write(f"time,{','.join(columns)}\n")
        for i in range(rows):
            file.write(f"{T0 + i},{(after if i >= onset else before)}\n")
    report, peak, _ = measured("rca", folder, "--json")
    assert f"metrics.csv has {rows} rows of 120 columns" in "\n".join(report["notes"])
    assert report["root_causes"][0]["entity"]["name"] == "svc3"
    assert report["subject"]["window"][0] == "2026-01-05T08:00:00Z"
    assert peak <= 600


def test_a_log_of_sixty_megabytes_is_ranked_in_bounded_memory(tmp_path: Path) -> None:
    folder = tmp_path / "talkative"
    folder.mkdir()
    lines = 420_000
    with (folder / "logs.csv").open("w") as file:
        file.write("time,service,trace_id,message\n")
        for i in range(lines):
            late = i > lines * 0.8 and i % 5 == 0
            words = "ERROR payment refused by bank" if late else "request served in good order"
            file.write(
                f"{T0 + i / 100:.2f},svc{5 if late else i % 7},{i:016x},"
                f'"{words}, user {i * 7919}, order {i:08d}, cart {i:012x}, '
                'all of it written in one line"\n'
            )
    facts = {"dataset": "d", "inject_time": T0 + lines * 0.8 / 100, "fault_type": "x"}
    (folder / "case.json").write_text(json.dumps(facts))
    assert (folder / "logs.csv").stat().st_size > 57 * MEGABYTE
    report, peak, seconds = measured("rca", folder, "--json")
    assert report["root_causes"][0]["entity"]["name"] == "svc5"
    assert peak <= 600
    assert seconds <= 90  # on two busy cores; alone it takes 5 s
