"""A run is written down and can be run again from what was written, to the byte."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from belt import NOON
from hypothesis import given, settings
from hypothesis import strategies as st
from runs import World, inquiry

from aiops.agents.checkpoints import checkpoints
from aiops.agents.crew import RunBudget
from aiops.agents.inline import InlineRuns
from aiops.agents.policies.deterministic import Deterministic
from aiops.agents.trajectory.chat import chat_of
from aiops.agents.trajectory.fingerprint import fingerprint
from aiops.agents.trajectory.recording import Recording
from aiops.agents.trajectory.replaying import NotInTrajectory, ReplayDiffers, Replaying
from aiops.agents.trajectory.steps import Answered, Made, Step, Trajectory
from aiops.app.rendering.as_json import dumps
from aiops.bootstrap.trajectories import replayed
from aiops.errors import InvalidInput
from aiops.model import CaseData
from aiops.model.report import Report
from aiops.model.run import Moment, Proposal
from aiops.model.tool import Caller, Outcome, ToolCall
from aiops.store.clock import ManualClock
from aiops.store.trajectory import TrajectoryFile, line_of, read_trajectory, step_of
from aiops_datasets.synthetic import plant, specified

MADE = Made((("aiops", "0"),), "scripted", 0, 5)


class Ticking(ManualClock):
    """Every look at it takes a second."""

    def now(self) -> datetime:
        self.advance(1)
        return super().now()


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[..., Trajectory]:
    """A run that asks a tool, written down and read again."""

    def run(budget: RunBudget | None = None) -> Trajectory:
        world, path = World(), tmp_path / "run.jsonl"
        with path.open("w") as file:
            recording = Recording(TrajectoryFile(path, file).put, MADE)
            runs = InlineRuns(
                Ticking(NOON),
                budget=budget or RunBudget(),
                belt=world.belt(),
                watch=recording.moment,
                record=recording.record,
            )
            recording.ended(dumps(runs("run-1", inquiry())))
        return read_trajectory(path)

    return run


def test_a_replay_asks_nobody_and_comes_to_the_same_bytes(
    recorded: Callable[..., Trajectory],
) -> None:
    trajectory = recorded()
    assert [each.call.tool for each in trajectory.answers] == ["kubernetes.events"] * 2
    again = replayed(trajectory, inquiry(), Deterministic())
    assert dumps(again) == trajectory.report
    assert any(item.source == "tools" for item in again.evidence)


def test_a_replay_stops_where_the_clock_stopped_the_recorded_run(
    recorded: Callable[..., Trajectory],
) -> None:
    trajectory = recorded(RunBudget(seconds=4))
    again = replayed(trajectory, inquiry(), Deterministic())
    assert dumps(again) == trajectory.report


def test_a_call_that_was_not_recorded_fails_and_is_named(
    recorded: Callable[..., Trajectory],
) -> None:
    trajectory = recorded()
    first = trajectory.answers[0]
    cut = replace(trajectory, steps=tuple(s for s in trajectory.steps if s is not first))
    with pytest.raises(NotInTrajectory, match=r"kubernetes\.events .* not at all"):
        replayed(cut, inquiry(), Deterministic())


def test_each_recorded_answer_is_given_once(recorded: Callable[..., Trajectory]) -> None:
    trajectory = recorded()
    doors, call = Replaying(trajectory), trajectory.answers[0].call
    assert doors.ask(call) == trajectory.answers[0].outcome
    with pytest.raises(NotInTrajectory, match="only 1 times"):
        doors.ask(call)


def test_a_replay_of_another_case_is_refused(recorded: Callable[..., Trajectory]) -> None:
    other = replace(
        inquiry(),
        gather=lambda at: replace(
            found := inquiry().gather(at), case=replace(found.case, notes=("another",))
        ),
    )
    with pytest.raises(InvalidInput, match="not the case of the trajectory"):
        replayed(recorded(), other, Deterministic())


def test_a_replay_that_comes_to_another_report_says_in_what_it_differs(
    recorded: Callable[..., Trajectory],
) -> None:
    trajectory = recorded()
    assert trajectory.report is not None
    changed = trajectory.report.replace('"schema"', '"Schema"').replace("root_cause", "healthy", 1)
    swapped = tuple(
        replace(step, report=changed) if hasattr(step, "report") else step
        for step in trajectory.steps
    )
    with pytest.raises(ReplayDiffers, match="first in"):
        replayed(replace(trajectory, steps=swapped), inquiry(), Deterministic())


def test_a_step_that_was_changed_afterwards_is_refused() -> None:
    line = line_of(Moment("run-1", NOON, "plan", "plan", "metrics asks"))
    with pytest.raises(InvalidInput, match="line 3 of the trajectory was changed"):
        step_of(line.replace("metrics", "traces"), 3)


@pytest.mark.parametrize("text", ["", "{}\n", "no json\n", '{"step":"report"}\n'])
def test_what_is_no_trajectory_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "run.jsonl"
    path.write_text(text)
    with pytest.raises(InvalidInput, match=r"run\.jsonl"):
        read_trajectory(path)


_TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_MOMENTS = st.builds(
    Moment,
    _TEXTS,
    st.datetimes(timezones=st.just(UTC)),
    _TEXTS,
    st.sampled_from(["plan", "call", "finding"]),
    _TEXTS,
    st.none() | _TEXTS,
)
_CALLERS = st.builds(Caller, _TEXTS, st.just("probe"), _TEXTS)
_ANSWERS = st.builds(
    Answered,
    st.builds(ToolCall, _TEXTS, _TEXTS, _TEXTS, _CALLERS, _TEXTS),
    st.builds(Outcome, _TEXTS, st.sampled_from(["done", "failed"]), _TEXTS, st.none() | _TEXTS),
    st.datetimes(timezones=st.just(UTC)),
)


@given(st.one_of(_MOMENTS, _ANSWERS))
@settings(max_examples=60, deadline=None)
def test_any_step_is_one_line_and_reads_back_as_it_was(step: Step) -> None:
    line = line_of(step)
    assert "\n" not in line
    assert step_of(line, 1) == step


def test_cases_have_one_fingerprint_where_they_are_equal_and_two_where_anything_differs() -> None:
    case = plant(specified("synthetic:7:cpu")).data
    table = case.window.metrics
    assert table is not None
    moved = table.values.copy()
    moved[3, 1] = np.nextafter(moved[3, 1], np.inf)
    windows = [
        replace(case.window, metrics=replace(table, values=moved)),
        replace(case.window, start=case.window.start - timedelta(seconds=1)),
        replace(case.window, graph=None),
    ]
    assert fingerprint(case) == fingerprint(plant(specified("synthetic:7:cpu")).data)
    prints = {fingerprint(replace(case, window=window)) for window in windows}
    assert len({fingerprint(case), *prints}) == 4


def test_every_line_carries_the_checksum_of_its_content(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with path.open("w") as file:
        TrajectoryFile(path, file).put(Moment("run-1", NOON, "plan", "plan", "a\nb"))
    (line,) = path.read_text().splitlines()
    assert len(json.loads(line)["sha256"]) == 64


def test_a_run_is_exported_as_a_conversation_with_tools(
    recorded: Callable[..., Trajectory],
) -> None:
    trajectory = recorded()
    chat = json.loads(chat_of(trajectory))
    roles = [message["role"] for message in chat["messages"]]
    assert roles == ["system", "user", *["assistant", "tool"] * 2, "assistant"]
    first, answer = chat["messages"][2:4]
    assert first["tool_calls"][0]["function"]["name"] == "kubernetes_events"
    assert answer["tool_call_id"] == first["tool_calls"][0]["id"]
    assert json.loads(answer["content"]) == {"events": 3}
    assert chat["messages"][-1]["content"] == json.loads(trajectory.report or "")["summary"]
    offered = {tool["function"]["name"] for tool in chat["tools"]}
    assert {"kubernetes_events", "kubernetes_scale"} <= offered


def test_a_run_that_was_cut_off_teaches_nothing(recorded: Callable[..., Trajectory]) -> None:
    whole = recorded()
    with pytest.raises(InvalidInput, match="no report to learn from"):
        chat_of(replace(whole, steps=whole.steps[:-1]))


@pytest.mark.parametrize("approved", [False, True])
def test_what_was_proposed_stands_in_the_replay_as_it_stood_and_is_not_done_again(
    approved: bool, tmp_path: Path
) -> None:
    world, path = World(), tmp_path / "run.jsonl"
    with path.open("w") as file, checkpoints("sqlite:///") as saver:
        recording = Recording(TrajectoryFile(path, file).put, MADE)
        process = replace(world.process(saver), watch=recording.moment, record=recording.record)
        report = process("run-1", inquiry(), "inc-1")
        if approved:
            world.approve_all()
            report = process.resume("run-1", inquiry(), "responder", "inc-1")
        recording.ended(dumps(report))
    done = list(world.bench.cluster.writes)
    assert bool(done) == approved
    trajectory = read_trajectory(path)
    again = replayed(trajectory, inquiry(), Deterministic())
    assert dumps(again) == trajectory.report
    assert [action.tool for action in again.actions] == ["kubernetes.scale"]
    assert world.bench.cluster.writes == done


def _nothing(case: CaseData, report: Report) -> tuple[Proposal, ...]:
    return ()


def test_that_nothing_is_known_to_help_is_said_again(tmp_path: Path) -> None:
    world, path = World(), tmp_path / "run.jsonl"
    with path.open("w") as file, checkpoints("sqlite:///") as saver:
        recording = Recording(TrajectoryFile(path, file).put, MADE)
        process = replace(
            world.process(saver),
            proposer=_nothing,
            watch=recording.moment,
            record=recording.record,
        )
        recording.ended(dumps(process("run-1", inquiry(), "inc-1")))
    trajectory = read_trajectory(path)
    assert "No safe action is known" in str(trajectory.report)
    assert dumps(replayed(trajectory, inquiry(), Deterministic())) == trajectory.report
