"""A process that carries a run through its graph, on stores in a database.

``python killable_run.py DATABASE_URL WRITES_FILE NODE`` dies by SIGKILL once NODE has done its work
and nothing of it is written down; with "-" it lives and prints how it ended, as JSON.
"""

import json
import os
import signal
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from belt import Bench, Cluster, Scale
from runs import World, inquiry

from aiops.agents.checkpoints import checkpoints
from aiops.agents.crew import Crew
from aiops.agents.shape import NODES, Node
from aiops.agents.state import RunState, Step
from aiops.store.ids import TimedIds
from aiops.store.shelf import BlobShelf
from aiops.store.sql.approvals import SqlApprovals
from aiops.store.sql.blobs import SqlBlobs
from aiops.store.sql.calls import SqlLedger
from aiops.store.sql.engine import open_engine
from aiops.store.sql.events import SqlEvents


@dataclass
class Written(Cluster):
    """A cluster whose changes outlive the process, a line each."""

    file: Path = Path("writes")

    def put(self, name: str, replicas: int) -> None:
        super().put(name, replicas)
        with self.file.open("a", encoding="utf-8") as file:
            file.write(f"{name} {replicas}\n")


def killed_after(node: Node) -> Node:
    def dies(state: RunState, crew: Crew) -> Step:
        node(state, crew)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("nobody survives that")

    return dies


def main(url: str, writes: Path, dies_at: str) -> None:
    """Begin the run "run-1" or go on with it, approve what it asks, and end it."""
    engine = open_engine(url)
    bench = Bench()
    bench.cluster = Written(file=writes)
    bench.scale = Scale(bench.cluster)
    bench.approvals = SqlApprovals(engine, SqlEvents(engine, bench.clock))  # type: ignore[assignment]
    bench.doors = replace(
        bench.doors,
        approvals=bench.approvals,
        ledger=SqlLedger(engine),
        ids=TimedIds(bench.clock),
    )
    world = World(bench)
    nodes = {name: killed_after(node) if name == dies_at else node for name, node in NODES.items()}
    with checkpoints(url) as saver:
        process = replace(
            world.process(saver, nodes), shelf=BlobShelf(SqlBlobs(engine, bench.clock))
        )
        report = process("run-1", inquiry())
        if process.waits("run-1"):
            world.approve_all()
            report = process.resume("run-1", inquiry(), "responder")
    engine.dispose()
    print(json.dumps([report.verdict, [action.state for action in report.actions]]))  # noqa: T201


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
