"""Who is sent, how they work together, and that whoever only looks cannot change anything."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from belt import NOON, scaled, spec
from runs import API, WEB, World, inquiry

from aiops.agents.checkpoints import checkpoints
from aiops.agents.policies.deterministic import Deterministic
from aiops.agents.policies.policy import Known, Plan, Question, Task
from aiops.agents.policies.topology import topology_of
from aiops.model import CaseData, Entity, Ranking, ServiceGraph, SpanTable, Suspect
from aiops.model.canonical import canonical, parsed
from aiops.model.case import TelemetryWindow, Trigger
from aiops.model.graph import Call
from aiops.model.run import SPECIALISTS, Shortlist
from aiops.model.tool import ToolSpec

PLACE = canonical(
    {
        "type": "object",
        "properties": {
            "cluster": {"type": "string", "format": "cluster", "pattern": "^(aws|gcp):"},
            "about": {"type": "string"},
        },
        "required": ["cluster"],
    }
)


def known(
    *suspects: Entity,
    tools: Sequence[ToolSpec] = (),
    spans: SpanTable | None = None,
    graph: ServiceGraph | None = None,
) -> Known:
    window = TelemetryWindow(NOON, NOON.replace(hour=13), spans=spans, graph=graph)
    ranking = Ranking("root_cause", tuple(Suspect(one, None, 1.0, 0.4) for one in suspects))
    case = CaseData("case-1", window, Trigger(NOON))
    return Known(case, Shortlist(ranking), tuple(tools))


def spans(*services: str) -> SpanTable:
    texts = np.array([f"s{i}" for i in range(len(services))], dtype=object)
    numbers = np.arange(len(services), dtype=np.float64)
    kinds = np.arange(len(services), dtype=np.int32)
    return SpanTable(
        trace_ids=texts,
        span_ids=texts,
        parent_ids=np.full(len(services), "", dtype=object),
        services=services,
        service_of=kinds,
        operations=("do",),
        operation_of=kinds * 0,
        starts=numbers,
        durations=numbers,
    )


def test_a_suspect_in_a_cloud_is_asked_about_there() -> None:
    there = Entity("service", "web", cluster="aws:123456789012/eu-west-1")
    plan = Deterministic().plan(known(there, tools=[spec("aws.changes", PLACE)]))
    assert [task.specialist for task in plan.tasks] == ["cloud"]
    (question,) = plan.tasks[0].questions
    assert parsed(question.arguments) == {"cluster": "aws:123456789012/eu-west-1"}


def test_no_cloud_is_asked_about_what_runs_in_a_cluster() -> None:
    plan = Deterministic().plan(known(WEB, API, tools=[spec("gcp.changes", PLACE)]))
    assert plan.tasks == ()


def test_a_pattern_that_python_cannot_read_is_left_to_the_gateway() -> None:
    odd = PLACE.replace("^(aws|gcp):", "\\\\p{L}")
    plan = Deterministic().plan(known(WEB, tools=[spec("aws.changes", odd)]))
    assert [task.specialist for task in plan.tasks] == ["cloud"]


def test_specialists_read_in_one_order() -> None:
    assert SPECIALISTS[-3:] == ("cloud", "changes", "past_incidents")


CALLS = ServiceGraph((WEB, API), (Call(WEB, API),))


@pytest.mark.parametrize(
    ("spoken", "graph", "expected"),
    [
        (("web", "api"), CALLS, "recursive"),
        (("web", "api"), ServiceGraph((WEB, API), ()), "parallel"),
        (("web", "api"), None, "recursive"),
        (("web",), None, "parallel"),
        ((), CALLS, "parallel"),
    ],
)
def test_suspects_on_one_path_of_calls_are_told_apart_by_following_requests(
    spoken: tuple[str, ...], graph: ServiceGraph | None, expected: str
) -> None:
    seen = known(WEB, API, spans=spans(*spoken), graph=graph)
    assert topology_of(seen, asks_for_all=False) == expected


def test_where_all_has_to_be_asked_for_one_answer_says_what_to_ask_next() -> None:
    assert topology_of(known(WEB, API), asks_for_all=True) == "sequential"


def test_of_a_healthy_system_no_request_is_followed() -> None:
    seen = known(WEB, API, spans=spans("web", "api"), graph=CALLS)
    healthy = replace(seen.shortlist, ranking=replace(seen.shortlist.ranking, verdict="healthy"))
    assert topology_of(replace(seen, shortlist=healthy), asks_for_all=False) == "parallel"


class Meddling(Deterministic):
    """A policy that sends a specialist to write."""

    def plan(self, known: Known) -> Plan:
        if known.turn:
            return Plan()
        write = Question("kubernetes.scale", canonical(scaled(9)), "web")
        return Plan((Task("kubernetes", (write,)),))


def test_a_specialist_cannot_write_even_if_it_asks_to() -> None:
    world = World()
    with checkpoints("sqlite:///") as saver:
        process = replace(world.process(saver), policy=Meddling(), proposer=None)
        report = process("run-1", inquiry())
    assert world.bench.cluster.writes == []
    assert world.bench.approvals.listed(("pending",)) == ()
    (failed,) = [step for step in report.failed_steps if step.step.startswith("kubernetes.scale")]
    assert "executor" in failed.reason
