"""Hypotheses of every modality are weighed in one place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiops.analyze.fusion import CORROBORATION, UNEXPLAINED, fault_types, weigh
from aiops.analyze.suspects import key_of
from aiops.model import Call, Entity, FaultType, Hypothesis, ServiceGraph

FRONT, MIDDLE, BACK = (Entity("service", name) for name in ("front", "middle", "back"))
CHAIN = ServiceGraph((FRONT, MIDDLE, BACK), (Call(FRONT, MIDDLE), Call(MIDDLE, BACK)))


def raised(entity, strength, *, fault=FaultType.CPU, kind="cpu_rose", explains=()):
    return Hypothesis(entity, fault, kind, 1.0, "variations", 1.0, strength, explains=explains)


def test_the_strongest_hypothesis_comes_first():
    weighed = weigh([("metrics", raised(BACK, 2.0)), ("metrics", raised(FRONT, 3.0))], None)
    assert [one.hypothesis.entity for one in weighed] == [FRONT, BACK]


def test_another_modality_that_accuses_the_same_corroborates_it():
    alone = weigh([("metrics", raised(BACK, 3.0))], None)[0]
    errors = raised(BACK, 2.0, fault=FaultType.ERROR)
    backed = weigh([("metrics", raised(BACK, 3.0)), ("logs", errors)], None)[0]
    assert backed.score == pytest.approx(alone.score + CORROBORATION * 2.0)
    assert backed.corroborated_by == ("logs",)


def test_the_same_modality_twice_corroborates_nothing():
    weighed = weigh([("metrics", raised(BACK, 3.0)), ("metrics", raised(BACK, 2.0))], None)
    assert weighed[0].score == pytest.approx(3.0)


def test_a_cause_that_explains_its_callers_beats_an_equal_that_explains_nobody():
    hypotheses = [("metrics", raised(FRONT, 2.0)), ("metrics", raised(BACK, 2.0))]
    assert weigh(hypotheses, CHAIN)[0].hypothesis.entity == BACK
    assert weigh(hypotheses, CHAIN)[0].unexplained == 0.0


def test_what_is_left_unexplained_costs_at_most_its_share():
    hypotheses = [("metrics", raised(FRONT, 2.0)), ("metrics", raised(BACK, 6.0))]
    front = weigh(hypotheses, CHAIN)[-1]
    assert front.unexplained == pytest.approx(0.75)
    assert front.score == pytest.approx(2.0 * (1 - UNEXPLAINED * 0.75))


def test_what_a_hypothesis_says_it_explains_counts_without_a_graph():
    node = Entity("node", "worker")
    explaining = raised(node, 3.0, explains=(FRONT, BACK))
    weighed = weigh([("state", explaining), ("metrics", raised(FRONT, 3.0))], None)
    assert weighed[0].hypothesis.entity == node


def test_an_instance_and_its_service_are_one_suspect_but_a_node_of_that_name_is_not():
    pod = Entity("instance", "back-0", service="back")
    assert key_of(pod) == key_of(BACK)
    assert key_of(Entity("node", "back")) != key_of(BACK)


def test_fault_types_share_what_their_strongest_hypotheses_weigh():
    weighed = weigh(
        [
            ("metrics", raised(BACK, 3.0)),
            ("logs", raised(BACK, 1.0, fault=FaultType.ERROR, kind="new_errors")),
        ],
        None,
    )
    types = fault_types(weighed)
    assert types[0][0] is FaultType.CPU
    assert sum(share for _, share in types) == pytest.approx(1.0)


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["metrics", "logs", "traces"]),
            st.sampled_from([FRONT, MIDDLE, BACK]),
            st.floats(0, 20),
        ),
        max_size=12,
    ),
    st.randoms(),
)
def test_the_order_in_which_hypotheses_are_raised_does_not_matter(given_, random):
    hypotheses = [(modality, raised(entity, strength)) for modality, entity, strength in given_]
    shuffled = hypotheses.copy()
    random.shuffle(shuffled)
    first, second = weigh(hypotheses, CHAIN), weigh(shuffled, CHAIN)
    assert [one.score for one in first] == pytest.approx([one.score for one in second])


def test_a_cycle_of_calls_does_not_hang():
    loop = ServiceGraph((FRONT, BACK), (Call(FRONT, BACK), Call(BACK, FRONT), Call(BACK, BACK)))
    assert len(weigh([("metrics", raised(FRONT, 2.0)), ("metrics", raised(BACK, 2.0))], loop)) == 2
