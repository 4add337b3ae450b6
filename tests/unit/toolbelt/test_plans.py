"""Several writes under one approval: checked as a whole, in order, taken back in reverse."""

from typing import Any

import pytest
from belt import Bench, Scale, scaled

from aiops.errors import ToolFailed
from aiops.model.canonical import parsed

pytestmark = pytest.mark.anyio


def steps(*arguments: dict[str, Any]) -> dict[str, Any]:
    return {"steps": [{"tool": "kubernetes.scale", "arguments": one} for one in arguments]}


async def test_a_plan_has_one_approval_and_is_carried_out_in_order() -> None:
    bench = Bench()
    plan = steps(scaled(5, "web"), scaled(3, "api"))
    waits = await bench.ask("plan.carry_out", plan)
    asked = bench.approvals.get(waits.approval or "")
    assert "-replicas: 3" in asked.action.preview.diff
    assert "-replicas: 2" in asked.action.preview.diff
    assert len(asked.action.preview.targets) == asked.action.preview.radius.objects == 2
    bench.approve(asked.id)
    done = await bench.ask("plan.carry_out", plan, approval=asked.id)
    assert done.status == "done"
    assert [one["status"] for one in parsed(done.content or "")["steps"]] == ["done", "done"]
    assert bench.cluster.writes == [("web", 5), ("api", 3)]


async def test_a_plan_that_fails_half_way_is_taken_back_last_first() -> None:
    bench = Bench()
    bench.cluster.stuck.add("idle")
    plan = steps(scaled(5, "web"), scaled(3, "api"), scaled(4, "idle"))
    approval = await bench.approved(plan, tool="plan.carry_out")
    outcome = await bench.ask("plan.carry_out", plan, approval=approval)
    assert (outcome.status, outcome.reason) == ("rolled_back", "unverified")
    assert bench.cluster.writes == [
        ("web", 5),
        ("api", 3),
        ("idle", 4),
        ("idle", 0),
        ("api", 2),
        ("web", 3),
    ]
    assert bench.cluster.replicas == {"web": 3, "api": 2, "idle": 0}
    assert [row[2] for row in bench.rows()][1:] == ["done"] * 3 + ["rolled_back: unverified"]


async def test_the_order_of_a_plan_is_part_of_what_is_approved() -> None:
    bench = Bench()
    one, other = scaled(5, "web"), scaled(3, "api")
    approval = await bench.approved(steps(one, other), tool="plan.carry_out")
    outcome = await bench.ask("plan.carry_out", steps(other, one), approval=approval)
    assert (outcome.status, outcome.reason) == ("denied", "approval")
    assert bench.cluster.writes == []


async def test_a_plan_one_object_of_which_has_drifted_does_not_begin() -> None:
    bench = Bench()
    plan = steps(scaled(5, "web"), scaled(3, "api"))
    approval = await bench.approved(plan, tool="plan.carry_out")
    bench.cluster.drift("api")
    outcome = await bench.ask("plan.carry_out", plan, approval=approval)
    assert (outcome.status, outcome.reason) == ("denied", "stale")
    assert bench.cluster.writes == []


async def test_a_stop_half_way_keeps_the_rest_from_being_changed_and_says_what_stands() -> None:
    class Stopping(Scale):
        async def verify(self, arguments, preview, context):  # type: ignore[no-untyped-def]
            from aiops.model.tool import Stop

            bench.switch.engage(Stop("ann", "enough", bench.clock.now()))
            return await super().verify(arguments, preview, context)

    bench = Bench()
    bench.scale = Stopping(bench.cluster)
    bench.restarted()
    plan = steps(scaled(5, "web"), scaled(3, "api"))
    approval = await bench.approved(plan, tool="plan.carry_out")
    outcome = await bench.ask("plan.carry_out", plan, approval=approval)
    assert outcome.status == "failed"
    assert "NOT taken back" in outcome.summary
    assert bench.cluster.writes == [("web", 5)]


async def test_an_undo_that_would_change_something_else_is_not_done() -> None:
    class Elsewhere(Scale):
        async def preview(self, arguments, context):  # type: ignore[no-untyped-def]
            from dataclasses import replace

            from aiops.model.canonical import canonical
            from aiops.model.tool import Undo

            found = await super().preview(arguments, context)
            return replace(found, undo=Undo("kubernetes.scale", canonical(scaled(1, "api"))))

    bench = Bench()
    bench.scale = Elsewhere(bench.cluster)
    bench.restarted()
    bench.cluster.stuck.add("web")
    outcome = await bench.ask(approval=await bench.approved())
    assert outcome.status == "failed"
    assert "was not approved" in outcome.summary
    assert bench.cluster.writes == [("web", 4)]


async def test_a_plan_may_not_be_longer_than_is_set() -> None:
    bench = Bench().ruled(steps=1)
    outcome = await bench.ask("plan.carry_out", steps(scaled(5, "web"), scaled(3, "api")))
    assert (outcome.status, outcome.reason) == ("denied", "plan")


async def test_a_tool_that_cannot_be_looked_at_fails_the_whole_plan_before_it_begins() -> None:
    class Blind(Scale):
        async def preview(self, arguments, context):  # type: ignore[no-untyped-def]
            if arguments["name"] == "api":
                raise ToolFailed("unreachable", "the API does not answer")
            return await super().preview(arguments, context)

    bench = Bench()
    bench.scale = Blind(bench.cluster)
    bench.restarted()
    outcome = await bench.ask("plan.carry_out", steps(scaled(5, "web"), scaled(3, "api")))
    assert (outcome.status, outcome.reason) == ("failed", "unreachable")
    assert bench.cluster.writes == []
