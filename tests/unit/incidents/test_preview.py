"""A rule is tried on past alerts before it holds."""

from dataclasses import replace

import pytest

from aiops.app.incidents.grouping import Neighbours
from aiops.app.incidents.preview import deliveries_of, preview
from aiops.errors import InvalidInput
from aiops.model.alert import Delivery, Matcher

APART = Neighbours(None, 0)


def delivered(world, *told):
    """Deliveries at seconds from noon of alerts that fire (+) or end (-)."""
    made = []
    for number, (seconds, sign, service, name) in enumerate(told):
        at = world.at(seconds)
        if sign == "+":
            alert = world.alert(service, name, starts_at=at)
        else:
            alert = world.alert(service, name, status="resolved", ends_at=at)
        made.append(Delivery(f"d{number}", "prom", at, (alert,)))
    return made


PAST = [
    (0, "+", "cart", "TooSlow"),
    (5, "+", "front", "TooSlow"),
    (9, "+", "cart", "Errors"),
    (60, "-", "cart", "TooSlow"),
    (61, "-", "front", "TooSlow"),
    (62, "-", "cart", "Errors"),
    (9000, "+", "cart", "TooSlow"),
]


def test_a_rule_shows_the_incidents_it_would_have_made(world):
    past = delivered(world, *PAST)
    by_service = preview(past, world.rules, APART)
    assert [(each.group, each.alerts) for each in by_service.incidents] == [
        ('service="cart"', 2),
        ('service="front"', 1),
        ('service="cart"', 1),
    ]
    by_name = preview(past, replace(world.rules, group_by=("alertname",)), APART)
    assert [(each.group, each.services) for each in by_name.incidents] == [
        ('alertname="TooSlow"', ("cart", "front")),  # Errors of cart are near enough
        ('alertname="TooSlow"', ("cart",)),
    ]
    world.calls(("front", "cart"))
    near = preview(past, world.rules, Neighbours(world.graph, 1))
    assert [each.services for each in near.incidents] == [("cart", "front"), ("cart",)]


def test_a_preview_says_what_taking_the_deliveries_in_did(world):
    for seconds, sign, service, name in PAST:
        world.wait(seconds - (world.clock.now() - world.at(0)).total_seconds())
        (world.fire if sign == "+" else world.end)(service, name)
    shown = preview(delivered(world, *PAST), world.rules, APART)
    assert [replace(each, id="", revision=0) for each in shown.incidents] == [
        replace(each, id="", revision=0) for each in world.incidents()
    ]


def test_a_silence_shows_how_many_alerts_it_would_have_kept_quiet(world):
    shown = preview(delivered(world, *PAST), world.rules, APART, [Matcher("service", "cart")])
    assert [each.services for each in shown.incidents] == [("front",)]
    assert (shown.silenced, shown.taken.silenced) == (2, 3)


def test_the_order_in_which_deliveries_are_given_does_not_matter(world):
    past = delivered(world, *PAST)
    assert preview(reversed(past), world.rules, APART) == preview(past, world.rules, APART)


def test_nothing_in_the_past_makes_nothing(world):
    shown = preview([], world.rules, APART, [Matcher("a", "b")])
    assert (shown.incidents, shown.silenced, shown.taken.alerts) == ((), 0, 0)


def test_a_silence_that_cannot_be_meant_is_refused_in_a_preview_too(world):
    with pytest.raises(InvalidInput):
        preview(delivered(world, *PAST), world.rules, APART, [Matcher("a", "(", regex=True)])


def test_states_of_alerts_stand_in_for_deliveries_that_are_gone(world):
    for seconds, sign, service, name in PAST:
        world.wait(seconds - (world.clock.now() - world.at(0)).total_seconds())
        (world.fire if sign == "+" else world.end)(service, name)
    shown = preview(deliveries_of(world.repo.alerts()), world.rules, APART)
    assert [(each.group, each.firing) for each in shown.incidents] == [
        (each.group, each.firing) for each in world.incidents()
    ]
