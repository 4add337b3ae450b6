"""Alert lists: the learned ranker and triager, the label-free one, and what they must beat."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aiops.model import AlertSignal, CaseData
from aiops_datasets.case import Case
from aiops_evals.blind import shuffled
from aiops_evals.folds import f1, one_out, stratified

ONE_SERVICE_OUT = "learned, service unseen"
UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Task:
    """One set under one seed.

    Attributes:
        seed: of the folds and of what is learned; None leaves one service out at a time.
    """

    root: Path
    dataset: str
    seed: int | None
    limit: int | None = None

    def parts(self) -> tuple["Task", ...]:
        """It has none."""
        return (self,)


@dataclass(frozen=True, slots=True)
class Line:
    """How one method did on one set in one run.

    Attributes:
        hr1, hr3: share of incidents whose culprit instance is first, among the first three.
        macro_f1, weighted_f1: of the fault type; None where the method names none.
        unknown: share of incidents called unknown; None where the method never does.
    """

    dataset: str
    method: str
    n: int
    hr1: float
    hr3: float
    macro_f1: float | None = None
    weighted_f1: float | None = None
    unknown: float | None = None


def run(task: Task) -> list[Line]:
    """Every method on the cases of ``task``."""
    from aiops_datasets.catalog import load_case, locations

    places = list(locations(task.root, task.dataset))
    if task.limit is not None and len(places) > task.limit:
        step = len(places) / task.limit
        places = [places[int(i * step)] for i in range(task.limit)]
    cases = [load_case(place) for place in places]
    if task.seed is None:
        folds = one_out([case.answers.entities[0].service_name for case in cases])
        return [_learned(task, cases, folds, 0, ONE_SERVICE_OUT)] if len(folds) > 1 else []
    folds = stratified(
        [_stratum(case) for case in cases],
        [duplicate_key(case.data) for case in cases],
        task.seed,
    )
    from aiops.analyze.alerts import label_free

    return [
        _learned(task, cases, folds, task.seed, "learned"),
        _label_free(task, cases, task.seed),
        _scored(task, cases, task.seed, "alert count", label_free.by_count),
        _majority(task, cases, folds),
    ]


def duplicate_key(data: CaseData) -> tuple[tuple[str, ...], ...]:
    """Equal for alert lists with the same alerts, whatever their order."""
    return tuple(sorted(_alert_key(alert) for alert in data.window.alerts))


def _alert_key(alert: AlertSignal) -> tuple[str, ...]:
    peer = alert.peer.name if alert.peer is not None else ""
    return (alert.modality, alert.entity.name, alert.name, alert.detail, peer)


def _stratum(case: Case) -> tuple[str, str]:
    return case.answers.entities[0].service_name, case.answers.fault_label


def _learned(
    task: Task, cases: Sequence[Case], folds: Sequence[Sequence[int]], seed: int, name: str
) -> Line:
    from aiops.analyze.alerts.learned import LearnedTriage, PastIncident

    windows = [shuffled(case.data, seed).window for case in cases]
    ranks: list[int | None] = [None] * len(cases)
    said = [""] * len(cases)
    unknown = 0
    for fold in folds:
        held_out = set(fold)
        past = [
            PastIncident(windows[i], case.answers.entities[0], case.answers.fault_label)
            for i, case in enumerate(cases)
            if i not in held_out
        ]
        learned = LearnedTriage(past, seed=seed)
        for i, diagnosis in zip(
            fold, learned.diagnose_all([windows[i] for i in fold]), strict=True
        ):
            named = [entity.name for entity, _ in diagnosis.suspects]
            ranks[i] = _rank(named, cases[i])
            # The nearest label is scored even where the incident is called unknown.
            said[i] = diagnosis.labels[0][0] if diagnosis.labels else ""
            unknown += diagnosis.unknown
    macro, weighted = f1([case.answers.fault_label for case in cases], said)
    return _line(task, name, ranks, macro, weighted, unknown / len(cases))


def _scored(
    task: Task,
    cases: Sequence[Case],
    seed: int,
    name: str,
    scores: Callable[..., np.ndarray[tuple[int], np.dtype[np.float64]]],
) -> Line:
    from aiops.analyze.alerts.graph import lay_out

    ranks = []
    for case in cases:
        incident = lay_out(shuffled(case.data, seed).window)
        order = np.argsort(-scores(incident, seed=seed), kind="stable")
        ranks.append(_rank([incident.places[i].entity.name for i in order], case))
    return _line(task, name, ranks)


def _label_free(task: Task, cases: Sequence[Case], seed: int) -> Line:
    """The fault of the first suspect is in our vocabulary, which the truth is mapped to."""
    from aiops.analyze.alerts import label_free
    from aiops.analyze.alerts.fault_signs import fault_of
    from aiops.analyze.alerts.graph import lay_out

    ranks, said = [], []
    for case in cases:
        incident = lay_out(shuffled(case.data, seed).window)
        order = np.argsort(-label_free.scores(incident, seed=seed), kind="stable")
        ranks.append(_rank([incident.places[i].entity.name for i in order], case))
        found = label_free.findings(incident)
        said.append(fault_of(found[order[0]]).value if len(order) else UNKNOWN)
    macro, weighted = f1([case.answers.fault_type.value for case in cases], said)
    return _line(task, "label-free", ranks, macro, weighted)


def _majority(task: Task, cases: Sequence[Case], folds: Sequence[Sequence[int]]) -> Line:
    """Always the instance and the fault that were most frequent in the other folds."""
    ranks: list[int | None] = [None] * len(cases)
    said = [""] * len(cases)
    for fold in folds:
        rest = [case for i, case in enumerate(cases) if i not in set(fold)] or list(cases)
        culprits = Counter(case.answers.entities[0].name for case in rest)
        labels = Counter(case.answers.fault_label for case in rest)
        named = [name for name, _ in sorted(culprits.items(), key=lambda p: (-p[1], p[0]))]
        label = min(labels, key=lambda one: (-labels[one], one))
        for i in fold:
            ranks[i], said[i] = _rank(named, cases[i]), label
    macro, weighted = f1([case.answers.fault_label for case in cases], said)
    return _line(task, "majority class", ranks, macro, weighted)


def _rank(named: Sequence[str], case: Case) -> int | None:
    truth = {entity.name for entity in case.answers.entities}
    return next((i for i, name in enumerate(named, 1) if name in truth), None)


def _line(
    task: Task,
    name: str,
    ranks: Sequence[int | None],
    macro: float | None = None,
    weighted: float | None = None,
    unknown: float | None = None,
) -> Line:
    first = sum(rank == 1 for rank in ranks)
    three = sum(rank is not None and rank <= 3 for rank in ranks)
    n = len(ranks)
    return Line(task.dataset, name, n, first / n, three / n, macro, weighted, unknown)
