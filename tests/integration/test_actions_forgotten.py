"""Retention of what was done: old approvals and calls go, what is open or under way stays."""

from dataclasses import replace
from datetime import timedelta

import pytest
from approvals import NOON, action, approval

from aiops.bootstrap.durable import durable
from aiops.errors import NotKept
from aiops.model.investigation import AuditEntry
from aiops.model.tool import Caller, Outcome, Spent, ToolCall
from aiops.settings import Settings
from aiops.store.clock import ManualClock
from aiops.store.ids import TimedIds

YEARS = timedelta(days=800)


@pytest.mark.parametrize("url", ["sqlite_url", "postgres_url"])
def test_old_actions_are_forgotten_but_not_what_is_open_under_way_or_audited(
    url: str, request: pytest.FixtureRequest
) -> None:
    clock = ManualClock(NOON)
    chosen = Settings(database_url=request.getfixturevalue(url))
    with durable(chosen, clock=clock) as service:
        ids = TimedIds(clock)
        over, still, usable = (
            service.approvals.file(approval(ids.new("apr"), action(count), incident=None))
            for count in (5, 6, 7)
        )
        assert service.approvals.swap(over, replace(over, state="rejected", decided_by="ann"))
        assert service.approvals.swap(usable, replace(usable, state="approved", decided_by="ann"))
        calls = [
            ToolCall(f"call-{key}", "a.b", "{}", Caller("x", "probe", "run-1"), key)
            for key in ("ended", "under way")
        ]
        for call in calls:
            assert service.ledger.begin(call, NOON) is None
        service.ledger.end(calls[0], Outcome("call-ended", "done", "ok"), 0.1)
        service.ledger.count("run-1", NOON, write=False, seconds=1.0)
        service.audit.append(AuditEntry(NOON, "x", "a.b", "", "done"))

        clock.advance(YEARS.total_seconds())
        late = service.approvals.file(approval(ids.new("apr"), action(8), incident=None))
        assert service.approvals.swap(late, replace(late, state="rejected", decided_by="ann"))
        service.ledger.count("run-2", clock.now(), write=True, seconds=2.0)
        retention = dict(service.chores)["retention"]
        retention()

        with pytest.raises(NotKept):
            service.approvals.get(over.id)
        assert [service.approvals.get(each.id).state for each in (still, usable, late)] == [
            "pending", "approved", "rejected",
        ]  # fmt: skip
        assert service.ledger.begin(calls[0], clock.now()) is None
        assert service.ledger.begin(calls[1], clock.now()) is not None
        assert service.ledger.spent("run-1") == Spent()
        assert service.ledger.spent("run-2") == Spent(1, 1, 2.0)
        assert len(list(service.audit.entries())) == 1
