"""The evaluation of root-cause rankers: plan, sweep, result."""

import json
import os
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

from aiops import plugins
from aiops.errors import InvalidInput, UnknownName
from aiops.model.telemetry import FloatArray
from aiops_evals import provenance
from aiops_evals.blind import generator
from aiops_evals.calibration import BoolArray, Predictor
from aiops_evals.compare import calibrations, comparisons
from aiops_evals.healthy import false_alarms
from aiops_evals.journal import Journal
from aiops_evals.judge import DOCUMENTED_UNITS, Task, run, under
from aiops_evals.left_out import systems_left_out
from aiops_evals.misses import by_label, misses
from aiops_evals.outcomes import CaseReport, Outcome, lost
from aiops_evals.rows import rows
from aiops_evals.stress import CLEAN, SHIFTS, VARIANTS
from aiops_evals.sweep import Done, sweep

DEFAULT_METHOD = "aiops"
_EXTRAS = {"neural_granger": "torch"}
METRIC_METHOD = "metrics"  # its rules are left out one by one, cheaply
FITTED = (DEFAULT_METHOD, METRIC_METHOD)  # their confidence is a curve fitted to recorded faults
STRESSED_BY_DEFAULT = "rcd-sockshop"


@dataclass(frozen=True, slots=True)
class Plan:
    """One evaluation, fully named.

    Attributes:
        root: the folder of the data sets.
        methods: the default first; the tables compare it with the others.
        stressed: the sets that are also ranked under every stress variant.
        shifted: those that are also ranked with the alert moved by a minute.
        limit: at most so many cases, and so many healthy windows, of each set, drawn by ``seed``;
            None for all.
        healthy: whether windows without a fault are ranked too.
        misses: whether the first method's misses are listed, and its hits counted by the sets'
            own labels.
    """

    root: Path
    datasets: tuple[str, ...]
    methods: tuple[str, ...]
    stressed: tuple[str, ...] = ()
    shifted: tuple[str, ...] = ()
    seed: int = 0
    jobs: int = 1
    limit: int | None = None
    healthy: bool = True
    misses: bool = False

    def identity(self) -> dict[str, Any]:
        """What must be equal for two runs' results to belong together."""
        return {
            "seed": self.seed,
            "commit": provenance.commit(),
            "code": provenance.code_checksum(),
            "datasets": {
                name: provenance.dataset_checksum(self.root, name) for name in self.datasets
            },
            "methods": list(self.methods),
            "stressed": list(self.stressed),
            "shifted": list(self.shifted),
            "limit": self.limit,
            "healthy": self.healthy,
        }


def make_plan(
    root: Path,
    *,
    datasets: Sequence[str] = (),
    methods: Sequence[str] = (),
    ablation: bool = False,
    stress: bool = False,
    seed: int = 0,
    jobs: int | None = None,
    limit: int | None = None,
    healthy: bool = True,
    misses: bool = False,
) -> Plan:
    """A plan whose names all exist.

    Args:
        datasets: () for every set in ``root``.
        methods: () for every analyzer installed.
        ablation: also the default ranker without each of its parts.
        stress: stress the sets named, or, where none is named, the one with exact units and times;
            and move the alert of every set.

    Raises:
        InvalidInput: ``root`` is no folder or holds no data set.
        UnknownName: a method or a data set does not exist.
    """
    from aiops_datasets.catalog import datasets as catalogued

    if not root.is_dir():
        raise InvalidInput(f"{root} is no folder; give the folder of the data sets with --data")
    present = catalogued(root)
    if not present:
        raise InvalidInput(f"{root} holds no data set; see `aiops datasets list`")
    for name in datasets:
        if name not in present:
            raise UnknownName("dataset", name, present)
    chosen = tuple(methods) or tuple(filter(_installed, plugins.names("aiops.analyzers")))
    chosen = tuple(dict.fromkeys((*chosen, *(_ablations() if ablation else ()))))
    for name in chosen:
        plugins.analyzer(name)
    names = tuple(dict.fromkeys(datasets))
    by_default = (STRESSED_BY_DEFAULT,) if STRESSED_BY_DEFAULT in present else ()
    return Plan(
        root=root,
        datasets=names or present,
        methods=tuple(sorted(chosen, key=lambda name: name != DEFAULT_METHOD)),
        stressed=(names or by_default) if stress else (),
        shifted=(names or present) if stress else (),
        seed=seed,
        jobs=jobs or os.cpu_count() or 1,
        limit=limit,
        healthy=healthy,
        misses=misses,
    )


