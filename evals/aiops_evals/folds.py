"""Folds for what is learned: shuffled, stratified, duplicates together, or one service out."""

from collections import defaultdict
from collections.abc import Hashable, Sequence

import numpy as np

from aiops_evals.blind import generator

FOLDS = 5


def stratified(
    strata: Sequence[Hashable], duplicates: Sequence[Hashable], seed: int, folds: int = FOLDS
) -> list[list[int]]:
    """Case numbers of each fold.

    Cases are dealt to the folds stratum after stratum, so that each fold gets its share of every
    one; equal ``duplicates`` go where the first of them goes.

    Args:
        strata: what to balance by, per case, such as (service, fault type).
        duplicates: a key per case, equal for exact copies.
    """
    copies: dict[Hashable, list[int]] = defaultdict(list)
    for i, key in enumerate(duplicates):
        copies[key].append(i)
    groups = list(copies.values())
    order = generator(seed, "folds").permutation(len(groups))
    rank = {stratum: i for i, stratum in enumerate(sorted(set(strata), key=repr))}
    dealt = sorted(order.tolist(), key=lambda g: rank[strata[groups[g][0]]])
    found: list[list[int]] = [[] for _ in range(folds)]
    for turn, group in enumerate(dealt):
        found[turn % folds] += groups[group]
    return [sorted(fold) for fold in found if fold]


def one_out(groups: Sequence[str]) -> list[list[int]]:
    """Case numbers by group: each fold is all cases of one service, say."""
    return [[i for i, own in enumerate(groups) if own == name] for name in sorted(set(groups))]


def f1(truth: Sequence[str], answer: Sequence[str]) -> tuple[float, float]:
    """(macro, weighted) F1 over the labels of ``truth``; other answers are merely wrong.

    Raises:
        ValueError: no case, or not the same number of both.
    """
    if not truth or len(truth) != len(answer):
        raise ValueError(f"{len(truth)} truths and {len(answer)} answers have no F1")
    true, said = np.array(truth, dtype=object), np.array(answer, dtype=object)
    scores, sizes = [], []
    for label in sorted(set(truth)):
        hits = int(((true == label) & (said == label)).sum())
        named, present = int((said == label).sum()), int((true == label).sum())
        scores.append(2 * hits / (named + present))
        sizes.append(present)
    return float(np.mean(scores)), float(np.average(scores, weights=sizes))
