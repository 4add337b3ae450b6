"""The evaluation of whole investigations: plan, sweep, result."""

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import fmean, median
from typing import Any, Final

from aiops.bootstrap.policies import budget_of, policy_of
from aiops.errors import InvalidInput, UnknownName
from aiops.settings import load as settings_of
from aiops_evals import provenance
from aiops_evals.agent.judging import ALONE, COMPARED_WITH, METRICS, Judged, Task, run
from aiops_evals.agent.outcomes import Asked, Investigated
from aiops_evals.blind import generator
from aiops_evals.levels import LEVELS, Level
from aiops_evals.sweep import sweep

BY_DEFAULT: Final = ("cloudopsbench", "rcd-sockshop", "nezha-trainticket", "lab-campaign")


@dataclass(frozen=True, slots=True)
class Plan:
    """One evaluation, fully named.

    Attributes:
        sets: data set -> the folder it lies in.
        methods: policies; the analyzers alone are always measured beside them.
        limit: at most so many cases of each set, drawn by ``seed``; None for all.
    """

    sets: tuple[tuple[str, Path], ...]
    methods: tuple[str, ...]
    seed: int = 0
    jobs: int = 1
    limit: int | None = None


def make_plan(
    roots: Sequence[Path],
    *,
    datasets: Sequence[str] = (),
    methods: Sequence[str] = (),
    seed: int = 0,
    jobs: int | None = None,
    limit: int | None = None,
) -> Plan:
    """A plan whose names all exist.

    Args:
        roots: folders of data sets; a set is taken from the first that holds it.
        datasets: () for those of ``BY_DEFAULT`` that are there.
        methods: policies; () for the deterministic one.

    Raises:
        InvalidInput: a root is no folder, holds none of the sets, or a policy cannot be used.
        UnknownName: there is no such data set or policy.
    """
    from aiops_datasets.catalog import datasets as catalogued

    found: dict[str, Path] = {}
    for root in roots:
        if not root.is_dir():
            raise InvalidInput(f"{root} is no folder; give the folder of the data sets with --data")
        for name in catalogued(root):
            found.setdefault(name, root)
    for name in datasets:
        if name not in found:
            raise UnknownName("dataset", name, tuple(sorted(found)))
    chosen = tuple(datasets) or tuple(name for name in BY_DEFAULT if name in found)
    if not chosen:
        raise InvalidInput(
            f"no data set to investigate in {', '.join(map(str, roots))}; name some with --datasets"
        )
    policies = tuple(dict.fromkeys(methods)) or ("deterministic",)
    for name in policies:
        policy_of(settings_of(policy=name))
    return Plan(
        sets=tuple((name, found[name]) for name in dict.fromkeys(chosen)),
        methods=policies,
        seed=seed,
        jobs=jobs or os.cpu_count() or 1,
        limit=limit,
    )


def tasks(plan: Plan) -> list[Task]:
    """One a case."""
    from aiops_datasets.catalog import locations

    found: list[Task] = []
    for dataset, root in plan.sets:
        methods = (*COMPARED_WITH, *plan.methods)
        own = [Task(dataset, one, methods, plan.seed) for one in locations(root, dataset)]
        if plan.limit is not None and len(own) > plan.limit:
            drawn = generator(plan.seed, dataset).choice(len(own), plan.limit, replace=False)
            own = [own[i] for i in sorted(drawn.tolist())]
        found += own
    return found


def execute(plan: Plan, found: Sequence[Task]) -> Iterator[Judged]:
    """Every task's result, as it is finished."""
    for done in sweep(found, run, jobs=min(plan.jobs, max(1, len(found))), split=lambda _: ()):
        yield from done.results
        for lost in done.lost:
            yield Judged(lost.dataset, skipped="its worker process died")


def result(plan: Plan, judged: Sequence[Judged], *, misses: bool = False) -> dict[str, Any]:
    """The evaluation as JSON: header and rows.

    Rows are ``{"dataset", "system", "method", "level", "n", "hits1", "hits3", "ac1", "ac3"}``;
    what asking cost stands in the header under "asking", and who was right where the analyzers
    alone were not, and the other way round, under "beside_analyzers" (there also, how often the
    statistics over metrics were).

    Args:
        misses: also list each investigation whose cause was not named first, and what all
            analyzers missed.
    """
    runs = sorted(
        (one for case in judged for one in case.runs),
        key=lambda one: (one.facts.dataset, one.method, one.facts.case),
    )
    skipped = Counter((case.dataset, case.skipped) for case in judged if case.skipped)
    header: dict[str, Any] = {
        "schema": "aiops.eval.agent/1",
        "seed": plan.seed,
        "commit": provenance.commit(),
        "code": provenance.code_checksum(),
        "datasets": {name: provenance.dataset_checksum(root, name) for name, root in plan.sets},
        "methods": list(plan.methods),
        "limit": plan.limit,
        "budgets": {name: asdict(budget_of(settings_of(policy=name))) for name in plan.methods},
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "command": provenance.command_line(),
        "asking": [
            _spent(*key, own) for key, own in _grouped([r for r in runs if r.asked is not None])
        ],
        "beside_analyzers": [
            _beside(dataset, method, runs)
            for dataset in dict.fromkeys(one.facts.dataset for one in runs)
            for method in plan.methods
        ],
        "failed": [
            {"dataset": r.facts.dataset, "case": r.facts.case, "method": r.method, "why": r.failed}
            for r in runs
            if r.failed
        ],
        "skipped": [
            {"dataset": dataset, "reason": reason, "n": n}
            for (dataset, reason), n in sorted(skipped.items())
        ],
    }
    if misses:
        header["misses"] = [
            _miss(one)
            for one in runs
            if one.method != METRICS and not one.hit(one.facts.levels[-1])
        ]
    return {
        "header": header,
        "rows": [row for key, own in _grouped(runs) for row in _rows(*key, own)],
    }


