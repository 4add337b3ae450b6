"""Fifty people or processes at one approval: it is given once and used once, never replayed."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from approvals import NOON, action, approval
from processes import over_at_the_end
from sqlalchemy import Engine

from aiops.app.approvals.deciding import Decider, Desk, Verdict
from aiops.app.approvals.refusals import NotAsSeen
from aiops.store.clock import ManualClock
from aiops.store.ids import CountedIds
from aiops.store.sql.approvals import SqlApprovals
from aiops.store.sql.audit import SqlAudit
from aiops.store.sql.events import SqlEvents

MANY = 50
PROCESSES = 3
USING = """
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from aiops.store.clock import SystemClock
from aiops.store.sql.approvals import SqlApprovals
from aiops.store.sql.engine import open_engine
from aiops.store.sql.events import SqlEvents
engine = open_engine(sys.argv[1])
kept = SqlApprovals(engine, SqlEvents(engine, SystemClock()))
approved = kept.get("apr-1")
print("ready", flush=True)
sys.stdin.readline()
used = replace(approved, state="used")
with ThreadPoolExecutor(10) as pool:
    print(sum(pool.map(lambda _: kept.swap(approved, used), range(17))))
"""


@pytest.fixture
def kept(engine: Engine) -> Iterator[SqlApprovals]:
    """A store with one approval that nobody has decided about."""
    bus = SqlEvents(engine, ManualClock(NOON))
    made = SqlApprovals(engine, bus)
    made.file(approval())
    yield made
    bus.close()


def test_fifty_approvals_at_once_are_one(engine: Engine, kept: SqlApprovals) -> None:
    desk = Desk(kept, SqlAudit(engine), ManualClock(NOON), CountedIds())

    def decide(number: int) -> bool:
        by, verdict = Decider(f"person {number}", "responder"), Verdict("approve", action().hash)
        try:
            asyncio.run(desk.decide(by, "apr-1", verdict))
        except NotAsSeen:
            return False
        return True

    with ThreadPoolExecutor(MANY) as pool:
        done = list(pool.map(decide, range(MANY)))
    assert done.count(True) == 1
    assert kept.get("apr-1").decided_by == f"person {done.index(True)}"
    outcomes = [entry.outcome.partition(":")[0] for _, entry in desk.audit.entries()]
    assert sorted(outcomes) == ["done"] + ["refused"] * (MANY - 1)


def test_fifty_uses_by_several_processes_are_one(
    engine: Engine, kept: SqlApprovals, database_url: str
) -> None:
    pending = kept.get("apr-1")
    assert kept.swap(pending, replace(pending, state="approved"))
    line = [sys.executable, "-c", USING, database_url]
    started = [
        subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(PROCESSES)
    ]
    with over_at_the_end(*started):
        for each in started:
            assert each.stdout is not None
            assert each.stdout.readline() == "ready\n"
        for each in started:
            assert each.stdin is not None
            each.stdin.write("go\n")
            each.stdin.flush()
        won = [int(each.communicate(timeout=120)[0]) for each in started]
    assert sum(won) == 1
    assert kept.get("apr-1").state == "used"


def test_a_used_approval_is_neither_used_nor_approved_again(
    engine: Engine, kept: SqlApprovals
) -> None:
    desk = Desk(kept, SqlAudit(engine), ManualClock(NOON), CountedIds())
    verdict = Verdict("approve", action().hash)
    approved = asyncio.run(desk.decide(Decider("ana", "responder"), "apr-1", verdict))
    assert kept.swap(approved, replace(approved, state="used"))
    assert not kept.swap(approved, replace(approved, state="used"))
    with pytest.raises(NotAsSeen, match="used"):
        asyncio.run(desk.decide(Decider("bo", "admin"), "apr-1", verdict))
