"""What was answered wrongly, case by case, and how often each of a set's own labels was right."""

from collections import defaultdict
from collections.abc import Iterable
from typing import TypedDict

from aiops_evals.outcomes import Outcome
from aiops_evals.stress import CLEAN

SHOWN = 3


class LabelRow(TypedDict):
    """One of a set's own fault labels; ``hits1``, ``hits3``: a cause was among the first so many.

    Judged at the first level the cases have; ``missed``: another verdict than root_cause.
    """

    dataset: str
    method: str
    label: str
    n: int
    hits1: int
    hits3: int
    missed: int


class Miss(TypedDict):
    """A case whose cause was not named first, or a healthy one in which somebody was accused.

    Attributes:
        rank: of the answer; None where it was not named, or where nothing was at fault.
        named: the first services that were accused.
    """

    dataset: str
    method: str
    case: str
    label: str
    answer: list[str]
    rank: int | None
    verdict: str
    named: list[str]


def by_label(outcomes: Iterable[Outcome]) -> list[LabelRow]:
    """One row per set, method and label of the faulty cases, sorted by label."""
    groups: dict[tuple[str, str, str], list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        if _judged(outcome):
            facts = outcome.facts
            groups[facts.dataset, outcome.method, facts.label].append(outcome)
    return [_label_row(*key, groups[key]) for key in sorted(groups)]


def misses(outcomes: Iterable[Outcome]) -> list[Miss]:
    """The misses, faulty cases first, in the order of the cases' names."""
    wrong = [outcome for outcome in outcomes if _wrong(outcome)]
    wrong.sort(key=lambda o: (o.facts.dataset, o.method, o.facts.healthy, o.facts.name))
    return [_miss(outcome) for outcome in wrong]


def _judged(outcome: Outcome) -> bool:
    facts = outcome.facts
    return outcome.variant == CLEAN and not facts.healthy and bool(facts.levels)


def _rank(outcome: Outcome) -> int | None:
    return outcome.ranks[outcome.facts.levels[0]] if outcome.facts.levels else None


def _wrong(outcome: Outcome) -> bool:
    if outcome.facts.healthy:
        return outcome.verdict == "root_cause"
    return _judged(outcome) and _rank(outcome) != 1


def _label_row(dataset: str, method: str, label: str, outcomes: list[Outcome]) -> LabelRow:
    ranks = [_rank(outcome) for outcome in outcomes]
    return {
        "dataset": dataset,
        "method": method,
        "label": label,
        "n": len(outcomes),
        "hits1": sum(rank == 1 for rank in ranks),
        "hits3": sum(rank is not None and rank <= SHOWN for rank in ranks),
        "missed": sum(outcome.verdict != "root_cause" for outcome in outcomes),
    }


def _miss(outcome: Outcome) -> Miss:
    facts = outcome.facts
    return {
        "dataset": facts.dataset,
        "method": outcome.method,
        "case": facts.name or facts.case,
        "label": facts.label,
        "answer": list(facts.answer),
        "rank": _rank(outcome),
        "verdict": outcome.verdict or outcome.status,
        "named": list(outcome.named[:SHOWN]),
    }
