"""Invented clusters that are known by asking only: recorded answers behind tools."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from belt import NOON

from aiops import plugins
from aiops.agents.crew import Belt, RunBudget
from aiops.agents.inline import InlineRuns
from aiops.app.investigate import CaseInquiry
from aiops.errors import ToolFailed
from aiops.model import CaseData, Entity, RecordedOutput
from aiops.model.canonical import parsed
from aiops.model.case import TelemetryWindow, Trigger
from aiops.model.report import Report
from aiops.model.run import Collected
from aiops.model.tool import Outcome, ToolCall
from aiops.ports.tools import ToolContext
from aiops.store.clock import ManualClock
from aiops_datasets.recorded_tools import specs, tools

NAMESPACE = "corner"
PODS = "NAME  READY  STATUS  RESTARTS  AGE  IP  NODE"
WELL = {
    "till": "till-6c5d7f8b9-x2x2x  1/1  Running  0  5m  10.0.0.1  n1",
    "stock": "stock-7d4b9c6f5-hjk2m  1/1  Running  0  5m  10.0.0.2  n1",
}


def table(header: str, *rows: str) -> str:
    """A table as kubectl prints it: two blanks between cells."""
    return "\n".join((header, *rows)) + "\n"


def listed(kind: str) -> str:
    """The recorded call for all objects of a kind, in kubectl's plural."""
    return _call("GetResources", resource_type=kind, name="", namespace=NAMESPACE)


def described(kind: str, name: str) -> str:
    """The recorded call for one object."""
    return _call("DescribeResource", resource_type=kind, name=name, namespace=NAMESPACE)


def pods() -> str:
    """The recorded call for all pods with their machines."""
    return _call(
        "GetResources", resource_type="pods", name="", namespace=NAMESPACE, output_wide=True
    )


def nodes() -> str:
    """The recorded call for all machines with their labels."""
    return _call(
        "GetResources", resource_type="nodes", name="", namespace=NAMESPACE, show_labels=True
    )


def daemon(node: str, unit: str) -> str:
    """The recorded call for a daemon of a machine."""
    return _call("CheckNodeServiceStatus", node_name=node, service_name=unit)


def _call(tool: str, **arguments: object) -> str:
    return f"{tool}:{json.dumps(arguments, separators=(',', ':'))}"


@dataclass
class Asked:
    """One investigation of a cluster.

    Attributes:
        answers: recorded call -> text.
        calls: that were made: tool and what it was asked about.
    """

    answers: Mapping[str, str]
    budget: RunBudget = field(default_factory=lambda: RunBudget(turns=20, calls=30))
    calls: list[str] = field(default_factory=list)

    def report(self) -> Report:
        """The report of the deterministic policy that was told of an alert in the namespace."""
        here = Entity("namespace", NAMESPACE, namespace=NAMESPACE)
        case = CaseData("case-1", TelemetryWindow(NOON, NOON), Trigger(NOON, here))
        inquiry = CaseInquiry(lambda _: Collected(case), plugins.analyzer("aiops"))
        belt = Belt(self._ask, specs())
        runs = InlineRuns(ManualClock(NOON), budget=self.budget, belt=belt)
        return runs("run-1", inquiry)

    def _ask(self, call: ToolCall) -> Outcome:
        given = parsed(call.arguments)
        self.calls.append(
            " ".join(
                [call.tool.partition(".")[2], *(str(v) for v in given.values() if v is not True)]
            )
        )
        outputs = [RecordedOutput(name, text) for name, text in self.answers.items()]
        tool = next(one for one in tools(outputs) if one.spec.name == call.tool)
        context = ToolContext(call.id, call.key, call.caller, lambda _: None)
        try:
            result = asyncio.run(tool.read(given, context))
        except ToolFailed as failed:
            return Outcome(call.id, "failed", str(failed), reason=failed.kind)
        return Outcome(call.id, "done", result.summary, content=result.content)
