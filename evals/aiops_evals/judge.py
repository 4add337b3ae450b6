"""One case in front of every method: load once, shuffle, rank, compare with the answers."""

import re
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from aiops import plugins
from aiops.errors import InvalidInput
from aiops.model import CaseData, MetricTable, Ranking
from aiops.ports.analyzer import Analyzer
from aiops.ports.cases import CaseLocation
from aiops_datasets.case import Answers, Case
from aiops_evals.blind import shuffled
from aiops_evals.breaking import Broke, outcome_of
from aiops_evals.compare import is_ablation
from aiops_evals.levels import Level, levels_of, rank_at
from aiops_evals.outcomes import SCORES_KEPT, CaseReport, Facts, Outcome, lost
from aiops_evals.stress import CLEAN, SHIFTS, stressed, with_units

# Sets whose answers are objects of a cluster (an app, a node, a namespace).
_OBJECT_SETS = frozenset({"cloudopsbench"})
# Methods that read more than metrics; the others are not asked about cases without any.
_READS_ALL = frozenset({"aiops"})
# Sets whose cases without a baseline are counted apart (notes: measures).
_BASELINE_SETS = frozenset({"petshop"})
_ROWS_OF_A_BASELINE = 10
# Sets counted once more over the cases that have traces.
_TRACE_SETS = frozenset({"nezha-onlineboutique"})
# Units from the data sets' documentation, attached for the wrong-units variant only.
DOCUMENTED_UNITS = {
    "rcd-sockshop": {"cpu": "percent", "mem": "bytes", "lod": "requests/s", "lat": "seconds"},
}


@dataclass(frozen=True, slots=True)
class Task:
    """What one worker does at a time.

    Attributes:
        dataset: the set of the case.
        source: a recorded case to load, or a healthy window already in memory.
        methods: names of analyzers; () only learns the facts of the case.
    """

    dataset: str
    source: CaseLocation | CaseData
    methods: tuple[str, ...]
    variants: tuple[str, ...]
    seed: int

    @property
    def key(self) -> str:
        """Names the task in a journal."""
        return f"{self.dataset}/{self.source.id}"

    def parts(self) -> tuple["Task", ...]:
        """The facts, and each method on each variant, as tasks of their own."""
        if len(self.methods) * len(self.variants) == 0:
            return ()
        facts = replace(self, methods=(), variants=())
        pairs = (
            replace(self, methods=(method,), variants=(variant,))
            for variant in self.variants
            for method in self.methods
        )
        return (facts, *pairs)


def run(task: Task) -> CaseReport:
    """Loads the case of ``task`` and ranks it by every method in every variant."""
    if isinstance(task.source, CaseData):
        window = task.source
        return _run_healthy(task, window, Facts(task.dataset, window.id, healthy=True))
    from aiops_datasets.catalog import load_case

    began = time.perf_counter()
    try:
        case = load_case(task.source)
    except InvalidInput as error:
        return CaseReport(None, skipped=f"not loaded: {error}")
    load_s = time.perf_counter() - began
    facts = facts_of(case)
    if facts.healthy:
        return replace(_run_healthy(task, case.data, facts), load_s=load_s)
    methods = task.methods
    if case.data.window.metrics is None:
        methods = tuple(name for name in methods if name.partition("/")[0] in _READS_ALL)
        if task.methods and not methods:
            return CaseReport(facts, skipped="no metrics", load_s=load_s)
    outcomes = [
        outcome
        for variant in task.variants
        for name in methods
        # What a part is worth is asked of the alert as it was.
        if not (variant in SHIFTS and is_ablation(name))
        for outcome in judge(_analyzer(name), name, case, variant, task.seed)
    ]
    return CaseReport(facts, tuple(outcomes), load_s=load_s)


def evaluate(
    factory: Callable[[], Analyzer],
    cases: Iterable[Case],
    *,
    seed: int = 0,
    variants: Sequence[str] = (CLEAN,),
) -> tuple[Outcome, ...]:
    """The outcomes of one method on ``cases``, in this process; for experiments.

    Cases are shuffled by ``seed`` as in ``aiops eval rca``. Feed the result to ``rows.rows``,
    ``accuracy.accuracy`` or ``calibration``.
    """
    analyzer = factory()
    return tuple(
        outcome
        for case in cases
        for variant in variants
        for outcome in judge(analyzer, analyzer.name, case, variant, seed)
    )


