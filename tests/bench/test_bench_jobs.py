"""Queues: how fast jobs are put, how soon an idle worker of another process begins, how fast it
does jobs that cost nothing. The choice between the two queues on PostgreSQL rests on this.

Both run on a PostgreSQL that waits for its disk. Asserted is that every job is done once.
"""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pytest_benchmark.fixture import BenchmarkFixture
from queues import until, working

from aiops.jobs.leased import LeasedJobs
from aiops.jobs.procrastinate import ProcrastinateJobs
from aiops.model.job import Job
from aiops.ports.jobs import JobQueue
from aiops.store.clock import SystemClock
from aiops.store.ids import TimedIds
from aiops.store.sql.engine import open_engine
from aiops.store.sql.jobs import SqlJobs
from aiops.store.sql.schema import upgrade

JOBS, ALONE, THREADS = 300, 40, 8
CLOCK = SystemClock()
NUMBERS = count()


@pytest.fixture(params=["leased, SQLite", "leased, PostgreSQL", "procrastinate, PostgreSQL"])
def queue(
    request: pytest.FixtureRequest, tmp_path: Path, own_postgres: Callable[..., Any]
) -> Iterator[Callable[[], JobQueue]]:
    """Opens the queue as one more process would."""
    on_file = "SQLite" in request.param
    url = f"sqlite:///{tmp_path / 'jobs.db'}" if on_file else own_postgres().url()
    engine = open_engine(url)
    upgrade(engine)
    scaled: list[ProcrastinateJobs] = []

    def another() -> JobQueue:
        if "leased" in request.param:
            return LeasedJobs(SqlJobs(engine, CLOCK), CLOCK, TimedIds(CLOCK))
        scaled.append(ProcrastinateJobs(url, CLOCK))
        return scaled[-1]

    yield another
    for each in scaled:
        each.close()
    engine.dispose()


def fresh() -> Job:
    return Job(f"try:{next(NUMBERS)}", "try", "it", CLOCK.now())


def test_jobs_are_put_begun_and_done(
    queue: Callable[[], JobQueue], benchmark: BenchmarkFixture
) -> None:
    ours, other, began = queue(), queue(), dict[str, float]()

    def note(job: Job) -> None:
        assert job.key not in began
        began[job.key] = time.perf_counter()

    def put_all() -> None:
        for _ in range(JOBS):
            ours.put(fresh())

    benchmark.group = f"{JOBS} jobs put, one after another"
    benchmark.pedantic(put_all, rounds=1)
    at = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda _: ours.put(fresh()), range(JOBS)))
    together = JOBS / (time.perf_counter() - at)
    at = time.perf_counter()
    with working(other, {"try": note}, concurrency=4):
        until(lambda: len(began) == 2 * JOBS, 120)
        done = 2 * JOBS / (max(began.values()) - at)
        late = []
        for _ in range(ALONE):
            time.sleep(0.03)
            job = fresh()
            at = time.perf_counter()
            ours.put(job)
            until(lambda key=job.key: key in began)
            late.append(began[job.key] - at)
    p50, p95 = np.percentile(late, [50, 95]) * 1e3
    benchmark.extra_info |= {
        f"put_a_second_from_{THREADS}_threads": round(together),
        "done_a_second": round(done),
        "begun_after_ms_p50": round(p50),
        "begun_after_ms_p95": round(p95),
    }
    assert len(began) == 2 * JOBS + ALONE
