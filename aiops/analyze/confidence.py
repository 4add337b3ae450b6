"""How sure a ranking may be, calibrated on recorded faults, and when it accuses nobody.

A ranking is right more often the further its first service is ahead. The curve is fitted across
data sets; ``aiops eval rca`` prints its error, also with the data set at hand left out of the fit.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from aiops.model import Verdict
from aiops.model.telemetry import FloatArray

ANOMALY = 1.6
"""log(1 + 4): a resource moved by four of its usual variations, fleet floor included. Symptoms and
second-hand metrics must move further, by their weight. Healthy windows stay below."""
QUIET = 1.1
"""log(1 + 2): below two usual variations nothing happened."""
_RIDGE = 1.0
"""L2 penalty of the fit on standardised features: a few hundred cases carry no more."""
_STEPS = 30  # of Newton, which converges in fewer than ten here; no tolerance to choose


@dataclass(frozen=True, slots=True)
class Calibration:
    """P(the first service is right), a logistic curve over the leading scores.

    sigmoid(bias + margin * (s1 - s2) / s1 + lead * (s1 - s2)) of the best two services' scores.
    """

    bias: float
    margin: float
    lead: float

    def first(self, scores: FloatArray) -> float:
        """The probability that the first is right.

        Args:
            scores: (services,) descending, >= 0, at least one.
        """
        logit = features(scores[None, :2]) @ np.array([self.bias, self.margin, self.lead])
        return float(1 / (1 + np.exp(-logit[0])))

    def of(self, scores: FloatArray) -> FloatArray:
        """(services,) probabilities, descending.

        The first is calibrated; the others share what it leaves in proportion to their scores.
        """
        if len(scores) == 0:
            return np.zeros(0)
        first = self.first(scores)
        rest = scores[1:] / max(float(scores[1:].sum()), 1e-12) * (1 - first)
        return np.concatenate([[first], np.minimum(rest, first)])


def features(scores: FloatArray) -> FloatArray:
    """(n, 3) what the confidence depends on: one, the relative and the absolute lead.

    Args:
        scores: (n, k) of the leading services of n cases, descending.
    """
    first = scores[:, 0]
    second = scores[:, 1] if scores.shape[1] > 1 else np.zeros(len(scores))
    lead = first - second
    return np.column_stack([np.ones(len(scores)), lead / np.where(first > 0, first, 1.0), lead])


def fit(scores: FloatArray, correct: npt.NDArray[np.bool_]) -> Calibration:
    """The curve that fits rankings whose first service was right or wrong.

    Ridge-penalised logistic regression by Newton's method on standardised features.

    Args:
        scores: (n, k) of the leading services, descending.
        correct: (n,) whether the first was right.
    """
    raw = features(scores)
    mean, spread = raw[:, 1:].mean(axis=0), raw[:, 1:].std(axis=0) + 1e-9
    design = np.column_stack([raw[:, 0], (raw[:, 1:] - mean) / spread])
    penalty = 2 * _RIDGE * np.diag([1e-6, 1.0, 1.0])
    weights = np.zeros(3)
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-design @ weights))
        gradient = design.T @ (chance - correct) + penalty @ weights
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + penalty
        weights = weights - np.linalg.solve(curvature, gradient)
    slopes = weights[1:] / spread
    return Calibration(float(weights[0] - slopes @ mean), float(slopes[0]), float(slopes[1]))


DEFAULT = Calibration(bias=-1.135, margin=1.808, lead=0.968)
"""Fitted on the 296 development cases with metrics of nine data sets (rounded)."""
FUSED = Calibration(bias=-0.420, margin=1.433, lead=1.662)
"""The same for rankings of every reader's hypotheses, whose scores are nats (same cases)."""


def verdict(presence: float) -> Verdict:
    """root_cause, inconclusive or healthy, by how far the strongest shift went."""
    if presence >= ANOMALY:
        return "root_cause"
    return "healthy" if presence < QUIET else "inconclusive"
