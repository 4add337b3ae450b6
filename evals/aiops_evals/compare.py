"""Methods against baselines on the same cases, and confidences against what came true."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TypedDict

import numpy as np

from aiops.model.telemetry import FloatArray
from aiops_evals.calibration import (
    BoolArray,
    Predictor,
    expected_calibration_error,
    leave_one_dataset_out,
)
from aiops_evals.levels import LEVELS, Level
from aiops_evals.outcomes import SCORES_KEPT, Outcome
from aiops_evals.significance import mcnemar
from aiops_evals.stress import CLEAN

BASELINES = ("nsigma", "baro", "correlation", "naive", "granger_pagerank", "random")
POOLED = "all"
ENOUGH_DISCORDANT = 6

Fit = Callable[[FloatArray, BoolArray], Predictor]


class Comparison(TypedDict):
    """McNemar's test of rank 1 at one level; ``dataset`` is "all" for the pool."""

    dataset: str
    level: Level
    method: str
    baseline: str
    n: int
    only_method: int
    only_baseline: int
    p_value: float


class Calibration(TypedDict):
    """How far the confidence of rank 1 is from its accuracy at service level.

    ``ece_left_out`` is None where nothing was refitted.
    """

    method: str
    n: int
    ac1: float
    mean_confidence: float
    ece: float
    ece_left_out: float | None


def comparisons(outcomes: Iterable[Outcome], methods: Sequence[str]) -> list[Comparison]:
    """Every whole method against every baseline, pooled, and per set with enough discordant pairs.

    The first of them is also compared with the others and with the ablations.
    """
    right: dict[tuple[Level, str], dict[tuple[str, str], bool]] = defaultdict(dict)
    for outcome in outcomes:
        if outcome.variant == CLEAN:
            for level, rank in outcome.ranks.items():
                case = (outcome.facts.dataset, outcome.facts.case)
                right[level, outcome.method][case] = rank == 1
    lines: list[Comparison] = []
    for level in sorted({level for level, _ in right}, key=LEVELS.index):
        for method, baseline in _pairs(methods):
            first, second = right[level, method], right[level, baseline]
            shared = [case for case in first if case in second]
            for dataset in (POOLED, *sorted({case[0] for case in shared})):
                cases = [case for case in shared if dataset in (case[0], POOLED)]
                test = mcnemar([first[c] for c in cases], [second[c] for c in cases])
                if cases and (dataset == POOLED or test.discordant >= ENOUGH_DISCORDANT):
                    lines.append(
                        {
                            "dataset": dataset,
                            "level": level,
                            "method": method,
                            "baseline": baseline,
                            "n": test.n,
                            "only_method": test.only_first,
                            "only_baseline": test.only_second,
                            "p_value": test.p_value,
                        }
                    )
    return lines


def _pairs(methods: Sequence[str]) -> list[tuple[str, str]]:
    baselines = [method for method in methods if method in BASELINES]
    whole = [method for method in methods if method not in BASELINES and not is_ablation(method)]
    pairs = [(method, baseline) for method in whole for baseline in baselines]
    others = [method for method in methods if method not in (*baselines, *whole[:1])]
    return pairs + [(method, other) for method in whole[:1] for other in others]


def is_ablation(method: str) -> bool:
    """Whether ``method`` is another one with a part left out, such as "aiops/no-calls"."""
    return "/no-" in method


def calibrations(
    outcomes: Iterable[Outcome], methods: Sequence[str], fit: Fit | None = None
) -> list[Calibration]:
    """The calibration error of each method that states confidences.

    Args:
        fit: learns a calibration from leading scores (n, 5), padded with 0, and whether rank 1
            was right; used to score each set by a calibration that never saw it. It is the
            default's, so it is applied to the first of ``methods`` only.
    """
    lines: list[Calibration] = []
    judged = [
        outcome
        for outcome in outcomes
        if outcome.variant == CLEAN and outcome.status == "ranked" and "service" in outcome.ranks
    ]
    for method in methods:
        own = [outcome for outcome in judged if outcome.method == method]
        if not any(outcome.confidence > 0 for outcome in own):
            continue
        correct = np.array([outcome.ranks["service"] == 1 for outcome in own])
        confidence = np.array([outcome.confidence for outcome in own])
        refitted = fit is not None and method == methods[0]
        lines.append(
            {
                "method": method,
                "n": len(own),
                "ac1": float(correct.mean()),
                "mean_confidence": float(confidence.mean()),
                "ece": expected_calibration_error(confidence, correct),
                "ece_left_out": _left_out(own, correct, fit) if fit and refitted else None,
            }
        )
    return lines


def _left_out(outcomes: Sequence[Outcome], correct: BoolArray, fit: Fit) -> float | None:
    datasets = [outcome.facts.dataset for outcome in outcomes]
    if len(set(datasets)) < 2:
        return None
    scores = np.zeros((len(outcomes), SCORES_KEPT))
    for row, outcome in zip(scores, outcomes, strict=True):
        row[: len(outcome.scores)] = outcome.scores
    held_out = leave_one_dataset_out(datasets, scores, correct, fit)
    return expected_calibration_error(held_out, correct)
