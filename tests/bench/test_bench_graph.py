"""What the agents' graph adds to the work of its nodes: at most 5 ms a node on SQLite, at rest.

A run on a case of which nothing was recorded, so that nearly all of it is the graph's: opening the
state, eight nodes, a checkpoint after each. ``ms a node`` is that time without the nodes' own.
"""

import time
from itertools import count
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture
from runs import inquiry

from aiops import plugins
from aiops.agents.checkpoints import checkpoints
from aiops.agents.crew import Crew
from aiops.agents.graph import KeptRuns
from aiops.agents.inline import InlineRuns
from aiops.agents.shape import NODES, Node
from aiops.agents.state import RunState, Step
from aiops.analyze.explain import explain
from aiops.app.investigate import CaseInquiry
from aiops.model.run import Collected
from aiops.store.clock import SystemClock
from aiops.store.repositories import MemoryBlobs
from aiops.store.shelf import BlobShelf
from aiops_datasets.synthetic import plant, specified

RUNS = 20


def test_a_run_that_is_kept_on_sqlite(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    inside: list[float] = []

    def timed(node: Node) -> Node:
        def enter(state: RunState, crew: Crew) -> Step:
            began = time.perf_counter()
            step = node(state, crew)
            inside.append(time.perf_counter() - began)
            return step

        return enter

    nodes = {name: timed(node) for name, node in NODES.items()}
    with checkpoints(f"sqlite:///{tmp_path / 'aiops.db'}") as saver:
        runs = KeptRuns(saver, BlobShelf(MemoryBlobs()), SystemClock(), nodes=nodes)
        numbers, whole = count(), list[float]()

        def run() -> None:
            began = time.perf_counter()
            runs(f"run-{next(numbers)}", inquiry())
            whole.append(time.perf_counter() - began)

        run()
        inside.clear()
        whole.clear()
        benchmark.pedantic(run, rounds=RUNS)
    benchmark.extra_info["ms a node"] = round(1000 * (sum(whole) - sum(inside)) / len(inside), 2)
    assert len(inside) == 8 * RUNS


def test_a_run_in_this_thread(benchmark: BenchmarkFixture) -> None:
    case, analyzer = plant(specified("synthetic:7:network_delay")).data, plugins.analyzer("aiops")
    asked = CaseInquiry(lambda _: Collected(case), analyzer, explain)
    report = benchmark(lambda: InlineRuns(SystemClock())("run-1", asked))
    assert report.verdict == "root_cause"
