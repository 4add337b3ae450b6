"""A campaign's plan: shares, rounds of kinds, no two faults alike, and nothing told by an id."""

from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_lab import TOPOLOGY

from aiops_lab.campaign.plan import CannotPlan, PlannedCase, Wish, draw, kinds_of
from aiops_lab.faults.catalogue import KINDS
from aiops_lab.faults.orders import read_order
from aiops_lab.faults.ports import Ground
from aiops_lab.topology.load import SHOP, load

FILES = (SHOP, SHOP.with_name("second.yaml"))
GROUNDS = tuple(Ground(load(file), ("node-1",)) for file in FILES)

sizes = st.integers(1, 75)  # the last round of kinds is the third
few = settings(max_examples=30)
seeds = st.integers(0, 2**32)
grounds = st.sampled_from(GROUNDS)


def possible(ground: Ground) -> set[str]:
    return {kind.name for kind in KINDS if kind.targets(ground)}


def faulty(cases: tuple[PlannedCase, ...]) -> list[PlannedCase]:
    return [case for case in cases if case.orders]


@few
@given(grounds, sizes, seeds)
def test_a_fifth_of_any_campaign_is_healthy_and_the_rest_has_one_fault(
    ground: Ground, size: int, seed: int
) -> None:
    cases = draw(ground, Wish(size, seed))
    assert len(cases) == size
    assert size - len(faulty(cases)) == round(size / 5)
    assert all(len(case.orders) == 1 for case in faulty(cases))


@few
@given(grounds, sizes, seeds)
def test_every_kind_that_is_possible_comes_up_before_any_repeats(
    ground: Ground, size: int, seed: int
) -> None:
    counted = kinds_of(draw(ground, Wish(size, seed)))
    kinds = possible(ground)
    assert set(counted) <= kinds
    assert len(counted) == min(len(kinds), counted.total())


@few
@given(grounds, sizes, seeds, st.integers(0, 20))
def test_no_two_orders_break_the_same_in_the_same_way(
    ground: Ground, size: int, seed: int, doubles: int
) -> None:
    wish = Wish(size, seed, doubles=min(doubles, (size - round(size / 5)) // 4))
    orders = [order for case in draw(ground, wish) for order in case.orders]
    read = [read_order(order, ground) for order in orders]  # every one can be carried out
    alike = Counter((one.name, *sorted(one.values.items())) for one in read)
    assert set(alike.values()) <= {1}


@few
@given(grounds, sizes, seeds)
def test_the_same_seed_gives_the_same_plan_and_ids_count_up_in_order(
    ground: Ground, size: int, seed: int
) -> None:
    cases = draw(ground, Wish(size, seed))
    assert cases == draw(ground, Wish(size, seed))
    assert [case.id for case in cases] == [f"case-{i:03}" for i in range(1, size + 1)]


@few
@given(grounds, st.integers(5, 75), seeds, st.floats(0, 0.5), st.floats(0.5, 1))
def test_intensities_are_evenly_spread_over_their_range(
    ground: Ground, size: int, seed: int, mild: float, severe: float
) -> None:
    wish = Wish(size, seed, mild=mild, severe=severe)
    found = sorted(order.intensity for case in draw(ground, wish) for order in case.orders)
    width = (severe - mild) / len(found)
    for i, one in enumerate(found):
        assert mild + i * width - 0.001 <= one <= mild + (i + 1) * width + 0.001


@few
@given(grounds, st.integers(20, 75), seeds)
def test_double_faults_are_of_two_kinds_at_two_places(ground: Ground, size: int, seed: int) -> None:
    cases = draw(ground, Wish(size, seed, doubles=5))
    doubles = [case.orders for case in cases if len(case.orders) == 2]
    assert len(doubles) == 5
    for first, second in doubles:
        target, kind = first.aim.split("/")
        other_target, other_kind = second.aim.split("/")
        assert target != other_target
        assert kind != other_kind


def test_healthy_controls_and_faults_are_mixed() -> None:
    cases = draw(GROUNDS[0], Wish(60, 1))
    halves = [sum(not case.orders for case in cases[i : i + 30]) for i in (0, 30)]
    assert all(halves)
    assert cases != draw(GROUNDS[0], Wish(60, 2))


def test_no_target_is_hit_much_more_often_than_others() -> None:
    orders = [order for case in draw(GROUNDS[0], Wish(60, 1)) for order in case.orders]
    hits = Counter(order.aim.split("/")[0] for order in orders)
    assert set(GROUNDS[0].topology.services) <= set(hits)
    assert max(hits.values()) <= 8


def test_a_lab_without_nodes_has_no_faults_of_its_kubernetes_api() -> None:
    ground = Ground(GROUNDS[0].topology)
    kinds = {kind.name: kind for kind in KINDS}
    drawn = kinds_of(draw(ground, Wish(100, 1)))
    assert {kinds[name].needs for name in drawn} == {"processes"}


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        (Wish(0, 1), "0 cases is none"),
        (Wish(10, 1, doubles=9), "9 double faults do not fit: of 10 cases 8"),
        (Wish(10, 1, mild=0.9, severe=0.1), "intensities 0.9:0.1 cannot be used"),
        (Wish(10, 1, severe=2), "from 0 to 1"),
    ],
)
def test_a_campaign_that_is_none_is_refused_and_says_what_would_be(
    wish: Wish, complaint: str
) -> None:
    with pytest.raises(CannotPlan, match=complaint):
        draw(GROUNDS[0], wish)


def test_more_cases_than_there_are_different_faults_are_refused(tmp_path: Path) -> None:
    (tmp_path / "kiosk.yaml").write_text(TOPOLOGY)
    small = Ground(load(tmp_path / "kiosk.yaml"))
    with pytest.raises(CannotPlan, match=r"only .* different faults"):
        draw(small, Wish(500, 1, mild=0.5, severe=0.5))
