"""The graph's nodes: the same report on either engine, rounds that end, budgets that are honest."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from runs import EVENTS, World, inquiry, timeless

from aiops import plugins
from aiops.agents.checkpoints import checkpoints
from aiops.agents.crew import Crew, RunBudget
from aiops.agents.graph import KeptRuns
from aiops.agents.inline import InlineRuns
from aiops.agents.policies.named import named
from aiops.agents.shape import EXITS, FIRST, NODES, Node
from aiops.agents.state import Branch, RunState, Step
from aiops.analyze.explain import explain
from aiops.app.investigate import CaseInquiry, investigate
from aiops.errors import UnknownName, WrongState
from aiops.model import CaseData, Ranking, Suspect
from aiops.model.run import Collected
from aiops.store.clock import SystemClock
from aiops.store.repositories import MemoryBlobs
from aiops.store.shelf import BlobShelf
from aiops_datasets.synthetic import plant, specified


class NeverSure:
    """Suspects another one each time it is asked."""

    name = "unsure"

    def __init__(self) -> None:
        self.asked = 0

    def rank(self, case: CaseData, *, seed: int = 0) -> Ranking:
        from runs import API, WEB

        self.asked += 1
        first = WEB if self.asked % 2 else API
        return Ranking("root_cause", (Suspect(replace(first, name=f"s{self.asked}"), None, 1.0),))


@pytest.mark.parametrize(
    "spec", ["synthetic:7:network_delay", "synthetic:3", "synthetic:11:cpu", "synthetic:5:healthy"]
)
def test_either_engine_reports_what_the_analyzers_do(spec: str, tmp_path: Path) -> None:
    case, analyzer = plant(specified(spec)).data, plugins.analyzer("aiops")
    asked = CaseInquiry(lambda _: Collected(case), analyzer, explain)
    alone = timeless(investigate(case, analyzer, explain=explain))
    assert timeless(InlineRuns(SystemClock())("run-1", asked)) == alone
    with checkpoints(f"sqlite:///{tmp_path / 'aiops.db'}") as saver:
        kept = KeptRuns(saver, BlobShelf(MemoryBlobs()), SystemClock())
        assert timeless(kept("run-1", asked)) == alone


def test_every_step_goes_where_the_picture_says() -> None:
    went: dict[str, set[str]] = {name: set() for name in NODES}

    def watched(name: str, node: Node) -> Node:
        def enter(state: RunState, crew: Crew) -> Step:
            step = node(state, crew)
            went[name] |= {to.node if isinstance(to, Branch) else to for to in step.to}
            return step

        return enter

    nodes = {name: watched(name, node) for name, node in NODES.items()}
    with checkpoints("sqlite:///") as saver:
        world = World()
        process = world.process(saver, nodes)
        process("run-1", inquiry())
        world.approve_all()
        process.resume("run-1", inquiry(), "responder")
    assert FIRST in NODES
    assert EXITS.keys() == NODES.keys()
    for name, exits in went.items():
        assert exits <= set(EXITS[name])
        assert bool(exits) == bool(EXITS[name])


def test_a_second_round_needs_an_answer_that_moved_the_first_suspect() -> None:
    world = World()
    with checkpoints("sqlite:///") as saver:
        world.process(saver)("run-1", inquiry())
    plans = [moment.text for moment in world.moments if moment.kind == "plan"]
    assert plans == [f"parallel: kubernetes asks {EVENTS}"]
    assert world.events.reads == 2  # one about each of the first two suspects


@pytest.mark.parametrize(
    ("budget", "said"),
    [(RunBudget(turns=2), "2 rounds"), (RunBudget(calls=2), "2 tool calls")],
)
def test_a_spent_budget_is_said_and_nobody_is_accused(budget: RunBudget, said: str) -> None:
    world = World()
    with checkpoints("sqlite:///") as saver:
        process = world.process(saver, budget=budget)
        report = replace(process, proposer=None)("run-1", inquiry(NeverSure()))
    assert report.verdict == "inconclusive"
    assert report.usage.stopped_by == said
    assert any("stopped by the budget" in note for note in report.notes)
    assert world.events.reads <= budget.calls


def test_answers_of_tools_are_cited_by_whom_they_are_about() -> None:
    world = World()
    with checkpoints("sqlite:///") as saver:
        report = world.process(saver)("run-1", inquiry())
    about = {item.id: item.claim for item in report.evidence if item.kind == "tool"}
    assert len(about) == 2
    for cause in report.root_causes:
        cited = [about[ref] for ref in cause.evidence if ref in about]
        assert cited == [f"Asked about {cause.entity.name}: 3 events"]


def test_a_tool_that_fails_is_a_failed_step_and_the_report_is_made() -> None:
    from aiops.errors import ToolFailed

    def fails(asked: Any) -> Any:
        raise ToolFailed("unreachable", "the cluster does not answer")

    world = World()
    world.events.answer = fails
    with checkpoints("sqlite:///") as saver:
        report = replace(world.process(saver), proposer=None)("run-1", inquiry())
    assert report.verdict == "inconclusive"
    assert any("does not answer" in step.reason for step in report.failed_steps)


def test_the_state_holds_plain_values_only() -> None:
    world = World()
    with checkpoints("sqlite:///") as saver:
        world.process(saver)("run-1", inquiry())
        state = saver.get({"configurable": {"thread_id": "run-1"}})["channel_values"]  # type: ignore[index]
    for name in RunState.__annotations__.keys() & state.keys():
        value = state[name]
        assert isinstance(value, str | int) or all(isinstance(each, str) for each in value)


def test_a_run_in_this_thread_cannot_wait_for_people() -> None:
    from runs import scale_web

    from aiops.agents.inline import walk
    from aiops.agents.shelf import MemoryShelf

    world = World()
    crew = Crew(
        "run-1",
        inquiry(),
        MemoryShelf(),
        named("deterministic"),
        world.bench.clock,
        belt=world.belt(),
        proposer=scale_web,
    )
    with pytest.raises(WrongState, match="waits for"):
        walk(crew)


def test_an_unknown_policy_is_refused_with_the_choices() -> None:
    with pytest.raises(UnknownName, match="deterministic"):
        named("oracle")
