"""How sure a ranking may be, calibrated on recorded faults, and when it accuses nobody.

The probabilities come from a logistic curve over what the scores look like, fitted across data
sets (``evals/aiops_evals/calibration.py`` refits it and prints the leave-one-dataset-out error).
"""

from dataclasses import dataclass

import numpy as np

from aiops.model import Verdict
from aiops.model.telemetry import FloatArray

ANOMALY = 1.8
"""log(1 + shift): five usual variations of a resource, fleet floor included. Below it, healthy
windows of the development sets wander."""
QUIET = 1.1
"""Two usual variations: below it nothing happened."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """P(the first is right), a logistic curve.

    sigmoid(bias + presence * p + margin * (s1 - s2) / s1 + size * log(1 + s1)) of the presence p
    and the two best services' scores s1 and s2.
    """

    bias: float
    presence: float
    margin: float
    size: float

    def of(self, scores: FloatArray, presence: float) -> FloatArray:
        """Probabilities of services in the order of their scores.

        Args:
            scores: (services,) descending, >= 0.
            presence: strongest sign that anything is wrong at all.

        Returns:
            (services,) descending; the first is calibrated, the others share what it leaves in
            proportion to their scores and stay below it.
        """
        if len(scores) == 0:
            return np.zeros(0)
        first = 1 / (1 + np.exp(-float(self.features(scores, presence) @ self.coefficients())))
        rest = scores[1:] / max(float(scores[1:].sum()), 1e-12) * (1 - first)
        return np.concatenate([[first], np.minimum(rest, first)])

    def coefficients(self) -> FloatArray:
        """(4,) in the order of ``features``."""
        return np.array([self.bias, self.presence, self.margin, self.size])

    @staticmethod
    def features(scores: FloatArray, presence: float) -> FloatArray:
        """(4,) what the confidence depends on."""
        first = float(scores[0])
        second = float(scores[1]) if len(scores) > 1 else 0.0
        margin = (first - second) / first if first > 0 else 0.0
        return np.array([1.0, min(presence, 5.0), margin, np.log1p(max(first, 0.0))])


DEFAULT = Calibration(bias=-2.5, presence=0.5, margin=4.0, size=0.5)


def verdict(presence: float) -> Verdict:
    """root_cause, inconclusive or healthy, by how far the strongest shift went."""
    if presence >= ANOMALY:
        return "root_cause"
    return "healthy" if presence < QUIET else "inconclusive"
