"""Judging services that never had a fault before, by what culprits of other services looked like.

A ranker that learns from all candidates of past incidents also learns that services which never
were at fault never are. So their candidates teach nothing here: the forest only compares culprits
with candidates of services that have been culprits at other times, and sees beside their features
what holds for any service: where the label-free ranking puts them, and their ``coverage``.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from aiops.analyze.alerts import label_free
from aiops.analyze.alerts.coverage import coverage
from aiops.analyze.alerts.features import Features
from aiops.analyze.alerts.graph import Incident
from aiops.analyze.alerts.learning import (
    BoolArray,
    Columns,
    Learning,
    balance,
    log_odds,
    probability_of,
)
from aiops.model.telemetry import FloatArray

NEWCOMERS = 0.2
"""Prior probability that a service without any past fault is the cause. Halved, it costs services
never seen up to 16 points of HR@1; doubled, it costs a system whose services all failed before
nearly one."""
LEAST_LEAF = 2
"""Rows in a leaf: one past incident is no rule."""
FEATURE_SHARE = 0.2


class RoleForest:
    """The role-based score of candidates.

    Args:
        rows: features of the candidates of past incidents, with what ``by_role`` adds.
        guilty: (rows,) which of them were culprits; both kinds occur.
        failed_before: (rows,) whose service was at fault in some past incident.
    """

    def __init__(
        self,
        rows: Sequence[Features],
        guilty: BoolArray,
        failed_before: BoolArray,
        learning: Learning,
        seed: int,
    ) -> None:
        # A system where only one instance ever failed leaves nobody of its kind to compare with.
        kept = failed_before if not guilty[failed_before].all() else np.ones_like(guilty)
        known = [rows[i] for i in np.flatnonzero(kept).tolist()]
        self._columns = Columns.of(known)
        forest: Any = learning.forest(seed, LEAST_LEAF, FEATURE_SHARE)
        self._forest = forest.fit(
            self._columns.table(known), guilty[kept], sample_weight=balance(guilty[kept])
        )

    def odds(self, rows: Sequence[Features]) -> FloatArray:
        """(rows,) log odds of being the culprit."""
        return log_odds(probability_of(self._forest, self._columns.table(rows), True))


def newcomers_prior(strangers: BoolArray) -> FloatArray:
    """(c,) log prior odds of one incident's candidates: 0, and for strangers what each has of
    NEWCOMERS, which all of them share, against what each of the others has of the rest."""
    new, old = max(1, int(strangers.sum())), max(1, int((~strangers).sum()))
    each = math.log(NEWCOMERS / (1 - NEWCOMERS)) - math.log(new / old)
    return np.where(strangers, each, 0.0)


def by_role(incident: Incident) -> tuple[Features, ...]:
    """What is true of a candidate in any system, in the order of ``incident.places``."""
    both = zip(_standing(incident), coverage(incident), strict=True)
    return tuple({**place, **covered} for place, covered in both)


def _standing(incident: Incident) -> tuple[Features, ...]:
    """Where the label-free ranking puts each candidate, in the order of ``incident.places``."""
    scores = label_free.scores(incident)
    if not len(scores):
        return ()
    order = np.argsort(-scores, kind="stable")
    rank = np.empty(len(scores))
    rank[order] = np.arange(1, len(scores) + 1)
    best, runner_up = scores[order[0]], scores[order[1]] if len(scores) > 1 else 0.0
    rivals = np.where(rank == 1, runner_up, best)
    return tuple(
        {
            "label-free": float(score),
            "label-free of the most": float(score / max(best, 1e-9)),
            "label-free rank": float(1 / place),
            "label-free lead": float(score - rival),
        }
        for score, place, rival in zip(scores, rank, rivals, strict=True)
    )
