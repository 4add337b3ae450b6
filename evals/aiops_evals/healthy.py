"""Windows without a fault: how often a method accuses somebody anyway."""

from collections.abc import Iterable
from typing import TypedDict

from aiops_evals.outcomes import Outcome
from aiops_evals.significance import wilson

POOLED = "all"


class FalseAlarms(TypedDict):
    """One line of the healthy table; ``dataset`` is "all" for the pool."""

    dataset: str
    method: str
    n: int
    false_alarms: int
    rate: float
    low: float
    high: float
    failed: int


def false_alarms(outcomes: Iterable[Outcome], methods: Iterable[str]) -> list[FalseAlarms]:
    """Per method and set, and pooled, the share of healthy windows with verdict root_cause.

    A method that failed on a window accused nobody there; it is counted and listed as failed.
    """
    healthy = [outcome for outcome in outcomes if outcome.facts.healthy]
    lines: list[FalseAlarms] = []
    for method in methods:
        own = [outcome for outcome in healthy if outcome.method == method]
        for dataset in (*sorted({outcome.facts.dataset for outcome in own}), POOLED):
            chosen = [o for o in own if dataset in (o.facts.dataset, POOLED)]
            if chosen:
                lines.append(_line(dataset, method, chosen))
    return lines


def _line(dataset: str, method: str, outcomes: list[Outcome]) -> FalseAlarms:
    n = len(outcomes)
    alarms = sum(outcome.verdict == "root_cause" for outcome in outcomes)
    low, high = wilson(alarms, n)
    return {
        "dataset": dataset,
        "method": method,
        "n": n,
        "false_alarms": alarms,
        "rate": alarms / n,
        "low": low,
        "high": high,
        "failed": sum(outcome.status == "failed" for outcome in outcomes),
    }
