"""A run with a model and tools is replayed from its trajectory alone, failures included."""

from pathlib import Path

import pytest
from advised import Torn, settings, verdict, wants
from belt import NOON
from runs import World, inquiry
from scripted_model import Reply, fails, scripted

from aiops.agents.inline import InlineRuns
from aiops.agents.trajectory.recording import Recording
from aiops.agents.trajectory.steps import Trajectory
from aiops.app.rendering.as_json import dumps
from aiops.bootstrap.policies import budget_of, policy_of
from aiops.bootstrap.trajectories import made_by, replayed
from aiops.llm.recorded import NotRecorded
from aiops.llm.tape import MemoryTape
from aiops.settings import Settings
from aiops.store.clock import ManualClock
from aiops.store.trajectory import TrajectoryFile, read_trajectory

NOWHERE = "http://127.0.0.1:9/v1"
"""Whoever is asked there does not answer."""


def recorded(path: Path, chosen: Settings) -> Trajectory:
    """One run with every tool of the small cluster."""
    with path.open("w") as file:
        recording = Recording(TrajectoryFile(path, file).put, made_by(chosen))
        runs = InlineRuns(
            ManualClock(NOON),
            policy_of(chosen, record=recording),
            budget_of(chosen),
            recording.moment,
            World().belt(),
            recording.record,
        )
        recording.ended(dumps(runs("run-1", inquiry(Torn()))))
    return read_trajectory(path)


@pytest.mark.parametrize(
    "script",
    [
        (wants("web"), wants("api"), verdict(2, ("web lost its pods", ["E2"]))),
        (wants("web"), verdict(1, ("it is", ["E99"])), verdict(1, ("it restarted", ["E1"]))),
        (wants("web"), fails(500)),
    ],
)
def test_a_replay_with_a_model_asks_nobody_and_comes_to_the_same_bytes(
    script: tuple[Reply, ...], tmp_path: Path
) -> None:
    with scripted(*script) as model:
        chosen = settings(model.url)
        trajectory = recorded(tmp_path / "run.jsonl", chosen)
        assert model.asked
    policy = policy_of(settings(NOWHERE), replay=MemoryTape(trajectory.outcomes))
    again = replayed(trajectory, inquiry(Torn()), policy, budget_of(chosen))
    assert dumps(again) == trajectory.report


def test_a_question_that_was_not_recorded_fails_loudly(tmp_path: Path) -> None:
    with scripted(wants("web"), verdict(1, ("it restarted", ["E1"]))) as model:
        chosen = settings(model.url)
        trajectory = recorded(tmp_path / "run.jsonl", chosen)
    policy = policy_of(settings(NOWHERE), replay=MemoryTape(trajectory.outcomes[:1]))
    with pytest.raises(NotRecorded, match="not at all"):
        replayed(trajectory, inquiry(Torn()), policy, budget_of(chosen))
