"""What keepers of approvals, calls and the switch promise; an adapter joins by one more param."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from aiops.errors import AlreadyKept, NotKept
from aiops.events.in_process import InProcessEvents
from aiops.model.approval import Action, Approval
from aiops.model.tool import (
    BlastRadius,
    Caller,
    Outcome,
    Preview,
    Spent,
    Stop,
    Target,
    ToolCall,
    Undo,
    Verified,
)
from aiops.ports.approvals import ApprovalStore, CallLedger, KillSwitch
from aiops.ports.events import EventBus
from aiops.store.approvals import MemoryApprovals, MemorySwitch
from aiops.store.calls import MemoryLedger
from aiops.store.clock import ManualClock
from aiops.store.sql.approvals import SqlApprovals
from aiops.store.sql.calls import SqlLedger
from aiops.store.sql.events import SqlEvents
from aiops.store.sql.switch import SqlSwitch

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ADAPTERS = ("memory", "sqlite", "postgresql")
MANY = 50


@pytest.fixture(params=ADAPTERS)
def kept(
    request: pytest.FixtureRequest, engine_on: Callable[[str], Engine]
) -> tuple[ApprovalStore, EventBus]:
    """An empty store, and the bus it tells."""
    if request.param == "memory":
        bus = InProcessEvents(ManualClock(NOON))
        return MemoryApprovals(bus), bus
    engine = engine_on(request.param)
    events = SqlEvents(engine, ManualClock(NOON))
    return SqlApprovals(engine, events), events


@pytest.fixture
def approvals(kept: tuple[ApprovalStore, EventBus]) -> ApprovalStore:
    """An empty store."""
    return kept[0]


@pytest.fixture(params=ADAPTERS)
def ledger(request: pytest.FixtureRequest, engine_on: Callable[[str], Engine]) -> CallLedger:
    """An empty ledger."""
    return MemoryLedger() if request.param == "memory" else SqlLedger(engine_on(request.param))


@pytest.fixture(params=ADAPTERS)
def switch(request: pytest.FixtureRequest, engine_on: Callable[[str], Engine]) -> KillSwitch:
    """A switch that nobody has engaged."""
    return MemorySwitch() if request.param == "memory" else SqlSwitch(engine_on(request.param))


def approval(number: int, *, diff: str = "-replicas: 3\n+replicas: 5\n") -> Approval:
    preview = Preview(
        summary="scale web from 3 to 5",
        targets=(Target("prod", "Deployment", "web", "shop"),),
        diff=diff,
        state="a" * 64,
        radius=BlastRadius(1, 0, 3),
        undo=Undo("kubernetes.scale", '{"replicas":3}'),
        warnings=("Größe ☃ \ud800 \0",),
    )
    action = Action("kubernetes.scale", '{"replicas":5}', "medium", preview)
    return Approval(
        id=f"apr-{number:03}",
        action=action,
        action_hash=action.hash,
        state="pending",
        mode="approve",
        reason="queue grows [E1]",
        requested_by="investigator",
        run="run-1",
        incident="inc-1",
        requested_at=NOON,
        expires_at=NOON + timedelta(minutes=number),
    )


def call(key: str = "k", *, run: str = "run-1", arguments: str = "{}", name: str = "1") -> ToolCall:
    return ToolCall(
        f"call-{name}", "kubernetes.scale", arguments, Caller("agent", "executor", run), key, "apr"
    )


def done(name: str = "1") -> Outcome:
    return Outcome(
        f"call-{name}", "done", "scaled", '{"replicas":5}', verified=Verified(True, "5 ready")
    )


# ---- approvals


def test_an_approval_is_got_back_whole(approvals: ApprovalStore) -> None:
    assert approvals.file(approval(1)) == approval(1)
    assert approvals.get("apr-001") == approval(1)
    assert approvals.get("apr-001").action.hash == approval(1).action_hash


def test_an_approval_that_nobody_filed_is_named(approvals: ApprovalStore) -> None:
    with pytest.raises(NotKept, match="apr-404"):
        approvals.get("apr-404")


def test_the_same_question_is_asked_once_while_it_is_open(approvals: ApprovalStore) -> None:
    first = approvals.file(approval(1))
    assert approvals.file(approval(2)) == first
    assert approvals.swap(first, replace(first, state="escalated"))
    assert approvals.file(approval(2)).id == first.id
    escalated = approvals.get(first.id)
    assert approvals.swap(escalated, replace(escalated, state="rejected"))
    assert approvals.file(approval(2)).id == "apr-002"


def test_another_run_mode_or_diff_is_another_question(approvals: ApprovalStore) -> None:
    approvals.file(approval(1))
    others = (
        replace(approval(2), run="run-2"),
        replace(approval(3), mode="shadow"),
        approval(4, diff="-replicas: 3\n+replicas: 6\n"),
    )
    assert [approvals.file(each).id for each in others] == ["apr-002", "apr-003", "apr-004"]


def test_an_id_that_stands_for_another_approval_is_not_filed(approvals: ApprovalStore) -> None:
    approvals.file(approval(1))
    with pytest.raises(AlreadyKept, match="apr-001"):
        approvals.file(replace(approval(1), run="run-2"))


def test_approvals_are_listed_newest_first_by_state_and_incident(approvals: ApprovalStore) -> None:
    for number in (1, 3, 2):
        approvals.file(replace(approval(number), run=f"run-{number}"))
    third = approvals.get("apr-003")
    approvals.swap(third, replace(third, state="rejected"))
    ids = [each.id for each in approvals.listed()]
    assert ids == ["apr-003", "apr-002", "apr-001"]
    assert [each.id for each in approvals.listed(("pending", "escalated"))] == ids[1:]
    assert [each.id for each in approvals.listed(before="apr-002")] == ids[2:]
    assert [each.id for each in approvals.listed(limit=1)] == ids[:1]
    assert approvals.listed(incident="inc-2") == ()


def test_what_changed_since_it_was_read_is_not_swapped(approvals: ApprovalStore) -> None:
    first = approvals.file(approval(1))
    assert approvals.swap(first, replace(first, state="approved", decided_by="ana"))
    assert not approvals.swap(first, replace(first, state="rejected", decided_by="bo"))
    now = approvals.get(first.id)
    assert (now.state, now.decided_by, now.revision) == ("approved", "ana", 1)


def test_what_nobody_filed_is_not_swapped(approvals: ApprovalStore) -> None:
    assert not approvals.swap(approval(1), replace(approval(1), state="approved"))
    with pytest.raises(ValueError, match="apr-002"):
        approvals.swap(approval(1), approval(2))


def test_of_many_who_use_one_approval_at_once_one_does(approvals: ApprovalStore) -> None:
    first = approvals.file(approval(1))
    approvals.swap(first, replace(first, state="approved"))
    approved = approvals.get(first.id)
    used = [replace(approved, state="used", outcome=str(number)) for number in range(MANY)]
    with ThreadPoolExecutor(MANY) as pool:
        won = list(pool.map(lambda to: approvals.swap(approved, to), used))
    assert won.count(True) == 1
    assert approvals.get(first.id).outcome == str(won.index(True))


def test_many_who_ask_the_same_at_once_ask_once(approvals: ApprovalStore) -> None:
    with ThreadPoolExecutor(8) as pool:
        filed = set(pool.map(lambda n: approvals.file(approval(n)).id, range(1, 17)))
    assert len(filed) == len(approvals.listed()) == 1


def test_what_can_lapse_is_due_once_its_time_is_over(approvals: ApprovalStore) -> None:
    for number in range(1, 6):
        approvals.file(replace(approval(number), run=f"run-{number}"))
    for number, state in ((2, "approved"), (3, "rejected"), (4, "escalated")):
        was = approvals.get(f"apr-{number:03}")
        assert approvals.swap(was, replace(was, state=state))  # type: ignore[arg-type]
    due = approvals.due(NOON + timedelta(minutes=4))
    assert [each.id for each in due] == ["apr-001", "apr-002", "apr-004"]
    assert approvals.due(NOON) == ()
    assert len(approvals.due(NOON + timedelta(days=1), limit=2)) == 2


def test_an_answer_to_a_shadowed_action_never_lapses(approvals: ApprovalStore) -> None:
    shadowed = approvals.file(replace(approval(1), mode="shadow"))
    assert approvals.swap(shadowed, replace(shadowed, state="approved"))
    assert approvals.due(NOON + timedelta(days=1)) == ()
    assert approvals.counts("shadow")["approved"] == 1
    assert approvals.counts("approve")["approved"] == 0
    assert approvals.counts("shadow")["expired"] == 0


def test_every_change_of_state_is_told(kept: tuple[ApprovalStore, EventBus]) -> None:
    approvals, bus = kept
    first = approvals.file(approval(1))
    approvals.file(approval(2))  # the same question: nothing new
    approvals.swap(first, replace(first, state="approved"))
    approvals.swap(first, replace(first, state="rejected"))  # too late: nothing happened
    told = [(event.kind, event.about) for event in bus.subscribe(idle_s=0)]
    assert told == [("approval.pending", "apr-001"), ("approval.approved", "apr-001")]


# ---- calls


def test_a_key_begins_one_call_and_answers_with_its_end(ledger: CallLedger) -> None:
    assert ledger.begin(call(), NOON) is None
    again = ledger.begin(call(name="2"), NOON)
    assert again is not None
    assert (again.call, again.status) == ("call-1", "unknown")
    ledger.end(call(), done(), 1.5)
    assert ledger.begin(call(name="2"), NOON) == done()


def test_the_very_same_call_begins_once(ledger: CallLedger) -> None:
    one = call()
    assert ledger.begin(one, NOON) is None
    assert ledger.begin(one, NOON) is not None


@pytest.mark.parametrize(
    "other", [call(arguments='{"replicas":0}'), call(run="run-2")], ids=["arguments", "run"]
)
def test_a_key_of_another_call_is_refused(ledger: CallLedger, other: ToolCall) -> None:
    ledger.begin(call(), NOON)
    with pytest.raises(AlreadyKept, match="'k'"):
        ledger.begin(other, NOON)


def test_only_the_call_that_began_can_end_and_only_once(ledger: CallLedger) -> None:
    ledger.begin(call(), NOON)
    ledger.end(call(name="2"), done("2"), 0.1)
    ledger.end(call(), done(), 0.1)
    ledger.end(call(), replace(done(), status="failed"), 0.1)
    assert ledger.begin(call(), NOON) == done()


def test_calls_that_have_not_ended_are_found_without_their_arguments(ledger: CallLedger) -> None:
    ledger.begin(call("a", name="1", arguments='{"password":"hunter2"}'), NOON)
    ledger.begin(call("b", name="2"), NOON + timedelta(seconds=1))
    ledger.begin(call("c", name="3"), NOON + timedelta(seconds=2))
    ledger.end(call("b", name="2"), done("2"), 0.1)
    found = ledger.unfinished(NOON + timedelta(seconds=2))
    assert [(each.call, each.key, each.approval) for each in found] == [("call-1", "a", "apr")]
    assert "hunter2" not in repr(found)


def test_signs_of_life_are_counted_until_a_call_ends(ledger: CallLedger) -> None:
    for key in ("a", "b", "c"):
        ledger.begin(call(key, name=key), NOON)
    ledger.end(call("c", name="c"), done("c"), 0.1)
    ledger.renew([])
    for _ in range(2):
        ledger.renew([call("a", name="a"), call("c", name="c"), call("never", name="never")])
    found = ledger.unfinished(NOON + timedelta(seconds=1))
    assert sorted((each.key, each.beats) for each in found) == [("a", 2), ("b", 0)]


def test_of_many_who_begin_a_key_at_once_one_does(ledger: CallLedger) -> None:
    with ThreadPoolExecutor(MANY) as pool:
        begun = list(pool.map(lambda n: ledger.begin(call(name=str(n)), NOON), range(MANY)))
    assert begun.count(None) == 1


def test_what_runs_spend_is_summed_apart(ledger: CallLedger) -> None:
    assert ledger.spent("run-1") == Spent()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: ledger.count("run-1", NOON, write=n < 2, seconds=0.5), range(16)))
    assert ledger.count("run-2", NOON, write=True, seconds=1.0) == Spent(1, 1, 1.0)
    assert ledger.spent("run-1") == Spent(16, 2, 8.0)


# ---- the switch


def test_who_stopped_first_is_remembered_until_somebody_releases(switch: KillSwitch) -> None:
    assert switch.state() is None
    switch.engage(Stop("ana", "wrong cluster", NOON))
    switch.engage(Stop("bo", "me too", NOON))
    assert switch.state() == Stop("ana", "wrong cluster", NOON)
    switch.release()
    switch.release()
    assert switch.state() is None
    switch.engage(Stop("bo", "again", NOON))
    assert switch.state() == Stop("bo", "again", NOON)


def test_every_process_sees_the_switch_at_once(engine: Engine) -> None:
    from aiops.store.sql.engine import open_engine

    other = open_engine(engine.url.render_as_string(hide_password=False))
    here, there = SqlSwitch(engine), SqlSwitch(other)
    assert there.state() is None
    here.engage(Stop("ana", "enough", NOON))
    assert there.state() is not None
    there.release()
    assert here.state() is None
    other.dispose()