def judge(
    analyzer: Analyzer, name: str, case: Case, variant: str, seed: int
) -> tuple[Outcome, ...]:
    """The outcome of ``analyzer``, listed as ``name``; () where ``variant`` does not apply."""
    facts, data = facts_of(case), case.data
    if variant == "wrong-units":
        data = with_units(data, DOCUMENTED_UNITS.get(case.dataset, {}))
    changed = stressed(variant, data, case.answers, seed)
    if changed is None:
        return ()
    judged = under(facts, variant)
    outcome = _outcome(analyzer, name, judged, variant, changed, case.answers, seed, case.labels)
    return (outcome,)


def under(facts: Facts, variant: str) -> Facts:
    """``facts`` with the levels that ``variant`` leaves: without its metric, only the service."""
    if variant != "no-culprit":
        return facts
    return replace(facts, levels=tuple(level for level in facts.levels if level == "service"))


def facts_of(case: Case) -> Facts:
    """What scoring needs of ``case``."""
    return Facts(
        dataset=_counted_under(case),
        case=case.data.id,
        fault_type="" if case.answers.healthy else case.answers.fault_type.value,
        levels=levels_of(case.answers, objects=case.dataset in _OBJECT_SETS),
        subsets=_subsets(case),
        healthy=case.answers.healthy,
        system=case.system or case.dataset,
        name=case.name,
        label=case.answers.fault_label,
        answer=tuple(dict.fromkeys(entity.service_name for entity in case.answers.entities)),
    )


def _counted_under(case: Case) -> str:
    if case.dataset in _OBJECT_SETS and case.data.window.metrics is None:
        return f"{case.dataset}-snapshot"
    return f"{case.dataset}-nobaseline" if _lacks_baseline(case) else case.dataset


def _subsets(case: Case) -> tuple[str, ...]:
    if case.dataset in _OBJECT_SETS:
        return f"{case.dataset}-all", f"{case.dataset}-all-{_namespace(case)}"
    if case.dataset in _TRACE_SETS and case.data.window.spans is not None:
        return (f"{case.dataset}-traces",)
    return ()


def _namespace(case: Case) -> str:
    """The system of a cluster's case: the namespace its recorded calls asked for most."""
    asked = Counter(
        name
        for output in case.data.window.tool_outputs
        for name in re.findall(r'"namespace":\s*"([^"]+)"', output.call)
    )
    return asked.most_common(1)[0][0] if asked else "unknown"


def _run_healthy(task: Task, window: CaseData, facts: Facts) -> CaseReport:
    outcomes = tuple(
        _outcome(_analyzer(name), name, facts, CLEAN, window, None, task.seed)
        for name in task.methods
        if CLEAN in task.variants
    )
    return CaseReport(facts, outcomes)


def _outcome(
    analyzer: Analyzer,
    name: str,
    facts: Facts,
    variant: str,
    data: CaseData,
    answers: Answers | None,
    seed: int,
    labels: Sequence[str] = (),
) -> Outcome:
    # A copy of its own for every method: none can leave a trace in the next one's data.
    blind = shuffled(data, seed)
    began = time.perf_counter()
    ranking = outcome_of(lambda: analyzer.rank(blind, seed=seed))
    if isinstance(ranking, Broke):
        return lost(facts, variant, name, ranking.reason)
    ms = (time.perf_counter() - began) * 1000
    leading = ranking.entities()[:SCORES_KEPT]
    confidence = leading[0].confidence if leading else 0.0
    if not 0 <= confidence <= 1:
        return lost(facts, variant, name, f"confidence {confidence} is outside 0 to 1")
    return Outcome(
        facts=facts,
        variant=variant,
        method=name,
        status="ranked" if leading else "abstained",
        ranks=_ranks(facts, ranking, answers, data.window.metrics, labels),
        verdict=ranking.verdict,
        confidence=confidence,
        scores=tuple(suspect.score for suspect in leading),
        named=tuple(suspect.entity.service_name for suspect in leading),
        ms=ms,
    )


def _ranks(
    facts: Facts,
    ranking: Ranking,
    answers: Answers | None,
    metrics: MetricTable | None,
    labels: Sequence[str],
) -> dict[Level, int | None]:
    if answers is None:
        return {}
    return {level: rank_at(level, ranking, answers, metrics, labels) for level in facts.levels}


def _lacks_baseline(case: Case) -> bool:
    metrics, at = case.data.window.metrics, case.data.trigger.at
    if case.dataset not in _BASELINE_SETS or metrics is None or at is None:
        return False
    return int((metrics.times < at.timestamp()).sum()) < _ROWS_OF_A_BASELINE


@cache
def _analyzer(name: str) -> Analyzer:
    return plugins.analyzer(name)
