"""A window of 50 services, 2 M log lines and 200 k spans: promised are 20 s on two cores and 2 GB.

Ranked by the default method in a process of its own, whose seconds and peak memory are published;
what is asserted is the answer, and memory, which no neighbour changes.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

WINDOW = Path(__file__).parents[1] / "support" / "window50.py"
MOST_MB = 2_048


@pytest.mark.benchmark(group="investigation of 50 services, 2 M log lines, 200 k spans")
@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")
def test_the_planted_cause_of_a_large_window_comes_first_within_two_gigabytes(benchmark):
    done = benchmark.pedantic(
        subprocess.run,
        ([sys.executable, str(WINDOW)],),
        {"capture_output": True, "text": True, "check": True},
        rounds=1,
    )
    measured = json.loads(done.stdout)
    benchmark.extra_info.update(
        asked="20 s and 2,048 MB",
        reached=f"{measured['wall_s']:.1f} s, {measured['cpu_s']:.1f} s of the processor, peak "
        f"{measured['peak_mb']:,} MB ({measured['generated_mb']:,} MB of them to generate it)",
    )
    print(f"\n{benchmark.extra_info['reached']}")  # noqa: T201
    assert measured["first"] == measured["culprit"]
    assert measured["verdict"] == "root_cause"
    assert {"log", "metric", "trace"} <= set(measured["evidence"])
    assert measured["peak_mb"] <= MOST_MB
