"""Equal names in two clusters are two suspects; one suspect named in two ways is one."""

import pytest

from aiops.analyze.fusion import weigh
from aiops.analyze.suspects import Suspects
from aiops.model import Call, Entity, FaultType, Hypothesis, Ranking, ServiceGraph, Suspect


def service(name, **where):
    return Entity("service", name, **where)


EAST, WEST = service("cart", cluster="east"), service("cart", cluster="west")


def raised(entity, strength, kind="cpu_rose"):
    return "metrics", Hypothesis(entity, FaultType.CPU, kind, 1.0, "variations", 1.0, strength)


def test_a_bare_name_is_the_one_suspect_of_that_name():
    full = service("cart", namespace="shop", cluster="east")
    suspects = Suspects([service("cart"), full])
    assert suspects.full(service("cart")) == full


def test_what_two_readers_each_know_half_of_is_put_together():
    suspects = Suspects([service("cart", namespace="shop"), service("cart", cluster="east")])
    full = service("cart", namespace="shop", cluster="east")
    assert {suspects.full(service("cart", **half)) for half in ({}, {"namespace": "shop"})} == {
        full
    }


def test_a_bare_name_that_two_clusters_have_stays_bare():
    assert Suspects([service("cart"), EAST, WEST]).full(service("cart")) == service("cart")


def test_an_instance_learns_its_place_from_its_service():
    pod = Entity("instance", "cart-0", service="cart")
    assert Suspects([pod, EAST]).full(pod).cluster == "east"


def test_a_node_learns_nothing_from_a_service_of_its_name():
    node = Entity("node", "cart")
    assert Suspects([node, EAST]).full(node) == node


def test_one_service_name_in_two_clusters_is_ranked_twice():
    weighed = weigh([raised(EAST, 3.0), raised(WEST, 1.0)], None)
    assert [one.hypothesis.entity for one in weighed] == [EAST, WEST]
    assert weighed[0].key != weighed[1].key
    suspects = tuple(Suspect(one.hypothesis.entity, None, one.score) for one in weighed)
    assert [one.entity for one in Ranking("root_cause", suspects).entities()] == [EAST, WEST]


def test_signs_in_one_cluster_corroborate_nothing_in_the_other():
    logs = ("logs", raised(WEST, 2.0)[1])
    assert weigh([raised(EAST, 3.0), logs], None)[0].corroborated_by == ()


def test_trouble_spreads_along_the_calls_of_its_own_cluster():
    fronts = {side: service("front", cluster=side) for side in ("east", "west")}
    calls = (Call(fronts["east"], EAST), Call(fronts["west"], WEST))
    graph = ServiceGraph((EAST, WEST, *fronts.values()), calls)
    weighed = weigh([raised(EAST, 3.0), raised(fronts["west"], 2.0)], graph)
    assert weighed[0].unexplained == pytest.approx(0.4)


def test_a_call_graph_without_clusters_serves_the_one_cluster_there_is():
    graph = ServiceGraph((), (Call(service("front"), service("cart")),))
    weighed = weigh([raised(EAST, 3.0), raised(service("front", cluster="east"), 2.0)], graph)
    assert weighed[0].unexplained == 0.0


def test_suspects_of_a_ranking_that_may_be_the_same_service_are_listed_once():
    named = (
        service("cart"),
        service("cart", namespace="shop"),
        Entity("instance", "c-1", service="cart"),
    )
    ranking = Ranking("root_cause", tuple(Suspect(one, None, 1.0) for one in named))
    assert len(ranking.entities()) == 1