def _installed(method: str) -> bool:
    """Whether what a method of an optional extra needs is there; others are asked for by name."""
    needs = _EXTRAS.get(method)
    return needs is None or find_spec(needs) is not None


def _ablations() -> tuple[str, ...]:
    from aiops.analyze.metric_scores import PARTS

    readers = tuple(f"{DEFAULT_METHOD}/no-{name}" for name in plugins.names("aiops.readers"))
    return (*readers, *(f"{METRIC_METHOD}/no-{part}" for part in PARTS))


def tasks(plan: Plan) -> tuple[list[Task], Counter[tuple[str, str]]]:
    """The tasks of ``plan``, and (dataset, reason) -> how many cases no method here can rank."""
    from aiops_datasets.catalog import locations

    found: list[Task] = []
    skipped: Counter[tuple[str, str]] = Counter()
    for dataset in plan.datasets:
        variants = (
            CLEAN,
            *(VARIANTS if dataset in plan.stressed else ()),
            *(SHIFTS if dataset in plan.shifted else ()),
        )
        own = []
        for location in locations(plan.root, dataset):
            if location.path.is_file():  # a line of an alert list
                skipped[dataset, "alert lists, no metrics to rank"] += 1
            else:
                own.append(Task(dataset, location, plan.methods, variants, plan.seed))
        found += _drawn(own, plan, dataset)
        if plan.healthy:
            found += _drawn(_healthy(plan, dataset), plan, f"{dataset}, healthy")
    return found, skipped


def _healthy(plan: Plan, dataset: str) -> list[Task]:
    from aiops_datasets.healthy import windows_of

    return [
        Task(dataset, window, plan.methods, (CLEAN,), plan.seed)
        for window in windows_of(plan.root, dataset)
    ]


def _drawn(own: list[Task], plan: Plan, label: str) -> list[Task]:
    if plan.limit is None or len(own) <= plan.limit:
        return own
    drawn = generator(plan.seed, label).choice(len(own), plan.limit, replace=False)
    return [own[i] for i in sorted(drawn.tolist())]


def execute(
    plan: Plan, found: Iterable[Task], journal: Journal | None = None
) -> Iterator[CaseReport]:
    """Every task's report: those of the journal first, then the others as they finish."""
    rest = []
    for task in found:
        if journal is not None and task.key in journal.finished:
            yield journal.finished[task.key]
        else:
            rest.append(task)
    for done in sweep(rest, run, jobs=min(plan.jobs, max(1, len(rest))), split=Task.parts):
        report = merged(done)
        if journal is not None:
            journal.append(done.task.key, report)
        yield report


def merged(done: Done[Task, CaseReport]) -> CaseReport:
    """One report of a task whose parts may have run, or died, apart."""
    facts = next((report.facts for report in done.results if report.facts is not None), None)
    if facts is None:
        reasons = [report.skipped for report in done.results if report.skipped]
        return CaseReport(None, skipped=reasons[0] if reasons else "its worker died loading it")
    outcomes = [outcome for report in done.results for outcome in report.outcomes]
    outcomes += [
        lost(under(facts, variant), variant, method, "its worker process died")
        for part in done.lost
        for variant in part.variants
        for method in part.methods
    ]
    skipped = next((report.skipped for report in done.results if report.skipped), "")
    return CaseReport(facts, tuple(outcomes), skipped, done.results[0].load_s)


