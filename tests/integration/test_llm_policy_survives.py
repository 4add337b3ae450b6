"""A process that dies in a run with a model: another finishes it, and asks no answered question."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from advised import Torn, of_numbers, settings, verdict, wants
from runs import Died, World, inquiry, timeless
from scripted_model import Asked, Reply, scripted

from aiops.agents.checkpoints import checkpoints
from aiops.agents.crew import Crew
from aiops.agents.shape import NODES, Node
from aiops.agents.state import RunState, Step
from aiops.bootstrap.policies import budget_of, policy_of
from aiops.model.report import Report

ASKS = 4
"""Questions to the model in a run that nothing disturbs: two that want tools, one that says who it
was, and whether that holds of the numbers alone."""
ENTERED = {"plan": 4, "specialist": 3, "reconcile": 3}
"""How often, of nodes that are not entered once."""
NEVER = ("approve", "execute", "check")
"""Where nothing is proposed."""


@pytest.fixture
def saver(tmp_path: Path) -> Iterator[Any]:
    with checkpoints(f"sqlite:///{tmp_path / 'aiops.db'}") as opened:
        yield opened


def answering(asked: Asked) -> Reply:
    """By what it was told and nothing else, as a model does."""
    turns = sum(one["role"] == "assistant" for one in asked.body["messages"])
    last = verdict(2, ("web lost its pods", ["E2"]))
    return last if of_numbers(asked) else (wants("web"), wants("api"), last)[turns]


def dying_at(name: str, time: int, *, after: bool) -> Mapping[str, Node]:
    """The nodes, of which one kills its process the n-th time it is entered."""
    entered: list[str] = []

    def dies(state: RunState, crew: Crew) -> Step:
        entered.append(name)
        if len(entered) < time:
            return NODES[name](state, crew)
        if after:
            NODES[name](state, crew)
        raise Died(name)

    return {**NODES, name: dies}


def carried(world: World, saver: Any, url: str, nodes: Mapping[str, Node] = NODES) -> Report:
    chosen = settings(url)
    process = world.process(saver, nodes, policy=policy_of(chosen), budget=budget_of(chosen))
    return replace(process, proposer=None)("run-1", inquiry(Torn()))


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize(
    ("node", "time"),
    [
        (name, time)
        for name in NODES
        if name not in NEVER
        for time in range(1, ENTERED.get(name, 1) + 1)
    ],
)
def test_no_answer_of_a_model_that_was_kept_is_asked_for_again(
    node: str, time: int, after: bool, saver: Any
) -> None:
    with scripted(answering) as model:
        expected = carried(World(), saver, model.url)
        saver.delete_thread("run-1")
        assert len(model.asked) == ASKS
        world = World()
        with pytest.raises(Died):
            carried(world, saver, model.url, dying_at(node, time, after=after))
        report = carried(world, saver, model.url)
        unwritten = (0, 0, 1, 1, 2)[time] if after and node == "plan" else 0
        assert len(model.asked) == 2 * ASKS + unwritten
    assert timeless(report) == timeless(expected)
    assert report.root_causes[0].entity.name == "web"
    assert report.usage.llm_calls == ASKS
    assert world.bench.get.reads == 2
