"""A run whose process dies at any node is finished by another, and nothing is done twice."""

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from belt import mode, scaled
from runs import Died, World, dying, inquiry, timeless

from aiops.agents.checkpoints import checkpoints
from aiops.agents.graph import KeptRuns
from aiops.agents.shape import NODES
from aiops.errors import NotAllowed, NotKept
from aiops.model.report import Report


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Any]:
    with checkpoints(f"sqlite:///{tmp_path / 'aiops.db'}") as opened:
        yield opened


def all_of_it(world: World, process: KeptRuns) -> Report:
    """The run, begun or taken up, with its approvals given."""
    report = process("run-1", inquiry())
    if process.waits("run-1"):
        world.approve_all()
        report = process.resume("run-1", inquiry(), "responder")
    return report


def carried_through(world: World, saver: Any) -> Report:
    """The same, in a process that lives."""
    return all_of_it(world, world.process(saver))


def test_a_run_asks_acts_once_and_tells_how_it_went(saver: Any) -> None:
    world = World()
    report = carried_through(world, saver)
    assert report.verdict == "root_cause"
    assert report.root_causes[0].entity.name == "web"
    assert [(action.tool, action.state) for action in report.actions] == [
        ("kubernetes.scale", "done")
    ]
    assert report.verification is not None
    assert report.verification.outcome.startswith("worked")
    assert world.bench.cluster.writes == [("web", 4)]
    assert world.remembered["run-1"] == report


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("node", NODES)
def test_another_process_finishes_what_died_at(node: str, after: bool, saver: Any) -> None:
    untouched = World()
    expected = carried_through(untouched, saver)
    saver.delete_thread("run-1")

    world = World()
    doomed = world.process(saver, dying(node, after=after))
    with pytest.raises(Died):
        all_of_it(world, doomed)
    report = carried_through(world, saver)

    assert timeless(report) == timeless(expected)
    assert world.bench.cluster.writes == [("web", 4)]
    assert len(world.bench.approvals.listed()) == 1
    assert world.remembered == {"run-1": report}


def test_a_finished_run_is_not_begun_again(saver: Any) -> None:
    world = World()
    report = carried_through(world, saver)
    told = len(world.moments)
    assert world.process(saver)("run-1", inquiry()) == report
    assert len(world.moments) == told


def test_a_run_that_waits_says_so_and_waits_on_until_somebody_answers(saver: Any) -> None:
    world = World()
    process = world.process(saver)
    report = process("run-1", inquiry())
    assert [action.state for action in report.actions] == ["waits"]
    assert process.resume("run-1", inquiry(), "admin").actions == report.actions
    assert process.waits("run-1")
    assert world.bench.cluster.writes == []


def test_a_rejected_action_is_not_carried_out_and_the_report_says_so(saver: Any) -> None:
    world = World()
    process = world.process(saver)
    process("run-1", inquiry())
    (asked,) = world.bench.approvals.listed()
    assert world.bench.approvals.swap(asked, replace(asked, state="rejected"))
    report = process.resume("run-1", inquiry(), "responder")
    assert report.actions[0].state == "denied"
    assert "rejected" in report.actions[0].summary
    assert report.verification is None
    assert world.bench.cluster.writes == []


def test_an_action_that_a_worker_carried_out_meanwhile_is_not_carried_out_again(saver: Any) -> None:
    world = World()
    process = world.process(saver)
    process("run-1", inquiry())
    (asked,) = world.bench.approvals.listed()
    world.approve_all()
    by_worker = world.bench.ask(arguments=scaled(4), run="run-1", approval=asked.id, key="job-1")
    assert asyncio.run(by_worker).status == "done"
    report = process.resume("run-1", inquiry(), "responder")
    assert world.bench.cluster.writes == [("web", 4)]
    assert report.actions[0].state == "done"
    assert "4 of 4 are ready" in report.actions[0].summary
    assert report.verification is not None


def test_a_run_that_never_was_cannot_be_resumed(saver: Any) -> None:
    world = World()
    with pytest.raises(NotKept, match="no-such-run"):
        world.process(saver).resume("no-such-run", inquiry(), "admin")
    assert world.moments == []


def test_a_viewer_cannot_resume(saver: Any) -> None:
    world = World()
    process = world.process(saver)
    process("run-1", inquiry())
    world.approve_all()
    with pytest.raises(NotAllowed, match="viewer"):
        process.resume("run-1", inquiry(), "viewer")
    assert process.waits("run-1")
    assert world.bench.cluster.writes == []


def test_a_run_goes_on_once_everything_is_settled_and_not_before(saver: Any) -> None:
    world = World()
    process = world.process(saver)
    process("run-1", inquiry())
    assert process.go_on("run-1", inquiry()) is None
    world.approve_all()
    assert process.go_on("run-1", inquiry()) is None, "a worker has it"
    (asked,) = world.bench.approvals.listed()
    by_worker = world.bench.ask(arguments=scaled(4), run="run-1", approval=asked.id, key="job-1")
    assert asyncio.run(by_worker).status == "done"
    report = process.go_on("run-1", inquiry())
    assert report is not None
    assert report.actions[0].state == "done"
    assert process.go_on("run-1", inquiry()) == report, "asked again it is told again"


@pytest.mark.parametrize("node", ["approve", "execute", "check", "report", "remember"])
def test_a_run_whose_process_died_while_it_went_on_goes_on_in_another(
    node: str, saver: Any
) -> None:
    world = World()
    world.process(saver)("run-1", inquiry())
    (asked,) = world.bench.approvals.listed()
    assert world.bench.approvals.swap(asked, replace(asked, state="rejected"))
    with pytest.raises(Died):
        world.process(saver, dying(node, after=True)).go_on("run-1", inquiry())
    report = world.process(saver).go_on("run-1", inquiry())
    assert report is not None
    assert report.actions[0].state == "denied"
    assert world.remembered == {"run-1": report}


def test_people_who_choose_other_arguments_are_followed(saver: Any) -> None:
    world = World()
    process = world.process(saver)
    process("run-1", inquiry())
    (asked,) = world.bench.approvals.listed()
    smaller = asyncio.run(world.bench.ask(arguments=scaled(3), run="run-1"))
    assert smaller.approval is not None
    assert world.bench.approvals.swap(
        asked, replace(asked, state="superseded", superseded_by=smaller.approval)
    )
    assert process.go_on("run-1", inquiry()) is None
    world.approve_all()
    report = process.resume("run-1", inquiry(), "responder")
    assert world.bench.cluster.writes == [("web", 3)]
    assert report.actions[0].approval == smaller.approval
    assert "3" in report.actions[0].diff


def test_a_run_that_never_was_cannot_go_on(saver: Any) -> None:
    with pytest.raises(NotKept, match="no-such-run"):
        World().process(saver).go_on("no-such-run", inquiry())


def test_where_nothing_known_helps_the_report_says_so(saver: Any) -> None:
    process = replace(World().process(saver), proposer=lambda *_: ())
    report = process("run-1", inquiry())
    assert report.actions == ()
    assert any("No safe action is known for web" in note for note in report.notes)


def test_in_shadow_mode_it_is_noted_what_would_have_been_done(saver: Any) -> None:
    world = World()
    world.bench.restarted(mode("shadow"))
    report = world.process(saver)("run-1", inquiry())
    (action,) = report.actions
    assert (action.state, action.approval is not None) == ("shadowed", True)
    assert "4" in action.diff
    assert report.verification is None
    assert world.bench.cluster.writes == []
