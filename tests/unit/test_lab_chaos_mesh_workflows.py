"""Workflows of Chaos Mesh on the lab's API: a timetable of experiments."""

from math import inf

import pytest
from chaos_mesh_bench import EVERY, Chaos, resource

from aiops_lab.chaos_mesh.workflow import Template, Workflow, timetable


@pytest.fixture
def chaos() -> Chaos:
    return Chaos()


def template(name: str, kind: str, deadline_s: float = inf, *children: str) -> Template:
    return Template(name, kind, deadline_s, children)


def test_a_workflow_is_a_timetable() -> None:
    listed = [
        template("all", "Serial", inf, "first", "rest", "both"),
        template("first", "PodChaos", 10),
        template("rest", "Suspend", 5),
        template("both", "Parallel", 20, "short", "long"),
        template("short", "TimeChaos", 8),
        template("long", "DNSChaos", 60),
    ]
    steps, over = timetable(Workflow("all", {one.name: one for one in listed}))
    assert [(step.template.name, step.begins_s, step.ends_s) for step in steps] == [
        ("first", 0, 10),
        ("short", 15, 23),
        ("long", 15, 35),
    ]
    assert over == 35


def test_a_workflow_makes_and_deletes_its_experiments(chaos: Chaos) -> None:
    shift = {"timeOffset": "1h", **EVERY}
    chaos.apply(
        "Workflow",
        entry="all",
        templates=[
            {"name": "all", "templateType": "Serial", "deadline": "10m", "children": ["a", "b"]},
            {"name": "a", "templateType": "Suspend", "deadline": "10s"},
            {"name": "b", "templateType": "TimeChaos", "deadline": "20s", "timeChaos": shift},
        ],
    )
    assert not chaos.enactor.effects
    chaos.lab.forward(10)
    assert chaos.enactor.effects
    assert not chaos.conditions("Workflow")["Accomplished"]
    chaos.lab.forward(20)
    assert not chaos.enactor.effects
    assert chaos.lab.every(resource("TimeChaos")) == []
    assert chaos.conditions("Workflow")["Accomplished"]
    assert chaos.get("Workflow")["status"]["endTime"]


def test_deleting_a_workflow_takes_its_experiments_along(chaos: Chaos) -> None:
    shift = {"timeOffset": "1h", **EVERY}
    only = {"name": "b", "templateType": "TimeChaos", "deadline": "20s", "timeChaos": shift}
    chaos.apply("Workflow", entry="b", templates=[only])
    assert chaos.enactor.effects
    chaos.delete("Workflow")
    assert not chaos.enactor.effects


def test_a_workflow_with_a_task_is_stored_and_says_so(chaos: Chaos) -> None:
    task = {"name": "t", "templateType": "Task", "task": {"container": {"image": "x"}}}
    chaos.apply("Workflow", entry="t", templates=[task])
    assert not chaos.conditions("Workflow")["Scheduled"]
    assert "NotEnacted" in chaos.lab.reasons()