def _grouped(
    runs: Sequence[Investigated],
) -> Iterator[tuple[tuple[str, str, str], list[Investigated]]]:
    """(data set, system or "all", method) -> its runs; systems where a set has several."""
    groups: dict[tuple[str, str, str], list[Investigated]] = defaultdict(list)
    systems: dict[str, set[str]] = defaultdict(set)
    for one in runs:
        systems[one.facts.dataset].add(one.facts.system)
    for one in runs:
        groups[one.facts.dataset, "all", one.method].append(one)
        if len(systems[one.facts.dataset]) > 1:
            groups[one.facts.dataset, one.facts.system, one.method].append(one)
    return iter(sorted(groups.items()))


def _rows(
    dataset: str, system: str, method: str, runs: Sequence[Investigated]
) -> Iterator[dict[str, Any]]:
    for level in LEVELS:
        own = [one for one in runs if level in one.facts.levels]
        if own:
            hits1, hits3 = (sum(one.hit(level, k) for one in own) for k in (1, 3))
            yield {
                "dataset": dataset,
                "system": system,
                "method": method,
                "level": level,
                "n": len(own),
                "hits1": hits1,
                "hits3": hits3,
                "ac1": hits1 / len(own),
                "ac3": hits3 / len(own),
            }


def _spent(dataset: str, system: str, method: str, runs: Sequence[Investigated]) -> dict[str, Any]:
    asked = [one.asked or Asked() for one in runs]
    calls, ms = [len(one.calls) for one in asked], [one.ms for one in runs]
    covered = [one.coverage for one in asked if one.coverage is not None]
    return {
        "dataset": dataset,
        "system": system,
        "method": method,
        "n": len(runs),
        "calls_median": median(calls),
        "calls_max": max(calls),
        "missed": sum(one.missed for one in asked),
        "calls": sum(calls),
        "tokens_median": median(one.tokens for one in asked),
        "tokens_max": max(one.tokens for one in asked),
        "coverage_mean": fmean(covered) if covered else None,
        "ms_median": median(ms),
        "ms_max": max(ms),
        "cpu_ms_median": median(one.cpu_ms for one in asked),
        "cpu_ms_max": max(one.cpu_ms for one in asked),
        "stopped": sum(one.stopped_by is not None for one in runs),
        "verdicts": dict(sorted(Counter(one.verdict or "failed" for one in runs).items())),
    }


def _beside(dataset: str, method: str, runs: Sequence[Investigated]) -> dict[str, Any]:
    """How often one was right at service level where the other was not, on the same cases."""
    level: Level = "service"
    own = [one for one in runs if one.facts.dataset == dataset and level in one.facts.levels]
    metrics, alone, whole = (
        {one.facts.case: one.hit(level) for one in own if one.method == each}
        for each in (METRICS, ALONE, method)
    )
    both = alone.keys() & whole.keys()
    scores = [
        one.score
        for one in runs
        if (one.facts.dataset, one.method) == (dataset, method) and one.score is not None
    ]
    return {
        "dataset": dataset,
        "method": method,
        "n": len(both),
        "metrics": sum(metrics[case] for case in both),
        "analyzers": sum(alone[case] for case in both),
        "investigation": sum(whole[case] for case in both),
        "won": sum(whole[case] and not alone[case] for case in both),
        "lost": sum(alone[case] and not whole[case] for case in both),
        "score_mean": fmean(scores) if scores else None,
    }


def _miss(one: Investigated) -> dict[str, Any]:
    return {
        "dataset": one.facts.dataset,
        "case": one.facts.name or one.facts.case,
        "method": one.method,
        "label": one.facts.label,
        "answer": list(one.facts.answer),
        "rank": one.ranks.get(one.facts.levels[-1]),
        "verdict": one.verdict or "failed",
        "named": list(one.named),
        "calls": len(one.asked.calls) if one.asked is not None else None,
    }
