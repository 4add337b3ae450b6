"""An action whose process died is looked at and written down, and never carried out again."""

from dataclasses import replace
from typing import Any

import pytest
from belt import Bench, scaled

from aiops.model.canonical import canonical
from aiops.model.tool import Caller, ToolCall
from aiops.toolbelt.approving import Approving
from aiops.toolbelt.recovery import Unfinished

pytestmark = pytest.mark.anyio


def dies(bench: Bench, approval_id: str, *, after_the_change: bool) -> None:
    """What a process leaves that is killed while it carries an approved action out."""
    approval = bench.approvals.get(approval_id)
    call = ToolCall(
        f"call-of-{approval.id}",
        approval.action.tool,
        approval.action.arguments,
        Caller(approval.requested_by, "executor", approval.run),
        f"approval/{approval.id}",
        approval.id,
    )
    assert bench.ledger.begin(call, bench.clock.now()) is None
    Approving(bench.approvals, bench.clock, bench.doors.ids, 900).use(approval, approval.action)
    if after_the_change:
        bench.cluster.put("web", 4)


@pytest.mark.parametrize("changed", [False, True])
async def test_what_a_dead_process_began_is_looked_at_and_unknown(changed: bool) -> None:
    bench = Bench()
    approval = await bench.approved()
    dies(bench, approval, after_the_change=changed)
    before = list(bench.cluster.writes)

    found = await bench.restarted().look_after(approval)

    assert found is not None
    assert (found.status, found.reason) == ("unknown", "died")
    assert found.verified is not None
    assert found.verified.reached is changed
    assert "of 4 are ready" in found.summary
    assert bench.cluster.writes == before
    assert bench.rows()[-1] == (
        "kubernetes.scale", "prod/shop/Deployment/web", "unknown: died",
    )  # fmt: skip
    assert str(bench.approvals.get(approval).outcome).startswith("unknown: ")


async def test_it_is_written_down_once_however_often_somebody_looks() -> None:
    bench = Bench()
    approval = await bench.approved()
    dies(bench, approval, after_the_change=False)
    first = await bench.gateway.look_after(approval)
    rows = bench.rows()
    second = await bench.restarted().look_after(approval)
    assert first is not None
    assert second is not None
    assert (second.status, second.summary) == ("unknown", first.summary)
    assert bench.rows() == rows
    assert (await bench.gateway.carry_out(approval)).status == "unknown"
    assert bench.cluster.writes == []


async def test_what_the_chore_found_dead_first_is_noted_at_its_approval_too() -> None:
    bench = Bench()
    approval = await bench.approved()
    dies(bench, approval, after_the_change=False)
    bench.clock.advance(1)
    chore = Unfinished(bench.ledger, bench.audit, bench.clock, lease_s=0)
    chore()
    rows = bench.rows()
    found = await bench.restarted().look_after(approval)
    assert found is not None
    assert (found.status, found.reason) == ("unknown", "died")
    assert str(bench.approvals.get(approval).outcome).startswith("unknown: ")
    assert bench.rows() == rows


async def test_an_object_that_cannot_be_read_is_left_to_a_person() -> None:
    bench = Bench()
    approval = await bench.approved()
    dies(bench, approval, after_the_change=False)
    del bench.cluster.replicas["web"]
    found = await bench.gateway.look_after(approval)
    assert found is not None
    assert found.status == "unknown"
    assert "look at its target by hand" in found.summary


async def planned(bench: Bench, *steps: dict[str, Any]) -> str:
    """The approval, given, of a plan."""
    plan = {"steps": [{"tool": "kubernetes.scale", "arguments": one} for one in steps]}
    waits = await bench.ask("plan.carry_out", canonical(plan))
    assert waits.approval is not None
    bench.approve(waits.approval)
    return waits.approval


@pytest.mark.parametrize("changed", [False, True])
async def test_a_plan_of_one_step_is_looked_at_like_that_step(changed: bool) -> None:
    bench = Bench()
    approval = await planned(bench, scaled(4))
    dies(bench, approval, after_the_change=changed)
    found = await bench.restarted().look_after(approval)
    assert found is not None
    assert found.verified is not None
    assert (found.status, found.verified.reached) == ("unknown", changed)


async def test_every_step_of_a_plan_is_looked_at_and_none_is_done_again() -> None:
    bench = Bench()
    approval = await planned(bench, scaled(4), scaled(3, "api"))
    dies(bench, approval, after_the_change=True)  # of the first alone
    before = list(bench.cluster.writes)
    found = await bench.restarted().look_after(approval)
    assert found is not None
    assert (found.status, found.reason) == ("unknown", "died")
    assert found.verified is not None
    assert not found.verified.reached
    assert "step 1 (kubernetes.scale): read afterwards: 4 of 4 are ready" in found.summary
    assert "step 2 (kubernetes.scale): read afterwards: 2 of 3 are ready" in found.summary
    assert bench.cluster.writes == before
    assert "step 2" in str(bench.approvals.get(approval).outcome)


async def test_a_step_that_cannot_be_read_leaves_the_others_told() -> None:
    bench = Bench()
    approval = await planned(bench, scaled(4), scaled(3, "api"))
    dies(bench, approval, after_the_change=True)
    del bench.cluster.replicas["api"]
    found = await bench.gateway.look_after(approval)
    assert found is not None
    assert (found.status, found.verified) == ("unknown", None)
    assert "step 1 (kubernetes.scale): read afterwards: 4 of 4" in found.summary
    assert "step 2 (kubernetes.scale): it cannot be read either" in found.summary


async def test_a_plan_that_an_older_version_had_approved_is_left_to_a_person() -> None:
    bench = Bench()
    approval = await planned(bench, scaled(4), scaled(3, "api"))
    dies(bench, approval, after_the_change=True)
    kept = bench.approvals.get(approval)
    preview = replace(kept.action.preview, parts=())
    assert bench.approvals.swap(kept, replace(kept, action=replace(kept.action, preview=preview)))
    found = await bench.gateway.look_after(approval)
    assert found is not None
    assert (found.status, found.verified) == ("unknown", None)
    assert "look at each of its targets" in found.summary


async def test_what_has_ended_says_how_and_what_was_not_begun_may_still_be() -> None:
    bench = Bench()
    approval = await bench.approved()
    assert await bench.gateway.look_after(approval) is None
    done = await bench.gateway.carry_out(approval)
    assert done.status == "done"
    found = await bench.gateway.look_after(approval)
    assert found is not None
    assert found.status == "done"
    assert bench.cluster.writes == [("web", 4)]


async def test_what_another_call_began_with_its_approval_is_left_to_that_one() -> None:
    bench = Bench()
    approval = await bench.approved()
    done = await bench.ask(approval=approval, key="its own")
    assert done.status == "done"
    found = await bench.gateway.look_after(approval)
    assert found is not None
    assert found.reason == "begun"
    assert str(bench.approvals.get(approval).outcome).startswith("done")
