"""A run is scored by where the cause ranks, whether it was looked at, and wasted calls."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from belt import NOON

from aiops.agents.trajectory.steps import Answered, Begun, Ended, Header, Made, Trajectory
from aiops.errors import InvalidInput
from aiops.model import Entity, FaultType
from aiops.model.canonical import canonical
from aiops.model.tool import Caller, Outcome, OutcomeStatus, ToolCall
from aiops_datasets.case import Answers
from aiops_evals.trajectory_score import score

HEADER = Header(Begun("run-1", "deterministic", NOON, "0" * 64), Made((), "aiops", 0, 5))


def answers(*names: str) -> Answers:
    causes = tuple(Entity("service", name) for name in names)
    return Answers(causes, (), False, None, FaultType.CPU, "cpu", "exact")


def entity(name: str) -> dict[str, Any]:
    return {"entity": {"kind": "service", "name": name, "service": None}}


def called(tool: str, about: str, status: OutcomeStatus = "done") -> Answered:
    call = ToolCall("c", tool, canonical({"name": about}), Caller("logs", "probe", "run-1"), "c")
    return Answered(call, Outcome("c", status, ""), NOON)


def run(
    causes: Sequence[str] = (), calls: Sequence[Answered] = (), verdict: str = "root_cause"
) -> Trajectory:
    report = {
        "verdict": verdict,
        "root_causes": [entity(name) for name in causes],
        "ruled_out": [],
        "propagation": [],
    }
    return Trajectory(HEADER, (*calls, Ended(json.dumps(report))))


@pytest.mark.parametrize(
    ("ranked", "reward"),
    [(["a", "b"], 1.0), (["b", "a"], 0.5), (["b", "b", "a"], 0.5), (["b", "c"], 0.0), ([], 0.0)],
)
def test_the_reward_falls_with_the_rank_and_a_miss_gets_none(
    ranked: list[str], reward: float
) -> None:
    assert score(run(ranked), answers("a")).rank == reward


def test_any_of_several_causes_counts() -> None:
    assert score(run(["b"]), answers("a", "b")).rank == 1.0


def test_a_cause_that_was_asked_about_and_missed_is_still_on_the_path() -> None:
    looked = score(run(["b"], [called("logs.search", "a")]), answers("a"))
    assert (looked.rank, looked.on_path, looked.total) == (0.0, True, pytest.approx(0.2))


def test_refused_and_repeated_calls_are_penalised() -> None:
    calls = [called("x", "a"), called("x", "a"), called("y", "a", "denied"), called("z", "a")]
    wasteful = score(run(["a"], calls), answers("a"))
    assert (wasteful.invalid, wasteful.duplicates, wasteful.wasted) == (1, 1, 0.5)
    assert wasteful.total == pytest.approx(1 + 0.2 - 0.1)


@pytest.mark.parametrize(("verdict", "reward"), [("healthy", 1.0), ("root_cause", 0.0)])
def test_where_nothing_is_at_fault_accusing_nobody_is_right(verdict: str, reward: float) -> None:
    assert score(run(["a"], verdict=verdict), answers()).rank == reward


def test_a_run_without_a_report_is_not_scored() -> None:
    with pytest.raises(InvalidInput, match="no report"):
        score(Trajectory(HEADER, ()), answers("a"))
