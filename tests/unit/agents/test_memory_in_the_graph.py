"""What is remembered comes to mind in the next run, and decides nothing there."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from belt import NOON

from aiops.agents.inline import InlineRuns
from aiops.agents.memory.likeness import Recollection
from aiops.agents.memory.recalling import Recall, Recalling
from aiops.agents.memory.remembering import Remembering
from aiops.agents.policies.deterministic import Deterministic
from aiops.agents.trajectory.recording import Recording
from aiops.agents.trajectory.steps import Made
from aiops.analyze.explain import explain
from aiops.app.investigate import CaseInquiry
from aiops.app.rendering.as_json import dumps
from aiops.bootstrap import default_analyzer
from aiops.bootstrap.trajectories import replayed
from aiops.model import Entity, FaultType
from aiops.model.memory import PastIncident
from aiops.model.report import Report
from aiops.model.run import Collected
from aiops.store.clock import ManualClock
from aiops.store.memories import MemoryMemories
from aiops.store.trajectory import TrajectoryFile, read_trajectory
from aiops_datasets.synthetic import plant, specified

CPU, ANOTHER = "synthetic:7:cpu", "synthetic:8:cpu"


def about(spec: str) -> CaseInquiry:
    case = plant(specified(spec)).data
    return CaseInquiry(lambda _: Collected(case), default_analyzer(), explain)


def run(spec: str, recall: Recall | None = None) -> Report:
    return InlineRuns(ManualClock(NOON), recall=recall)("run-1", about(spec), "inc-now")


@pytest.fixture(scope="module")
def alone() -> Report:
    """Without any memory."""
    return run(CPU)


def recalling(*past: PastIncident, incident: str = "inc-now") -> Recalling:
    memory = MemoryMemories()
    for one in past:
        memory.remember(one)
    verdicts = {one.incident: one.verdict for one in past}
    return Recalling(memory, incident, verdicts.__getitem__)


def remembered(report: Report) -> PastIncident:
    memory = MemoryMemories()
    Remembering(memory, ManualClock(NOON), "inc-then")(report, [], "run-then")
    return memory.get("run-then")


def test_the_twin_of_an_incident_is_said_to_have_been_seen_before(alone: Report) -> None:
    then = remembered(run(ANOTHER))
    report = run(CPU, recalling(then))
    (seen,) = [item for item in report.evidence if item.kind == "incident"]
    assert "Seen before: incident inc-then of 2026-11-20" in seen.claim
    assert "which nobody confirmed" in seen.claim
    assert seen.claim in report.notes
    assert seen.id in report.root_causes[0].evidence
    assert report.root_causes[0].entity == alone.root_causes[0].entity


def test_an_earlier_look_at_the_same_incident_is_no_memory_of_another(alone: Report) -> None:
    then = remembered(alone)
    report = run(CPU, recalling(then, incident=then.incident))
    assert dumps(replace(report, timings=alone.timings)) == dumps(alone)


def test_any_number_of_poisoned_memories_changes_neither_the_verdict_nor_who_is_first(
    alone: Report,
) -> None:
    then = remembered(alone)
    bystander = alone.root_causes[1]
    lies = [
        replace(
            then,
            id=f"lie-{n}",
            incident=f"inc-{n}",
            cause=bystander.entity,
            fault=bystander.fault_type,
            verdict="confirmed",
        )
        for n in range(30)
    ]
    report = run(CPU, recalling(*lies))
    assert any(item.kind == "incident" for item in report.evidence)
    assert report.verdict == alone.verdict
    assert report.root_causes[0].entity == alone.root_causes[0].entity


def test_a_memory_accuses_nobody_who_shows_nothing(alone: Report) -> None:
    then = remembered(alone)
    lie = replace(then, id="lie", incident="inc-1", cause=Entity("service", "nobody-here"))
    report = run(CPU, recalling(replace(lie, fault=FaultType.CERTIFICATE, verdict="confirmed")))
    named = [cause.entity.name for cause in report.root_causes]
    assert named == [cause.entity.name for cause in alone.root_causes]


def test_a_replay_recalls_what_was_recalled_then(alone: Report, tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl"
    with path.open("w") as file:
        recording = Recording(TrajectoryFile(path, file).put, Made((), "aiops", 0, 5))
        runs = InlineRuns(
            ManualClock(NOON),
            watch=recording.moment,
            record=recording.record,
            recall=recalling(remembered(alone)),
        )
        recording.ended(dumps(runs("run-1", about(CPU), "inc-now")))
    trajectory = read_trajectory(path)
    assert dumps(replayed(trajectory, about(CPU), Deterministic())) == trajectory.report


def test_memory_is_asked_once_in_a_run(alone: Report) -> None:
    asked: list[Report] = []

    def recall(report: Report) -> Sequence[Recollection]:
        asked.append(report)
        return ()

    report = run(CPU, recall)
    assert [one.verdict for one in asked] == ["root_cause"]
    assert report.evidence == alone.evidence
