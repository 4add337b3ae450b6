"""The same leads through our own probes of a cluster: their answers are read as its objects."""

import asyncio
from typing import TYPE_CHECKING, Any, cast

from fake_kubernetes import NOON, FakeConnection

from aiops import plugins
from aiops.agents.crew import Belt, RunBudget
from aiops.agents.inline import InlineRuns
from aiops.app.investigate import CaseInquiry
from aiops.errors import ToolFailed
from aiops.model import CaseData, Entity
from aiops.model.canonical import parsed
from aiops.model.case import TelemetryWindow, Trigger
from aiops.model.report import Report
from aiops.model.run import Collected
from aiops.model.tool import Outcome, ToolCall
from aiops.ports.tools import ToolContext
from aiops.store.clock import ManualClock
from aiops_tools.kubernetes.probes import probes
from aiops_tools.kubernetes.reader import Reader

if TYPE_CHECKING:
    from aiops_tools.kubernetes.connection import Connection

SHOP = "corner"
BUDGET = RunBudget(turns=20, calls=30)


def _cluster(*, waits: bool = False) -> FakeConnection:
    """A till whose pod is killed for its memory, or that no machine takes."""
    api = FakeConnection("here")
    api.put("Namespace", SHOP)
    api.put("Node", "n1", status={"conditions": [{"type": "Ready", "status": "True"}]})
    for name, replicas in (("till", 1), ("stock", 1)):
        labels = {"app": name}
        spec = {"containers": [{"name": "main", "image": f"registry.test/{name}:1"}]}
        api.put(
            "Deployment",
            name,
            SHOP,
            spec={
                "replicas": replicas,
                "selector": {"matchLabels": labels},
                "template": {"metadata": {"labels": labels}, "spec": spec},
            },
            status={"replicas": 1, "readyReplicas": int(name == "stock")},
        )
        owner = {"kind": "ReplicaSet", "name": f"{name}-6c5d7f8b9", "controller": True}
        api.put(
            "Pod",
            f"{name}-6c5d7f8b9-x2x2x",
            SHOP,
            metadata={"labels": labels, "ownerReferences": [owner]},
            spec={**spec, **({} if waits and name == "till" else {"nodeName": "n1"})},
            status=_status(name, waits=waits),
        )
    if waits:
        api.put(
            "Event",
            "till.1",
            SHOP,
            involvedObject={"kind": "Pod", "name": "till-6c5d7f8b9-x2x2x", "namespace": SHOP},
            type="Warning",
            reason="FailedScheduling",
            message="0/1 nodes are available: 1 Insufficient memory.",
            lastTimestamp="2026-11-20T11:59:30Z",
        )
    return api


def _status(name: str, *, waits: bool) -> dict[str, Any]:
    if name == "stock":
        running = {"name": "main", "ready": True, "restartCount": 0, "state": {"running": {}}}
        ready = [{"type": "Ready", "status": "True"}]
        return {"phase": "Running", "conditions": ready, "containerStatuses": [running]}
    if waits:
        unplaced = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
        return {"phase": "Pending", "conditions": [unplaced]}
    killed = {
        "name": "main",
        "ready": False,
        "restartCount": 5,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}},
        "lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}},
    }
    conditions = [{"type": "Ready", "status": "False"}]
    return {"phase": "Running", "conditions": conditions, "containerStatuses": [killed]}


def _investigated(api: FakeConnection) -> tuple[Report, list[str]]:
    asked: list[str] = []
    tools = probes("kubernetes", Reader(cast("Connection", api)), lambda: NOON)
    by_name = {tool.spec.name: tool for tool in tools}

    def ask(call: ToolCall) -> Outcome:
        asked.append(call.tool)
        context = ToolContext(call.id, call.key, call.caller, lambda _: None)
        try:
            result = asyncio.run(by_name[call.tool].read(parsed(call.arguments), context))
        except ToolFailed as failed:
            return Outcome(call.id, "failed", str(failed), reason=failed.kind)
        return Outcome(call.id, "done", result.summary, content=result.content)

    here = Entity("namespace", SHOP, namespace=SHOP, cluster="here")
    case = CaseData("case-1", TelemetryWindow(NOON, NOON), Trigger(NOON, here))
    inquiry = CaseInquiry(lambda _: Collected(case), plugins.analyzer("aiops"))
    specs = tuple(by_name[name].spec for name in sorted(by_name))
    runs = InlineRuns(ManualClock(NOON), budget=BUDGET, belt=Belt(ask, specs))
    return runs("run-1", inquiry), asked


def test_a_container_that_is_killed_for_memory_is_found_through_our_probes() -> None:
    report, asked = _investigated(_cluster())
    first = report.root_causes[0]
    assert (report.verdict, first.entity.name, first.fault_type) == ("root_cause", "till", "oom")
    assert report.failed_steps == (), "that nothing was known at first is no failure"
    assert asked[:2] == ["kubernetes.list", "kubernetes.get"]
    assert "kubernetes.logs" not in asked, "what was found is plain enough"


def test_what_the_scheduler_said_is_read_from_our_events() -> None:
    report, asked = _investigated(_cluster(waits=True))
    first = report.root_causes[0]
    assert first.entity.name == "till"
    claims = " ".join(item.claim for item in report.evidence if item.id in first.evidence)
    assert "Insufficient memory" in claims
    assert "kubernetes.events" in asked
