"""Runs of the agents' graph over a small cluster of fakes, and processes that die in them."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from belt import CLUSTER, NAMESPACE, NOON, Bench, Read, scaled, schema, spec
from langgraph.checkpoint.base import BaseCheckpointSaver

from aiops.agents.crew import Belt, Crew
from aiops.agents.graph import KeptRuns
from aiops.agents.shape import NODES, Node
from aiops.agents.state import RunState, Step
from aiops.app.investigate import CaseInquiry
from aiops.model import CaseData, Entity, Ranking, Suspect
from aiops.model.canonical import canonical
from aiops.model.case import TelemetryWindow, Trigger
from aiops.model.report import Report, Timings
from aiops.model.run import Collected, Deed, Moment, Proposal
from aiops.model.tool import Outcome, ToolCall, ToolResult
from aiops.ports.inquiry import Ask
from aiops.store.repositories import MemoryBlobs
from aiops.store.shelf import BlobShelf

WEB = Entity("service", "web", NAMESPACE, CLUSTER)
API = Entity("service", "api", NAMESPACE, CLUSTER)
EVENTS = "kubernetes.events"


class Died(BaseException):
    """What is left of a process after kill -9: nothing catches it."""


class OnlyByAsking:
    """An analyzer that suspects api, unsure, until it is told of events."""

    name = "scripted"

    def rank(self, case: CaseData, *, seed: int = 0) -> Ranking:
        if any(output.call.startswith(EVENTS) for output in case.window.tool_outputs):
            return Ranking("root_cause", (Suspect(WEB, None, 2.0, 0.95), Suspect(API, None, 1.0)))
        return Ranking("inconclusive", (Suspect(API, None, 1.0, 0.3), Suspect(WEB, None, 0.9, 0.2)))


def inquiry(analyzer: Any = None) -> CaseInquiry:
    """About a case of which nothing was recorded."""
    case = CaseData("case-1", TelemetryWindow(NOON, NOON.replace(hour=13)), Trigger(NOON))

    def gather(at: datetime) -> Collected:
        return Collected(case)

    return CaseInquiry(gather, analyzer or OnlyByAsking())


def scale_web(case: CaseData, report: Report) -> Sequence[Proposal]:
    """What would mend it."""
    return (Proposal("kubernetes.scale", canonical(scaled(4)), "web is too small"),)


@dataclass
class World:
    """What outlives processes: the cluster, the gateway's stores, the shelf, the memory.

    Attributes:
        remembered: runs that were taken into memory.
        moments: all that was told.
    """

    bench: Bench = field(default_factory=Bench)
    blobs: MemoryBlobs = field(default_factory=MemoryBlobs)
    remembered: dict[str, Report] = field(default_factory=dict)
    moments: list[Moment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.events = Read(
            spec(EVENTS, schema()), lambda _: ToolResult(canonical({"events": 3}), "3 events")
        )
        self.bench.tools = (self.events,)
        self.bench.restarted()

    def belt(self) -> Belt:
        specs = asyncio.run(self.bench.gateway.specs())
        return Belt(asking(self), tuple(specs), self.bench.approvals)

    def process(
        self, saver: BaseCheckpointSaver[Any], nodes: Mapping[str, Node] = NODES, **more: Any
    ) -> KeptRuns:
        """A fresh process that knows nothing but what is kept."""
        return KeptRuns(
            saver=saver,
            shelf=BlobShelf(self.blobs),
            clock=self.bench.clock,
            belt=self.belt(),
            proposer=scale_web,
            remember=self._remember,
            watch=self.moments.append,
            nodes=nodes,
            **more,
        )

    def approve_all(self) -> None:
        for each in self.bench.approvals.listed(("pending",)):
            self.bench.approve(each.id)

    def _remember(self, report: Report, deeds: Sequence[Deed], run: str) -> None:
        self.remembered[run] = report


def asking(world: World) -> Ask:
    def ask(call: ToolCall) -> Outcome:
        return asyncio.run(world.bench.gateway.call(call))

    return ask


def dying(name: str, *, after: bool) -> Mapping[str, Node]:
    """The nodes, of which one kills its process before or after its work."""
    whole = NODES[name]

    def dies(state: RunState, crew: Crew) -> Step:
        if after:
            whole(state, crew)
        raise Died(name)

    return {**NODES, name: dies}


def timeless(report: Report) -> Report:
    """What two runs have in common."""
    return replace(report, timings=Timings(0.0))
