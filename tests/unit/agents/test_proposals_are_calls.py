"""Whatever is broken, a proposal is a call that its tool takes, on an object that was seen."""

import json
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, cast

from clusters import Api, deployment, event, meta, node, pod, service
from damaged import WRITES, cause, proposals, version
from hypothesis import given
from hypothesis import strategies as st

from aiops.agents.proposing.proposer import MOST, PLAN, Place
from aiops.model import FaultType
from aiops.model.run import Proposal
from aiops_tools.kubernetes.actions import actions
from aiops_tools.kubernetes.actions.editing import Editing
from aiops_tools.kubernetes.writer import Writer

NAMES = ("web", "cart", "web-old")
HERE, THERE = "shop", "elsewhere"


@dataclass
class Nowhere:
    cluster: str = "lab"


TOOLS = {
    tool.spec.name: tool
    for tool in actions("kubernetes", Writer(cast("Any", Nowhere())))
    if isinstance(tool, Editing)
}
PLACES = (Place("kubernetes", "lab"), Place("other", "eu"))
BOTH = WRITES | {name.replace("kubernetes.", "other.") for name in WRITES}

words = st.sampled_from(("web", "cart", "web-old", "cart_1", "", "x", "http://web:81", "web:9"))
numbers = st.integers(0, 30)


@st.composite
def workloads(draw: st.DrawFn, name: str) -> list[Api]:
    """A deployment with what hangs on it, each piece sound or not."""
    container: Api = {
        "env": [{"name": "WEB_URL", "value": draw(words)}],
        "envFrom": [{"configMapRef": {"name": f"{name}-config"}}],
        "ports": [{"containerPort": draw(st.sampled_from((80, 8080, 9090))), "name": "http"}],
        "resources": {"limits": draw(st.sampled_from(({}, {"cpu": "1"}, {"memory": "1Gi"})))},
    }
    made = deployment(name, draw(numbers), draw(numbers), container=container)
    made["spec"]["paused"] = draw(st.integers(0, 9)) == 0
    reason = draw(st.sampled_from(("ProgressDeadlineExceeded", "NewReplicaSetAvailable")))
    made["status"]["conditions"] = [{"type": "Progressing", "status": "False", "reason": reason}]
    ages = draw(st.lists(st.integers(0, 9000), min_size=1, max_size=3))
    versions = [
        version(name, number, age, draw(numbers), f"{name}:{draw(st.integers(1, 2))}")
        for number, age in enumerate(ages, 1)
    ]
    scaler = {
        "kind": "HorizontalPodAutoscaler",
        "metadata": meta(name),
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": name},
            "minReplicas": 1,
            "maxReplicas": draw(st.integers(1, 30)),
        },
        "status": {"currentReplicas": draw(numbers), "desiredReplicas": draw(numbers)},
    }
    config = {"kind": "ConfigMap", "metadata": meta(f"{name}-config"), "data": {"URL": draw(words)}}
    said = f"Scaled down replica set {name}-1 to {draw(numbers)} from {draw(numbers)}"
    happened = event("Deployment", name, "ScalingReplicaSet", said, draw(st.integers(0, 9000)))
    ports = [{"port": 80, "targetPort": draw(st.sampled_from((80, 8080, "http", "htp")))}]
    behind = service(name, selector={"app": draw(st.sampled_from((*NAMES, "nobody")))}, ports=ports)
    pods = [pod(name, node=draw(st.sampled_from(("", "n1"))))]
    some = [scaler, config, happened, behind, *pods]
    return [made, *versions, *draw(st.lists(st.sampled_from(some), unique_by=id))]


@st.composite
def clusters(draw: st.DrawFn) -> list[Api]:
    """The same names in two namespaces, so that mixing them up shows."""
    objects: list[Api] = [node("n1", unschedulable=draw(st.booleans()))]
    for space in (HERE, THERE):
        for name in NAMES:
            for one in deepcopy(draw(workloads(name))):
                one["metadata"]["namespace"] = space
                objects.append(one)
    return objects


def calls(proposal: Proposal) -> Iterator[tuple[str, dict[str, Any]]]:
    arguments = json.loads(proposal.arguments)
    if proposal.tool != PLAN:
        yield proposal.tool, arguments
        return
    for step in arguments["steps"]:
        yield step["tool"], step["arguments"]


@given(
    clusters(),
    st.permutations(NAMES),
    st.lists(st.sampled_from(FaultType), min_size=2, max_size=2),
)
def test_a_proposal_fits_its_tool_and_stays_with_the_accused(
    objects: list[Api], names: list[str], faults: list[FaultType]
) -> None:
    accused = [
        cause(name, fault, rank=rank, cluster="lab")
        for rank, (name, fault) in enumerate(zip(names[:2], faults, strict=True), 1)
    ]
    seen = {(one["kind"], one["metadata"]["name"]) for one in objects}
    found = proposals(objects, *accused, places=PLACES, writes=BOTH)
    assert len(found) <= MOST
    for tool, arguments in (call for one in found for call in calls(one)):
        asked = TOOLS[tool].change.asks.model_validate(arguments)
        assert asked.target.cluster == "lab"
        assert asked.target.namespace in (HERE, None)
        assert (asked.target.kind, asked.target.name) in seen


@given(clusters(), st.sampled_from(("healthy", "inconclusive")))
def test_where_nobody_is_accused_nothing_is_proposed_whatever_is_broken(
    objects: list[Api], verdict: Any
) -> None:
    assert proposals(objects, cause("web"), verdict=verdict) == []
