"""Outcomes counted into the rows of an evaluation (design: the command line, ``eval --out``)."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from statistics import median
from typing import TypedDict

from aiops_evals.accuracy import accuracy
from aiops_evals.levels import Level
from aiops_evals.outcomes import Outcome
from aiops_evals.significance import wilson

ALL = "all"


class Row(TypedDict):
    """One line of a result: a method on a set at a level, over all fault types or one.

    ms_per_case is the median of the ranking alone. ``missed`` counts faulty cases answered with
    another verdict than root_cause: accuracy judges the order of suspects whatever the verdict, so
    this stands beside it. ac1_low and ac1_high: Wilson, 95 %.
    """

    dataset: str
    method: str
    level: Level
    fault_type: str
    variant: str
    n: int
    ac1: float
    ac3: float
    ac5: float
    avg5: float
    mrr: float
    ms_per_case: float
    failed: int
    abstained: int
    hits1: int
    hits3: int
    hits5: int
    ac1_low: float
    ac1_high: float
    missed: int


def rows(outcomes: Iterable[Outcome]) -> list[Row]:
    """One row per (set or subset, method, level, fault type or "all", variant), as they appear."""
    groups: dict[tuple[str, str, Level, str, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if outcome.facts.healthy:
            continue
        for key in _keys(outcome):
            groups[key].append(outcome)
    return [_row(*key, group) for key, group in groups.items()]


def _keys(outcome: Outcome) -> Iterator[tuple[str, str, Level, str, str]]:
    facts = outcome.facts
    for level in facts.levels:
        for dataset in (facts.dataset, *facts.subsets):
            for fault_type in (ALL, facts.fault_type):
                yield dataset, outcome.method, level, fault_type, outcome.variant


def _row(
    dataset: str,
    method: str,
    level: Level,
    fault_type: str,
    variant: str,
    outcomes: list[Outcome],
) -> Row:
    counted = accuracy([outcome.ranks[level] for outcome in outcomes])
    times = [outcome.ms for outcome in outcomes if outcome.status != "failed"]
    low, high = wilson(counted.hits[0], counted.n)
    return {
        "dataset": dataset,
        "method": method,
        "level": level,
        "fault_type": fault_type,
        "variant": variant,
        "n": counted.n,
        "ac1": counted.at(1),
        "ac3": counted.at(3),
        "ac5": counted.at(5),
        "avg5": counted.avg5,
        "mrr": counted.mrr,
        "ms_per_case": median(times) if times else 0.0,
        "failed": sum(outcome.status == "failed" for outcome in outcomes),
        "abstained": sum(outcome.status == "abstained" for outcome in outcomes),
        "hits1": counted.hits[0],
        "hits3": counted.hits[2],
        "hits5": counted.hits[4],
        "ac1_low": low,
        "ac1_high": high,
        "missed": sum(
            outcome.status != "failed" and outcome.verdict != "root_cause" for outcome in outcomes
        ),
    }
