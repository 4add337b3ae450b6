"""However deliveries are cut into rounds, nothing is lost and the outcome is the same."""

from dataclasses import replace

from aiops.app.incidents.intake import Taken


def test_a_round_takes_no_more_than_its_limit_and_nothing_is_lost(world):
    for number in range(7):
        world.deliver(world.alert(f"s{number}"))
    rounds = [world.take(limit=3) for _ in range(4)]
    assert [each.deliveries for each in rounds] == [3, 3, 1, 0]
    assert len(world.incidents()) == 7


def test_a_round_of_many_gives_what_rounds_of_one_give(world):
    other = type(world)()
    for target, limit in ((world, 1), (other, 500)):
        target.calls(("front", "cart"))
        for service in ("cart", "front", "cart", "lone"):
            target.deliver(target.alert(service))
        target.deliver(
            *(target.alert(name, status="resolved", ends_at=target.at(1)) for name in ("cart",)),
            target.alert("cart", "Errors"),
        )
        for _ in range(5):
            target.take(limit)
    strip = [replace(each, revision=0) for each in world.incidents()]
    assert strip == [replace(each, revision=0) for each in other.incidents()]
    assert world.timeline() == other.timeline()


def test_no_alert_is_lost_in_a_flood(world):
    for number in range(2000):
        world.deliver(world.alert(f"s{number % 50}", f"A{number}"))
    taken = Taken()
    while (round_ := world.take()).deliveries:
        taken = replace(
            taken, opened=taken.opened + round_.opened, joined=taken.joined + round_.joined
        )
    assert (taken.opened, taken.joined) == (50, 1950)
    assert {each.firing for each in world.incidents()} == {40}
