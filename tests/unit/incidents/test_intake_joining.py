"""Which alerts join an incident because their services are near each other."""

from dataclasses import replace

from aiops.app.incidents.intake import Taken
from aiops.model import Entity


def test_an_alert_of_a_neighbour_joins_within_the_window(world):
    world.calls(("front", "cart"), ("cart", "store"))
    world.fire("cart")
    world.wait(world.rules.join_window_s)
    assert world.fire("front") == Taken(deliveries=1, joined=1)
    assert world.only().services == ("cart", "front")
    assert world.only().alerts == 2


def test_an_alert_of_a_neighbour_after_the_window_opens_its_own(world):
    world.calls(("front", "cart"))
    world.fire("cart")
    world.wait(world.rules.join_window_s + 1)
    assert world.fire("front").opened == 1


def test_services_further_apart_than_the_hops_stay_apart(world):
    world.calls(("front", "cart"), ("cart", "store"))
    world.rules = replace(world.rules, join_hops=1)
    world.fire("front")
    assert world.fire("store").opened == 1
    world.rules = replace(world.rules, join_hops=2)
    world.calls(("a", "b"), ("b", "c"))
    world.fire("a")
    assert world.fire("c").joined == 1


def test_the_nearest_incident_is_joined_before_the_latest(world):
    world.rules = replace(world.rules, join_hops=2)
    world.calls(("front", "cart"), ("cart", "store"), ("store", "disk"))
    world.fire("front")
    world.wait(1)
    world.graph = None
    world.fire("disk")
    world.calls(("front", "cart"), ("cart", "store"), ("store", "disk"))
    world.fire("cart")
    assert [each.services for each in world.incidents()] == [("cart", "front"), ("disk",)]


def test_an_alert_between_two_incidents_joins_the_nearest_and_both_point_to_the_other(world):
    world.rules = replace(world.rules, join_hops=1)
    world.calls(("front", "cart"), ("cart", "store"))
    world.fire("front", summary="Front is slow")
    world.wait(1)
    world.fire("store", summary="Store is slow")
    world.wait(1)
    world.fire("cart")
    first, second = world.incidents()
    assert second.services == ("cart", "store")
    assert (first.related, second.related) == (("inc-2",), ("inc-1",))
    assert first.open
    said = [entry.text for entry in world.timeline("inc-1") if entry.kind == "related"]
    assert said == [
        "TooSlow on cart may also belong to inc-2 (Store is slow): one fault? Merge them"
    ]
    assert "related" in world.kinds("inc-2")
    world.fire("cart", name="Errors")
    assert world.kinds("inc-1").count("related") == 1


def test_a_chain_of_alerts_in_one_round_becomes_one_incident(world):
    world.calls(("front", "cart"), ("cart", "store"))
    for service in ("store", "cart", "front"):
        world.deliver(world.alert(service))
    assert world.take() == Taken(deliveries=3, opened=1, joined=2)


def test_neighbours_of_another_cluster_are_no_neighbours(world):
    world.calls(("front", "cart"))
    world.fire("cart", entity=Entity("service", "cart", None, "eu-1"))
    assert world.fire("front", entity=Entity("service", "front", None, "us-1")).opened == 1
