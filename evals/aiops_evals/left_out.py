"""What was fitted, judged on systems that the fit never saw.

Several sets were recorded on the same system, so that leaving out one set still lets a fit see its
services under another name of the set. Here a whole system is left out at a time.
"""

from collections.abc import Iterable, Mapping
from typing import TypedDict

import numpy as np

from aiops_evals.calibration import expected_calibration_error, leave_one_dataset_out
from aiops_evals.compare import POOLED, Fit
from aiops_evals.outcomes import SCORES_KEPT, Outcome
from aiops_evals.stress import CLEAN


class LeftOut(TypedDict):
    """One method on the cases of one system, or on all; errors are expected calibration errors.

    mean_confidence and ece are of the confidences as stated, ece_left_out of the same curve fitted
    to every other system's cases.
    """

    method: str
    system: str
    n: int
    ac1: float
    mean_confidence: float
    ece: float
    ece_left_out: float


def systems_left_out(outcomes: Iterable[Outcome], fits: Mapping[str, Fit]) -> list[LeftOut]:
    """A line for each system and one for all, of each method; none where there is one system.

    Args:
        fits: method -> learns its calibration from leading scores (n, 5), padded with 0, and
            whether rank 1 was right.
    """
    judged = [
        outcome
        for outcome in outcomes
        if outcome.variant == CLEAN and outcome.status == "ranked" and "service" in outcome.ranks
    ]
    lines: list[LeftOut] = []
    for method, fit in fits.items():
        own = [outcome for outcome in judged if outcome.method == method]
        systems = [outcome.facts.system for outcome in own]
        if len(set(systems)) < 2:
            continue
        scores = np.zeros((len(own), SCORES_KEPT))
        for row, outcome in zip(scores, own, strict=True):
            row[: len(outcome.scores)] = outcome.scores
        correct = np.array([outcome.ranks["service"] == 1 for outcome in own])
        stated = np.array([outcome.confidence for outcome in own])
        held_out = leave_one_dataset_out(systems, scores, correct, fit)
        for system in (POOLED, *sorted(set(systems))):
            chosen = np.array([system in (POOLED, name) for name in systems])
            lines.append(
                {
                    "method": method,
                    "system": system,
                    "n": int(chosen.sum()),
                    "ac1": float(correct[chosen].mean()),
                    "mean_confidence": float(stated[chosen].mean()),
                    "ece": expected_calibration_error(stated[chosen], correct[chosen]),
                    "ece_left_out": expected_calibration_error(held_out[chosen], correct[chosen]),
                }
            )
    return lines
