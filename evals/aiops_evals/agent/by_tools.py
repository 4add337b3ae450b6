"""A case that is known by its alert alone: every fact is fetched by a call through the gateway."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from aiops.agents.crew import Belt, RunBudget
from aiops.agents.inline import InlineRuns
from aiops.agents.policies.policy import Policy
from aiops.agents.trajectory.recording import Recording
from aiops.agents.trajectory.steps import Made, Trajectory
from aiops.app.investigate import CaseInquiry
from aiops.app.rendering.as_json import dumps
from aiops.bootstrap.service import in_memory
from aiops.bootstrap.tools import toolbelt_of
from aiops.model import CaseData, Entity, Ranking, TelemetryWindow
from aiops.model.case import Trigger
from aiops.model.report import Report
from aiops.model.run import Collected, Shortlist
from aiops.model.tool import Outcome, ToolCall
from aiops.ports.analyzer import Analyzer
from aiops.settings import GatewaySettings, Settings
from aiops.store.clock import SystemClock
from aiops_datasets.recorded_tools import NOT_RECORDED, namespace_of, specs, tools
from aiops_evals.agent.outcomes import Asked

WHOLE: Final = 1_000_000
"""Tokens of one result: the analyzers read answers whole, as they would read the cluster."""
BYTES_A_TOKEN: Final = 4


@dataclass(slots=True)
class LastRanking:
    """An Inquiry that remembers the ranking its report is written on."""

    inquiry: CaseInquiry
    ranking: Ranking | None = None

    def collect(self, at: datetime) -> Collected:
        """See Inquiry."""
        return self.inquiry.collect(at)

    def shortlist(self, case: CaseData) -> Shortlist:
        """See Inquiry."""
        found = self.inquiry.shortlist(case)
        self.ranking = found.ranking
        return found

    def report(self, case: CaseData, shortlist: Shortlist) -> Report:
        """See Inquiry."""
        return self.inquiry.report(case, shortlist)

    def told(self, report: Report) -> Ranking:
        """The ranking in the order and with the verdict of ``report``: agents may have weighed
        more than the analyzers."""
        if self.ranking is None:
            return Ranking(verdict=report.verdict, suspects=())
        suspects = self.ranking.suspects
        firsts = [one.entity for one in self.ranking.entities()]
        told = [cause.entity for cause in report.root_causes]
        if told != firsts[: len(told)]:
            place = {entity: rank for rank, entity in reversed([*enumerate(told)])}
            suspects = tuple(sorted(suspects, key=lambda one: place.get(one.entity, len(told))))
        return replace(self.ranking, verdict=report.verdict, suspects=suspects)


@dataclass(frozen=True, slots=True)
class ByTools:
    """An investigation that ended.

    Attributes:
        ranking: as the report tells it.
        ms: wall time from alert to report; wiring the tools is not in it.
    """

    report: Report
    ranking: Ranking
    asked: Asked
    ms: float
    trajectory: Trajectory


@dataclass(slots=True)
class _Counted:
    """Calls through a gateway, counted."""

    calls: list[str] = field(default_factory=list)
    missed: int = 0
    read: int = 0

    def count(self, call: ToolCall, outcome: Outcome) -> None:
        self.calls.append(f"{call.tool} {call.arguments}")
        self.missed += outcome.status == "failed" and NOT_RECORDED in outcome.summary
        if outcome.status == "done":
            self.read += len((outcome.content or outcome.summary).encode())

    @property
    def asked(self) -> Asked:
        return Asked(tuple(self.calls), self.missed, -(-self.read // BYTES_A_TOKEN))


def alert_alone(data: CaseData) -> CaseData:
    """``data`` without anything that was recorded: the alert, its namespace and its moment."""
    window = data.window
    namespace = namespace_of(window.tool_outputs)
    where = None if namespace is None else Entity("namespace", namespace, namespace=namespace)
    trigger = Trigger(at=data.trigger.at, entity=where, statement=data.trigger.statement)
    bare = TelemetryWindow(window.start, window.end, relative=window.relative)
    return replace(data, window=bare, trigger=trigger, notes=())


def investigated(
    data: CaseData, analyzer: Analyzer, policy: Policy, *, seed: int, budget: RunBudget
) -> ByTools:
    """A recorded case, looked at by tool calls only."""
    case, counted = alert_alone(data), _Counted()
    inquiry = LastRanking(CaseInquiry(lambda _: Collected(case), analyzer, seed=seed))
    taken = taken_down(seed)
    with _belt(data, counted) as belt:
        runs = InlineRuns(SystemClock(), policy, budget=budget, belt=belt, record=taken.record)
        began, worked = time.perf_counter(), time.process_time()
        report = runs(case.id, inquiry)
        ms = (time.perf_counter() - began) * 1000
        asked = replace(counted.asked, cpu_ms=(time.process_time() - worked) * 1000)
    taken.ended(dumps(report))
    return ByTools(report, inquiry.told(report), asked, ms, taken.trajectory())


def taken_down(seed: int) -> Recording:
    """Keeps a run in memory, to be scored."""
    return Recording(lambda _: None, Made((), "aiops", seed, 0))


@contextmanager
def _belt(data: CaseData, counted: _Counted) -> Iterator[Belt]:
    """The recorded tools behind a gateway of their own."""
    service = in_memory(Settings(gateway=GatewaySettings(result_tokens=WHOLE)))
    recorded = tools(data.window.tool_outputs)
    with toolbelt_of(service, more=recorded) as gateway, asyncio.Runner() as runner:

        def ask(call: ToolCall) -> Outcome:
            outcome = runner.run(gateway.call(call))
            counted.count(call, outcome)
            return outcome

        yield Belt(ask, specs())
