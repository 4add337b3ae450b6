"""From deliveries to incidents: how one opens, ends and opens again."""

from datetime import UTC, datetime

import pytest

from aiops.app.incidents.grouping import Grouping, group_of
from aiops.app.incidents.intake import Taken
from aiops.model import Entity
from aiops.settings import IncidentSettings


def test_the_rules_are_those_of_the_settings():
    names = set(IncidentSettings.model_fields)
    assert names == set(Grouping.__dataclass_fields__)


def test_an_alert_opens_an_incident_that_says_what_it_is_about(world):
    entity = Entity("service", "cart", "shop", "eu-1")
    taken = world.fire(entity=entity, summary="Cart is slow", runbook_url="https://r/1")
    incident = world.only()
    assert taken == Taken(deliveries=1, opened=1)
    assert taken.alerts == 1
    assert (incident.status, incident.severity) == ("triggered", "SEV3")
    assert incident.title == "Cart is slow"
    assert incident.services == ("cart",)
    assert (incident.cluster, incident.namespace) == ("eu-1", "shop")
    assert (incident.firing, incident.alerts) == (1, 1)
    assert incident.runbook_url == "https://r/1"
    assert world.kinds() == ["opened", "alert"]
    assert world.events() == [("incident.opened", "inc-1"), ("incident.changed", "inc-1")]


def test_a_repetition_only_counts_and_renews_what_explains(world):
    world.fire()
    before = world.only()
    world.wait(60)
    taken = world.fire(annotations=(("summary", "still slow"),), starts_at=world.at(0))
    assert taken == Taken(deliveries=1, repeated=1)
    assert world.only() == before
    (state,) = world.repo.alerts()
    assert state.deliveries == 2
    assert state.last_at == world.at(60)
    assert state.alert.annotations == (("summary", "still slow"),)
    assert world.kinds() == ["opened", "alert"]


def test_an_alert_that_ends_without_having_been_seen_makes_no_incident(world):
    assert world.end() == Taken(deliveries=1, unknown=1)
    assert world.incidents() == []


def test_a_title_is_one_bounded_line_whatever_the_alert_says(world):
    world.fire(summary="a\nb\x1b[31m " + "x" * 5000)
    title = world.only().title
    assert len(title) == 200
    assert title.isprintable()


def test_an_alert_about_nothing_is_grouped_by_its_name(world):
    world.fire(None, "DiskFull", fingerprint="1")
    world.fire(None, "DiskFull", fingerprint="2")
    world.fire(None, "Hot", fingerprint="3")
    assert [(each.group, each.alerts) for each in world.incidents()] == [
        ('alertname="DiskFull"', 2),
        ('alertname="Hot"', 1),
    ]


def test_no_value_of_a_label_passes_for_another_label(world):
    first = world.alert(labels=(("namespace", 'a",service="b'),), entity=None)
    second = world.alert(labels=(("namespace", "a"), ("service", "b")), entity=None)
    by = ("namespace", "service")
    assert group_of(first, by) != group_of(second, by)


def test_an_incident_ends_with_the_last_alert_that_fires(world):
    world.fire(name="TooSlow")
    world.fire(name="Errors")
    world.wait(10)
    world.end(name="TooSlow")
    assert world.only().status == "triggered"
    assert world.end(name="Errors") == Taken(deliveries=1, resolved=1)
    incident = world.only()
    assert (incident.status, incident.firing, incident.alerts) == ("resolved", 0, 2)
    assert incident.resolved_at == world.at(10)
    assert world.kinds()[-2:] == ["alert_resolved", "resolved"]
    assert ("incident.resolved", "inc-1") in world.events()


def test_an_alert_soon_after_the_end_opens_the_same_incident_again(world):
    world.fire()
    world.end()
    world.wait(world.rules.reopen_window_s)
    assert world.fire() == Taken(deliveries=1, reopened=1)
    incident = world.only()
    assert (incident.status, incident.resolved_at, incident.firing) == ("triggered", None, 1)
    assert "reopened" in world.kinds()


def test_an_alert_long_after_the_end_opens_another(world):
    world.fire()
    world.end()
    world.wait(world.rules.reopen_window_s + 1)
    assert world.fire() == Taken(deliveries=1, opened=1)
    assert [each.status for each in world.incidents()] == ["resolved", "triggered"]


def test_an_end_that_is_older_than_the_beginning_ends_nothing(world):
    world.wait(600)
    world.fire()
    taken = world.end(starts_at=world.at(0), ends_at=world.at(300))
    assert taken == Taken(deliveries=1, late=1)
    assert world.only().status == "triggered"


def test_a_beginning_replayed_after_its_end_opens_nothing_again(world):
    world.fire()
    world.wait(60)
    world.end(starts_at=world.at(0))
    world.wait(30)
    assert world.fire(starts_at=world.at(0)) == Taken(deliveries=1, late=1)
    assert world.only().status == "resolved"


def test_a_beginning_that_comes_after_its_end_makes_no_incident(world):
    world.wait(60)
    world.end(starts_at=world.at(0))
    assert world.fire(starts_at=world.at(0)) == Taken(deliveries=1, late=1)
    assert world.incidents() == []


def test_a_source_that_keeps_the_old_start_is_heard_once_replays_are_over(world):
    world.fire()
    world.wait(60)
    world.end(starts_at=world.at(0))
    world.wait(301)
    assert world.fire(starts_at=world.at(0)) == Taken(deliveries=1, reopened=1)


@pytest.mark.parametrize(
    "starts", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)]
)
def test_an_alert_with_an_impossible_start_begins_and_ends_all_the_same(world, starts):
    world.fire(starts_at=starts)
    world.wait(60)
    assert world.end(starts_at=starts, ends_at=world.at(60)).resolved == 1
    assert world.only().status == "resolved"
    assert world.only().opened_at == world.at(0)
    world.wait(600)
    assert world.fire(starts_at=starts).reopened == 1


def test_an_end_of_the_year_one_ends_the_alert(world):
    world.fire()
    world.wait(5)
    assert world.end(starts_at=world.at(0), ends_at=datetime(1, 1, 1, tzinfo=UTC)).resolved == 1


def test_the_order_of_arrival_decides_when_a_clock_jumps_back(world):
    world.wait(7200)
    world.fire()
    world.deliver(
        world.alert(status="resolved", starts_at=world.at(7200), ends_at=world.at(7260)),
        received_at=world.at(0),
    )
    world.take()
    assert world.only().status == "resolved"
    world.deliver(world.alert(starts_at=world.at(7300)), received_at=world.at(99_999))
    world.take()
    incident = world.only()
    assert incident.status == "triggered"
    assert incident.last_alert_at == world.at(7200), "an arrival in the future counts as now"
