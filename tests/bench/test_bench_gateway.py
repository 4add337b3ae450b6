"""What the gateway adds to a call in this process, with its ledger and audit log on SQLite.

The tool does nothing, so that the whole time is the gateway's. Asserted is that every call was
answered and left its row; the median is to be at most 2 ms on a machine that is at rest.
"""

import asyncio
from itertools import count
from pathlib import Path

from belt import GET, Bench
from pytest_benchmark.fixture import BenchmarkFixture

from aiops.bootstrap.durable import durable
from aiops.bootstrap.tools import doors_of
from aiops.settings import load
from aiops.toolbelt.budget import Budget
from aiops.toolbelt.results import Results

CALLS = 300


def test_a_read_through_the_gateway(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    numbers = count()
    with (
        durable(load(database_url=f"sqlite:///{tmp_path}/aiops.db")) as service,
        asyncio.Runner() as runner,
    ):
        bench = Bench().ruled(budget=Budget(10**6, 10, 10**6))
        bench.doors = doors_of(service, Results(service.blobs))
        bench.restarted()

        def call() -> None:
            asked = bench.ask("kubernetes.get", GET, key=f"bench-{next(numbers)}")
            assert runner.run(asked).status == "done"

        benchmark.pedantic(call, rounds=CALLS, warmup_rounds=20)
        assert len(list(service.audit.entries())) == next(numbers)
