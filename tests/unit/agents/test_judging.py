"""A model's word beside the numbers: what it can change, and what it never can."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.agents.judging import LOW_MARGIN, followed, judged, told
from aiops.model import Entity, Evidence, Ranking, Suspect
from aiops.model.ranking import Verdict, Window
from aiops.model.said import Claim, Opinion

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
NAMES = ("api", "web", "cart", "db")
SERVICES = tuple(Entity("service", name) for name in NAMES)


def ranking(*confidences: float, verdict: Verdict = "root_cause") -> Ranking:
    """Suspects in the order of NAMES; E1 is about the first, E2 about the second, ..."""
    suspects = tuple(
        Suspect(SERVICES[at], None, 10.0 - at, share, evidence=(f"E{at + 1}",))
        for at, share in enumerate(confidences)
    )
    evidence = tuple(
        Evidence(f"E{at + 1}", "metric", "it moved", "data.csv", Window(NOON, NOON), "cpu")
        for at in range(len(suspects))
    )
    return Ranking(verdict, suspects, evidence=evidence)


def opinion(name: str | None, *evidence: str) -> Opinion:
    """With one claim that cites ``evidence``; without any where there is none."""
    claims = (Claim("it began there", evidence),) if evidence else ()
    suspect = SERVICES[NAMES.index(name)] if name is not None else None
    return Opinion("small", suspect, claims)


def order(of: Ranking) -> list[str]:
    return [suspect.entity.name for suspect in of.suspects]


CLOSE = (0.4, 0.38, 0.35, 0.1)


def test_a_model_that_somebody_gave_orders_does_not_say_who_stands_first() -> None:
    before, swayed = ranking(*CLOSE), replace(opinion("cart", "E3"), swayed=True)
    assert judged(before, swayed) is before
    assert told(before, swayed) == (
        "small: cart first, whom the statistics hardly tell from their first; not followed: "
        "something that it read reads like orders to it. it began there [E3]."
    )


def test_of_two_equals_the_model_says_who_stands_first() -> None:
    before = ranking(*CLOSE)
    after = judged(before, opinion("cart", "E3"))
    assert order(after) == ["cart", "api", "web", "db"]
    assert set(after.suspects) == set(before.suspects)  # nobody's numbers change


@pytest.mark.parametrize(
    ("numbers", "word"),
    [
        (ranking(*CLOSE), opinion("api", "E1")),  # as the statistics
        (ranking(*CLOSE), opinion("db", "E4")),  # too far behind
        (ranking(*CLOSE), opinion("web", "E1")),  # cites nothing about whom it accuses
        (ranking(*CLOSE), opinion("web")),  # cites nothing
        (ranking(*CLOSE), opinion(None, "E2")),  # cannot tell
        (ranking(0.6, 0.3), opinion("web", "E2")),  # the statistics are clear
        (ranking(0.0, 0.0), opinion("web", "E2")),  # the method gives no probabilities
        (ranking(0.4), opinion("web", "E2")),  # nobody on the list
        (ranking(*CLOSE, verdict="healthy"), opinion("web", "E2")),
    ],
)
def test_in_any_other_case_the_order_stands(numbers: Ranking, word: Opinion) -> None:
    assert judged(numbers, word) == numbers
    assert not followed(numbers, word)


def test_two_services_of_one_name_are_told_apart() -> None:
    here, there = (Entity("service", "web", namespace) for namespace in ("shop", "stage"))
    suspects = (
        Suspect(SERVICES[0], None, 10.0, 0.4, evidence=("E1",)),
        Suspect(there, None, 9.0, 0.39, evidence=("E1",)),
        Suspect(here, None, 8.0, 0.38, evidence=("E2",)),
    )
    numbers = replace(ranking(0.4, 0.39, 0.38), suspects=suspects)
    claims = (Claim("it began there", ("E2",)),)
    after = judged(numbers, Opinion("small", here, claims))
    assert [one.entity for one in after.suspects] == [here, SERVICES[0], there]
    assert judged(numbers, Opinion("small", there, claims)) == numbers  # E2 is about the other


@pytest.mark.parametrize(
    ("numbers", "word", "said"),
    [
        (
            ranking(*CLOSE),
            opinion("api", "E1"),
            "api first, as the statistics. it began there [E1].",
        ),
        (
            ranking(0.6, 0.3),
            opinion("web", "E2"),
            "web first, whom the statistics have second; their",
        ),
        (ranking(*CLOSE), opinion("web", "E2"), "hardly tell from their first; followed."),
        (ranking(*CLOSE), opinion(None), "the evidence does not tell."),
    ],
)
def test_the_report_says_what_became_of_it(numbers: Ranking, word: Opinion, said: str) -> None:
    assert said in told(numbers, word)
    assert told(numbers, word).startswith("small: ")


@given(
    shares=st.lists(st.floats(0, 1), min_size=1, max_size=4),
    verdict=st.sampled_from(["root_cause", "healthy", "inconclusive"]),
    name=st.sampled_from([None, *NAMES]),
    evidence=st.lists(st.sampled_from(["E1", "E2", "E3", "E4", "E9"]), max_size=3, unique=True),
)
def test_whatever_a_model_says_only_one_equal_suspect_moves(
    shares: list[float], verdict: Verdict, name: str | None, evidence: list[str]
) -> None:
    before = ranking(*sorted(shares, reverse=True), verdict=verdict)
    word = opinion(name, *evidence)
    after = judged(before, word)
    assert (after.verdict, after.evidence) == (before.verdict, before.evidence)
    assert set(after.suspects) == set(before.suspects)
    if after != before:
        moved = after.suspects[0]
        assert moved.entity == word.suspect
        assert [one for one in after.suspects if one != moved] == [
            one for one in before.suspects if one != moved
        ]
        assert before.suspects[0].confidence - moved.confidence < LOW_MARGIN
        assert verdict != "healthy"
        assert set(evidence) & set(moved.evidence)
    assert told(before, word)