def result(
    plan: Plan,
    reports: Sequence[CaseReport],
    skipped: Counter[tuple[str, str]],
    *,
    identity: Mapping[str, Any],
    partial: bool = False,
) -> dict[str, Any]:
    """The evaluation as JSON: header and rows, in the design's format.

    Beyond what the design asks, the header carries the healthy windows, the calibration, the
    comparisons, and every case that failed, abstained or was skipped, with its reason.

    Args:
        skipped: what ``tasks`` left out.
        identity: ``plan.identity()`` as it was when the run began.
        partial: the run was stopped before its end.
    """
    ordered = sorted(
        (outcome for report in reports for outcome in report.outcomes),
        key=lambda o: (o.facts.dataset, plan.methods.index(o.method), o.facts.case),
    )
    left_out = skipped + Counter(
        (report.facts.dataset if report.facts else "?", report.skipped)
        for report in reports
        if report.skipped
    )
    faulty = [outcome for outcome in ordered if not outcome.facts.healthy]
    header = {
        "schema": "aiops.eval/1",
        "partial": partial,
        **identity,
        "jobs": plan.jobs,
        "versions": provenance.versions(),
        "machine": provenance.machine(),
        "command": provenance.command_line(),
        "load_ms_per_case": _load_ms(reports),
        "notes": _notes(plan),
        "skipped": [
            {"dataset": dataset, "reason": reason, "n": n}
            for (dataset, reason), n in sorted(left_out.items())
        ],
        "unanswered": [_unanswered(o) for o in ordered if o.status != "ranked"],
        "healthy_windows": false_alarms(ordered, plan.methods),
        "calibration": calibrations(
            faulty, plan.methods, _refit if plan.methods[0] == DEFAULT_METHOD else None
        ),
        "systems_left_out": systems_left_out(
            faulty, {name: _refit for name in FITTED if name in plan.methods}
        ),
        "mcnemar": comparisons(faulty, plan.methods),
    }
    if plan.misses:
        first = [outcome for outcome in ordered if outcome.method == plan.methods[0]]
        header |= {"labels": by_label(first), "misses": misses(first)}
    # Stable: within a set and method, levels and fault types stay as they came.
    in_order = sorted(
        rows(faulty), key=lambda row: (row["dataset"], plan.methods.index(row["method"]))
    )
    return {"header": header, "rows": in_order}


def _refit(scores: FloatArray, correct: BoolArray) -> Predictor:
    """The calibration of either of ``FITTED``, fitted anew on the cases given."""
    from aiops.analyze import confidence

    fitted = confidence.fit(scores, correct)
    return lambda unseen: np.array([fitted.first(leading) for leading in unseen])


def _load_ms(reports: Iterable[CaseReport]) -> dict[str, float]:
    """Set -> median milliseconds to load one of its cases."""
    seconds: dict[str, list[float]] = defaultdict(list)
    for report in reports:
        if report.facts is not None and report.outcomes and not report.facts.healthy:
            seconds[report.facts.dataset].append(report.load_s)
    return {dataset: 1000 * median(own) for dataset, own in sorted(seconds.items())}


def _unanswered(outcome: Outcome) -> dict[str, str]:
    return {
        "dataset": outcome.facts.dataset,
        "case": outcome.facts.case,
        "method": outcome.method,
        "variant": "healthy" if outcome.facts.healthy else outcome.variant,
        "status": outcome.status,
        "reason": outcome.reason,
    }


def _notes(plan: Plan) -> list[str]:
    notes = ["Columns and candidates are shuffled by the seed; names are compared exactly."]
    if "cloudopsbench" in plan.datasets:
        notes.append(
            "cloudopsbench: the cases with metrics; cloudopsbench-snapshot: those without, which "
            "only methods that read cluster state are asked about; -all: both, also by namespace. "
            "Cases on a node or namespace have no service level. Fault labels are handed over as "
            "data; the published prompts list gateway_misrouted and db_readonly_mode where the "
            "answers say gateway_misroute and db_read_only, so those cannot score there."
        )
    if "petshop" in plan.datasets:
        notes.append("petshop: cases with a baseline; those without one are petshop-nobaseline.")
    for name in plan.stressed:
        if name in DOCUMENTED_UNITS:
            units = ", ".join(f"{k}: {v}" for k, v in DOCUMENTED_UNITS[name].items())
            notes.append(
                f"{name} carries no unit metadata: for wrong-units its documented units "
                f"({units}) were attached and then permuted."
            )
    return notes


def write_atomically(path: Path, text: str) -> None:
    """Writes ``path`` whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.part")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def as_json(evaluation: dict[str, Any]) -> str:
    """``evaluation`` as text; numbers that are no numbers are refused."""
    return json.dumps(evaluation, indent=1, allow_nan=False) + "\n"
