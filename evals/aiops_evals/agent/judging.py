"""One case in front of every method: by its alert and tools alone, or with its window in view."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Final

from aiops import plugins
from aiops.agents.inline import InlineRuns
from aiops.agents.trajectory.steps import Trajectory
from aiops.analyze.explain import explain
from aiops.app.investigate import CaseInquiry
from aiops.app.rendering.as_json import dumps
from aiops.bootstrap.policies import budget_of, policy_of
from aiops.errors import InvalidInput
from aiops.model import CaseData, Ranking
from aiops.model.run import Collected
from aiops.ports.analyzer import Analyzer
from aiops.ports.cases import CaseLocation
from aiops.settings import load as settings_of
from aiops.store.clock import SystemClock
from aiops_datasets.case import Case
from aiops_evals.agent.by_tools import LastRanking, investigated, taken_down
from aiops_evals.agent.expert import coverage, expert_paths
from aiops_evals.agent.outcomes import Asked, Investigated
from aiops_evals.blind import shuffled
from aiops_evals.breaking import Broke, outcome_of
from aiops_evals.judge import facts_of
from aiops_evals.levels import rank_at
from aiops_evals.outcomes import Facts
from aiops_evals.trajectory_score import score

ANALYZER: Final = "aiops"
ALONE: Final = "analyzers"
"""All analyzers, with everything in view; no question, no graph."""
METRICS: Final = "metrics"
"""The statistics over metrics alone: change points, Granger causality, PageRank."""
COMPARED_WITH: Final = {ALONE: ANALYZER, METRICS: METRICS}
"""What investigations are compared with, and the analyzer that each is."""
BY_TOOLS: Final = frozenset({"cloudopsbench"})
"""Sets whose tool answers were recorded: their windows are hidden."""
NAMED: Final = 3


@dataclass(frozen=True, slots=True)
class Task:
    """What one worker does at a time.

    Attributes:
        methods: policies, or some of ``COMPARED_WITH``.
    """

    dataset: str
    location: CaseLocation
    methods: tuple[str, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Judged:
    """Everything learnt from one case.

    Attributes:
        skipped: why it could not be read; "" where it was.
    """

    dataset: str
    runs: tuple[Investigated, ...] = ()
    skipped: str = ""


@dataclass(frozen=True, slots=True)
class _Run:
    """An investigation that ended; ``ms`` None: it took as long as the work."""

    ranking: Ranking
    stopped_by: str | None = None
    asked: Asked | None = None
    ms: float | None = None
    trajectory: Trajectory | None = None


def run(task: Task) -> Judged:
    """Loads the case of ``task`` and investigates it by every method."""
    from aiops_datasets.catalog import load_case

    try:
        case = load_case(task.location)
    except InvalidInput as error:
        return Judged(task.dataset, skipped=f"not loaded: {error}")
    facts = replace(facts_of(case), dataset=task.dataset)
    if facts.healthy:
        return Judged(task.dataset, skipped="healthy: there is nothing to name")
    data = shuffled(case.data, task.seed)
    asks = task.dataset in BY_TOOLS
    paths = expert_paths(task.location.path / "case.json") if asks else ()
    runs = []
    for method in task.methods:
        look = _by_tools if asks and method not in COMPARED_WITH else _in_view
        one = _judged(facts, case, method, partial(look, data, method, task.seed))
        runs.append(_beside(one, paths))
    return Judged(task.dataset, tuple(runs))


def _by_tools(data: CaseData, method: str, seed: int) -> _Run:
    settings = settings_of(policy=method)
    found = investigated(
        data, _analyzer(), policy_of(settings), seed=seed, budget=budget_of(settings)
    )
    stopped = found.report.usage.stopped_by
    return _Run(found.ranking, stopped, found.asked, found.ms, found.trajectory)


def _in_view(data: CaseData, method: str, seed: int) -> _Run:
    """Analyzers alone, or the whole investigation that they are part of."""
    if method == METRICS and data.window.metrics is None:
        return _Run(Ranking("inconclusive", ()))
    if method in COMPARED_WITH:
        return _Run(_analyzer(COMPARED_WITH[method]).rank(data, seed=seed))
    settings = settings_of(policy=method)
    inquiry = LastRanking(CaseInquiry(lambda _: Collected(data), _analyzer(), explain, seed=seed))
    taken, budget = taken_down(seed), budget_of(settings)
    runs = InlineRuns(SystemClock(), policy_of(settings), budget=budget, record=taken.record)
    report = runs(data.id, inquiry)
    taken.ended(dumps(report))
    stopped = report.usage.stopped_by
    return _Run(inquiry.told(report), stopped, trajectory=taken.trajectory())


def _judged(facts: Facts, case: Case, method: str, work: Callable[[], _Run]) -> Investigated:
    began = time.perf_counter()
    found = outcome_of(work)
    ms = (time.perf_counter() - began) * 1000
    if isinstance(found, Broke):
        return Investigated(facts, method, dict.fromkeys(facts.levels), ms=ms, failed=found.reason)
    metrics = case.data.window.metrics
    return Investigated(
        facts=facts,
        method=method,
        ranks={
            level: rank_at(level, found.ranking, case.answers, metrics, case.labels)
            for level in facts.levels
        },
        verdict=found.ranking.verdict,
        named=tuple(
            f"{one.entity.name} ({one.kind or 'no kind'})" for one in found.ranking.suspects[:NAMED]
        ),
        ms=ms if found.ms is None else found.ms,
        stopped_by=found.stopped_by,
        asked=found.asked,
        score=None if found.trajectory is None else score(found.trajectory, case.answers).total,
    )


def _beside(one: Investigated, paths: Sequence[Sequence[tuple[str, ...]]]) -> Investigated:
    """``one`` with how much of an expert's way it went."""
    if one.asked is None:
        return one
    return replace(one, asked=replace(one.asked, coverage=coverage(one.asked.calls, paths)))


@cache
def _analyzer(name: str = ANALYZER) -> Analyzer:
    return plugins.analyzer(name)
