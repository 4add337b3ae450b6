"""Failing requests are followed down, whatever shape they have, to who has signs of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from traced_shop import ONSET, case_of, ranked, shop, spans

from aiops.agents.recursion.following import followed, leaning
from aiops.agents.recursion.requests import failing
from aiops.agents.recursion.walk import MOST_DEPTH, MOST_STOPS, Sign, Stop, walk


@dataclass(frozen=True)
class Tree:
    """Calls by service, each once; a service may call itself or its caller."""

    calls: Mapping[str, Sequence[str]]

    def below(self, stop: Stop) -> Sequence[Stop]:
        return [called(name) for name in self.calls.get(stop.service, ())]


def called(name: str, failed: int = 1) -> Stop:
    return Stop(name, "do", (0,), 1.0, failed)


def signs(**strengths: float) -> dict[str, Sign]:
    return {name: Sign(strength, frozenset({"metric"})) for name, strength in strengths.items()}


def ends_in(calls: Mapping[str, Sequence[str]], spoken: Mapping[str, Sign]) -> str | None:
    end = walk([called("front")], Tree(calls), spoken).end
    return end.service if end is not None else None


CHAIN = {"front": ["cart"], "cart": ["db"]}


def test_of_a_chain_the_one_with_the_strongest_signs_is_the_end() -> None:
    assert ends_in(CHAIN, signs(front=1.0, cart=2.0, db=4.0)) == "db"
    assert ends_in(CHAIN, signs(front=1.0, cart=4.0, db=2.0)) == "cart"


def test_of_two_about_as_strong_the_lower_is_the_end() -> None:
    assert ends_in(CHAIN, signs(cart=2.1, db=2.0)) == "db"


@pytest.mark.parametrize(("above", "below"), [("log", "metric"), ("metric", "trace")])
def test_logged_errors_tell_more_than_metrics_and_these_more_than_time_lost(
    above: str, below: str
) -> None:
    spoken = {"cart": Sign(2.0, frozenset({above})), "db": Sign(2.0, frozenset({below}))}  # type: ignore[arg-type]
    assert ends_in(CHAIN, spoken) == "cart"


def test_a_walk_past_nobody_with_signs_ends_nowhere() -> None:
    assert ends_in(CHAIN, {}) is None


def test_a_healthy_call_is_not_entered() -> None:
    walked = walk([called("front")], _Healthy({"front": ["cart"]}), signs(front=1.0))
    assert [action.about for action in walked.actions] == ["front", "front do", "front"]


class _Healthy(Tree):
    def below(self, stop: Stop) -> Sequence[Stop]:
        return [Stop(one.service, "do", (0,)) for one in super().below(stop)]


def test_calls_that_go_round_are_left() -> None:
    walked = walk([called("a")], Tree({"a": ["b"], "b": ["a", "b"]}), signs(a=1.0, b=2.0))
    assert (walked.end is not None, walked.forced) == (True, False)


def test_at_the_limit_it_answers_with_what_it_has() -> None:
    deep = {f"s{i}": [f"s{i + 1}"] for i in range(30)}
    walked = walk([called("s0")], Tree(deep), signs(s3=1.0, s20=9.0))
    assert walked.forced
    assert walked.end is not None
    assert walked.end.service == "s3"
    assert max(action.depth for action in walked.actions) <= MOST_DEPTH


def test_of_two_about_as_strong_the_upper_is_the_end_where_little_comes_from_the_lower() -> None:
    calls = _Counted({"front": ["db"]}, {"db": 1})
    walked = walk([Stop("front", "do", (0,), 1.0, 10)], calls, signs(front=2.0, db=2.0))
    assert walked.end is not None
    assert walked.end.service == "front"


@dataclass(frozen=True)
class _Counted(Tree):
    failed: Mapping[str, int]

    def below(self, stop: Stop) -> Sequence[Stop]:
        return [called(one.service, self.failed[one.service]) for one in super().below(stop)]


_NAMES = st.sampled_from([f"s{i}" for i in range(8)])


@given(
    st.dictionaries(_NAMES, st.lists(_NAMES, max_size=8)),
    st.lists(_NAMES, max_size=4),
    st.dictionaries(_NAMES, st.floats(0, 10)),
)
@settings(max_examples=80, deadline=None)
def test_any_calls_are_walked_to_an_end(
    calls: dict[str, list[str]], tops: list[str], strengths: dict[str, float]
) -> None:
    walked = walk([called(name) for name in tops], Tree(calls), signs(**strengths))
    assert sum(action.act == "trace" for action in walked.actions) <= MOST_STOPS + len(tops)
    assert walked.actions[-1].act == "print"
    assert walked.end is None or walked.end.service in strengths


def test_the_way_to_the_cause_is_evidence_for_it_and_against_those_who_wait() -> None:
    case, before = shop(), ranked("db", "cart", "front", "other")
    trail = followed(case, before)
    assert trail is not None
    assert "20 of 20 failing requests go front -> cart -> db" in trail.evidence[0].claim
    after = leaning(before, [trail])
    assert after.suspects[0].evidence == ("E1", "E5")
    assert [one.entity.name for one in after.cleared] == ["cart", "front"]
    assert after.cleared[0].reason.startswith("its failing requests go on to db")
    assert [one.entity for one in after.suspects] == [one.entity for one in before.suspects]


def test_a_way_that_few_of_the_requests_go_speaks_against_nobody() -> None:
    shop_of_two = case_of(spans(*_two_shops()))
    trail = followed(shop_of_two, ranked("db", "front"))
    assert trail is not None
    assert "5 of 20 failing requests go front -> db" in trail.evidence[0].claim
    assert [lean.service for lean in trail.leans] == ["db"]


def _two_shops() -> tuple[list[tuple[str, str, str, str, float, float]], list[str]]:
    """Every request fails at the front; few of them also call db, which fails."""
    rows, bad = [], []
    for i in range(60):
        late = i >= 40
        rows.append((f"t{i}", f"front{i}", "", "front", i * 2.5 + 0.01, 0.1))
        bad += [f"front{i}"] * late
        if i % 4 == 0:
            rows.append((f"t{i}", f"db{i}", f"front{i}", "db", i * 2.5 + 0.01, 0.1))
            bad += [f"db{i}"] * late
    return rows, bad


def test_the_accused_who_only_waits_is_said_to() -> None:
    case, before = shop(), ranked("front", "cart", "db")
    level = replace(before, suspects=tuple(replace(one, score=2.0) for one in before.suspects))
    trail = followed(case, level)
    assert trail is not None
    assert trail.leans[0].service == "db"
    (note,) = leaning(level, [trail]).notes
    assert note.startswith("Against front stands that its failing requests go on to db")


def test_leaning_twice_is_as_leaning_once() -> None:
    case, before = shop(), ranked("db", "cart")
    trail = followed(case, before)
    assert trail is not None
    assert leaning(leaning(before, [trail]), [trail]) == leaning(before, [trail])


def test_where_no_request_fails_there_is_nothing_to_follow() -> None:
    assert followed(case_of(None), ranked("db")) is None
    quiet = spans([("t", "a", "", "front", 150.0, 0.1)], [])
    assert followed(case_of(quiet), ranked("front")) is None


_IDS = st.sampled_from(["", "a", "b", "c", "d", "lost"])
_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["t1", "t2"]),
        _IDS,
        _IDS,
        st.sampled_from(["front", "cart", "db"]),
        st.floats(0, 200),
        st.floats(-1, 100),
    ),
    min_size=1,
    max_size=25,
)


@given(_ROWS, st.lists(_IDS, max_size=4))
@settings(max_examples=80, deadline=None)
def test_spans_that_are_their_own_ancestors_or_lost_their_parents_are_followed_to_an_end(
    rows: list[tuple[str, str, str, str, float, float]], bad: list[str]
) -> None:
    case, before = case_of(spans(rows, bad)), ranked("db", "cart", "front")
    trail = followed(case, before)
    requests = failing(case, ONSET)
    assert (trail is None) or (requests is not None and len(requests.roots) > 0)
    if trail is not None:
        assert leaning(before, [trail]).suspects[0].entity == before.suspects[0].entity
