"""What the lab costs and how fast it answers; two replicas are of services without state."""

import os
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from aiops.store.clock import SystemClock
from aiops_lab.by_kubernetes import ByKubernetes
from aiops_lab.lab import Lab, Wanted
from aiops_lab.load.record import Seen
from aiops_lab.status import proportional_bytes
from aiops_lab.topology.load import SHOP

SETTLE_S = 12.0  # what users saw is of the last ten seconds
WATCH_S = 15.0


@pytest.mark.benchmark(group="the lab: fourteen services, idle at 5 req/s and at 50 req/s")
@pytest.mark.parametrize(("replicas", "most_mb"), [(1, 1500), (2, 3000)])
def test_the_shop_keeps_its_budgets(
    benchmark: Any, tmp_path: Path, replicas: int, most_mb: int
) -> None:
    wanted = Wanted(topology=SHOP, folder=tmp_path / "lab", replicas=replicas)
    clock = SystemClock()
    kubernetes = partial(ByKubernetes, folder=wanted.folder / "kubernetes", clock=clock, seed=1)
    lab = Lab(wanted, now=clock.now, orchestrator=kubernetes)
    began = time.monotonic()
    benchmark.pedantic(lab.open, rounds=1)
    try:
        lab.wait_ready(20)
        up_s = time.monotonic() - began
        resident, proportional, cores = idle(lab)
        seen = busy(lab)
    finally:
        lab.close()
    benchmark.extra_info.update(
        asked=f"up in 20 s, {most_mb:,} MB, 0.7 core at 5 req/s, p99 < 200 ms at 50 req/s",
        reached=f"{replicas} replica(s): up in {up_s:.1f} s, RSS {resident:,} MB (PSS "
        f"{proportional:,} MB), {cores:.2f} core; at {seen.rate:.0f} req/s p50 {seen.p50_ms:.0f} "
        f"ms, p99 {seen.p99_ms:.0f} ms, {seen.errors} errors",
    )
    print(f"\n{benchmark.extra_info['reached']}")  # noqa: T201
    assert up_s <= 20
    assert resident <= most_mb
    assert cores <= 0.7
    assert seen.rate >= 40
    assert seen.p99_ms < 200
    assert seen.errors == 0


def idle(lab: Lab) -> tuple[int, int, float]:
    """RSS and PSS in MB, and cores, of every process, users at 5 req/s and this one included."""
    lab.users(5)
    time.sleep(SETTLE_S)
    pids = lab.pids()
    before, began = cpu_seconds(pids), time.monotonic()
    time.sleep(WATCH_S)
    cores = (cpu_seconds(pids) - before) / (time.monotonic() - began)
    lab.sample()
    return lab.status().resident >> 20, proportional_bytes(pids) >> 20, cores


def busy(lab: Lab) -> Seen:
    """What users saw at 50 req/s."""
    lab.users(50)
    time.sleep(SETTLE_S)
    return lab.status().seen[0]


def cpu_seconds(pids: list[int]) -> float:
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")
