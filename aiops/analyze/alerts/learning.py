"""What models of past incidents are made of: tables of named features, forests, a ridge."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from aiops.analyze.alerts.features import Features
from aiops.errors import InvalidInput
from aiops.model.telemetry import FloatArray

BoolArray = npt.NDArray[np.bool_]

TREES = 120
"""Trees of a forest: more change no figure by more than its spread over seeds."""
LEAST_ROWS = 3
"""Rows of the past that must hold a feature: what was seen once is an anecdote."""
UNSURE = 1e-3
"""Probability below which two candidates are equally unlikely."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Feature names -> columns; what was not seen while learning is left out."""

    place: Mapping[str, int]

    @classmethod
    def of(cls, rows: Sequence[Features]) -> "Columns":
        """The columns of every feature that enough of ``rows`` hold."""
        seen: dict[str, int] = {}
        for row in rows:
            for name, value in row.items():
                if value:
                    seen[name] = seen.get(name, 0) + 1
        least = min(LEAST_ROWS, len(rows))
        kept = sorted(name for name, count in seen.items() if count >= least)
        return cls({name: i for i, name in enumerate(kept)})

    def table(self, rows: Sequence[Features]) -> FloatArray:
        """(rows, columns) of the features known."""
        table = np.zeros((len(rows), len(self.place)))
        for i, row in enumerate(rows):
            for name, value in row.items():
                column = self.place.get(name)
                if column is not None:
                    table[i, column] = value
        return table


def probability_of(model: Any, x: FloatArray, label: object) -> FloatArray:
    """(n,) probability of ``label``."""
    column = int(np.flatnonzero(model.classes_ == label)[0])
    probability: FloatArray = model.predict_proba(x)[:, column]
    return probability


def log_odds(probability: FloatArray) -> FloatArray:
    """(n,) log odds, finite everywhere."""
    odds: FloatArray = np.log(probability + UNSURE) - np.log(1 - probability + UNSURE)
    return odds


def balance(guilty: BoolArray) -> FloatArray:
    """(n,) weights under which the guilty count as much as the innocent."""
    each = (~guilty).sum() / max(1, int(guilty.sum()))
    weights: FloatArray = np.where(guilty, each, 1.0)
    return weights


@dataclass(frozen=True, slots=True)
class Learning:
    """scikit-learn, loaded when something is learned: it takes a second and is optional."""

    trees: Any
    logistic: Any
    scaler: Any
    pipeline: Any

    @classmethod
    def load(cls) -> "Learning":
        """The library.

        Raises:
            InvalidInput: it is not installed.
        """
        try:
            from sklearn.ensemble import ExtraTreesClassifier
            from sklearn.linear_model import LogisticRegression
            from sklearn.pipeline import make_pipeline
            from sklearn.preprocessing import StandardScaler
        except ImportError as error:
            raise InvalidInput(
                "learning from past incidents needs scikit-learn: pip install 'aiops[learn]'"
            ) from error
        return cls(ExtraTreesClassifier, LogisticRegression, StandardScaler, make_pipeline)

    def forest(self, seed: int, leaf: int, share: float) -> Any:
        """Extremely randomized trees (Geurts et al. 2006); ``share`` of the features a split."""
        return self.trees(
            TREES, min_samples_leaf=leaf, max_features=share, random_state=seed, n_jobs=1
        )

    def ridge(self, inverse: float) -> Any:
        """Logistic regression of scaled features."""
        model = self.logistic(C=inverse, max_iter=1000, class_weight="balanced")
        return self.pipeline(self.scaler(), model)
