"""An alert storm over a real ``aiops serve``: ten seconds of it, on SQLite and on PostgreSQL.

The whole of it (100 s, 10,000 open incidents) is ``aiops eval storm --database-url URL``, published
in ``evals/results/storm-dev.md``. Asserted is that nothing is lost and everything is where it
belongs; times are printed, for a machine that is shared says nothing about them.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from aiops_evals.storm.load import Load
from aiops_evals.storm.measured import Outcome, measured

LOAD = Load(seconds=10)
OPEN = 3_000


@pytest.mark.benchmark(group="alert storm, 1,000 requests/s for 10 s")
@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
def test_a_storm_loses_nothing_and_opens_the_right_incidents(
    benchmark: BenchmarkFixture,
    engine: str,
    tmp_path: Path,
    own_postgres: Callable[..., Any],
) -> None:
    url, workers = f"sqlite:///{tmp_path / 'storm.db'}", 0
    if engine == "postgresql":
        server = own_postgres("max_connections=200")
        url, workers = server.url(), 2
    outcome: Outcome = benchmark.pedantic(
        measured, (url, workers, LOAD), {"open_incidents": OPEN}, rounds=1
    )
    sent = outcome.sent
    benchmark.extra_info.update(
        asked="202 at p99 <= 150 ms; state changes <= 500 ms",
        reached=f"p99 {sent.p99_ms:.0f} ms; {outcome.acts.p99_ms:.0f} ms",
        p50_ms=sent.p50_ms,
        client_cores=round(sent.cpu, 2),
        machine_cores=round(outcome.machine_cpu, 2),
    )
    assert (outcome.lost, outcome.uncounted, outcome.wrong) == (0, 0, 0)
    assert sent.refused == ()
    assert outcome.incidents == outcome.expected == LOAD.sources
