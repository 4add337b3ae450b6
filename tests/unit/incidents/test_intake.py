"""From deliveries to incidents."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from aiops.app.incidents.grouping import Grouping, group_of
from aiops.app.incidents.intake import Taken
from aiops.model import Entity
from aiops.settings import IncidentSettings


def test_the_rules_are_those_of_the_settings():
    names = set(IncidentSettings.model_fields)
    assert names == set(Grouping.__dataclass_fields__)


# ---- opening and repeating


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


# ---- ending and beginning again


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


# ---- grouping by proximity


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


# ---- silences


def test_a_silenced_alert_is_kept_and_opens_nothing(world):
    silence = world.silence("cart", 100)
    assert world.fire() == Taken(deliveries=1, silenced=1)
    assert world.incidents() == []
    (state,) = world.repo.alerts()
    assert (state.incident, state.silence) == (None, silence.id)


def test_an_alert_still_firing_after_its_silence_is_taken_in_without_a_delivery(world):
    world.silence("cart", 100)
    world.fire()
    world.wait(99)
    world.take()
    assert world.incidents() == []
    world.wait(1)
    world.take()
    assert world.only().firing == 1
    assert world.repo.alerts("inc-1")[0].silence is None


def test_an_alert_still_firing_after_its_silence_is_taken_in_with_its_next_delivery(world):
    world.silence("cart", 100)
    world.fire()
    world.wait(100)
    assert world.fire(starts_at=world.at(0)).opened == 1


def test_an_alert_that_ended_under_its_silence_stays_out(world):
    world.silence("cart", 100)
    world.fire()
    assert world.end().resolved == 1
    world.wait(200)
    world.take()
    assert world.incidents() == []


def test_a_silence_ends_no_incident_that_is_there(world):
    world.fire()
    world.silence("cart", 100)
    world.fire()
    assert world.only().firing == 1
    world.end()
    assert world.only().status == "resolved"
    assert world.fire().silenced == 1
    assert world.only().status == "resolved"
    assert world.kinds()[-1] == "silenced"
    world.wait(100)
    world.take()
    assert world.only().status == "triggered"


def test_an_alert_that_ends_under_a_silence_counts_down_nothing(world):
    world.fire()
    world.end()
    world.silence("cart", 100)
    world.fire()
    world.end()
    assert (world.only().status, world.only().firing) == ("resolved", 0)


# ---- flapping


def flap(world, turns: int, every: float = 10) -> None:
    """The alert fires; then its status changes so often."""
    world.fire()
    for number in range(turns):
        world.wait(every)
        (world.fire if number % 2 else world.end)()


def test_an_alert_that_flaps_keeps_one_incident_open_until_it_is_quiet(world):
    flap(world, 9)
    incident = world.only()
    assert incident.flapping
    assert incident.status == "triggered"
    assert world.kinds().count("flapping") == 1
    noted = len(world.timeline())
    world.end()
    assert world.only().status == "triggered"
    assert len(world.timeline()) == noted
    world.wait(world.rules.flapping_window_s)
    world.take()
    assert world.only().flapping
    world.wait(1)
    world.take()
    assert (world.only().flapping, world.only().status) == (False, "resolved")


def test_a_flapping_alert_asks_for_no_further_investigation(world):
    flap(world, 4)
    with world.repo.work() as work:
        work.put_incident(replace(world.only(), investigate_at=None))
    world.wait(10)
    world.end()
    world.fire()
    assert world.only().investigate_at is None


def test_an_alert_that_settles_firing_keeps_its_incident_and_is_looked_at_again(world):
    flap(world, 4)
    with world.repo.work() as work:
        work.put_incident(replace(world.only(), investigate_at=None))
    world.wait(world.rules.flapping_window_s + 1)
    world.take()
    incident = world.only()
    assert (incident.flapping, incident.status) == (False, "triggered")
    assert incident.investigate_at is not None


def test_slow_changes_are_no_flapping(world):
    flap(world, 8, every=world.rules.flapping_window_s / 2)
    assert not world.only().flapping


# ---- severity and investigations


def test_the_worst_alert_gives_the_severity(world):
    world.fire(severity="SEV3")
    world.fire(name="Down", severity="SEV1")
    world.fire(name="Meh", severity="SEV4")
    assert world.only().severity == "SEV1"
    assert world.kinds().count("severity") == 1


def test_a_repetition_with_a_worse_severity_escalates(world):
    world.fire(severity="SEV3")
    world.fire(severity="SEV2")
    assert world.only().severity == "SEV2"


def test_the_severity_follows_when_the_worst_alert_ends_and_the_timeline_says_so(world):
    world.fire(name="Meh", severity="SEV4")
    world.fire(name="TooSlow", severity="SEV3")
    world.fire(name="Down", severity="SEV1")
    world.wait(10)
    world.end(name="Down", severity="SEV1")
    assert world.only().severity == "SEV3"
    assert world.timeline()[-1].text == "SEV1 to SEV3: nothing worse fires any more"
    world.end(name="Meh", severity="SEV4")
    assert world.only().severity == "SEV3"
    world.end(name="TooSlow", severity="SEV3")
    assert (world.only().status, world.only().severity) == ("resolved", "SEV3")


def test_the_severity_stays_while_another_alert_as_bad_fires(world):
    for instance in "12":
        world.fire(fingerprint=instance, severity="SEV1")
    world.fire(name="Meh", severity="SEV4")
    world.end(fingerprint="1", severity="SEV1")
    assert world.only().severity == "SEV1"
    assert "severity" not in world.kinds()


def test_alerts_that_end_in_one_round_lower_the_severity_once(world):
    for name, severity in (("Down", "SEV1"), ("TooSlow", "SEV2"), ("Meh", "SEV4")):
        world.fire(name=name, severity=severity)
    for name in ("Down", "TooSlow"):
        world.deliver(world.alert(name=name, status="resolved", ends_at=world.clock.now()))
    world.take()
    assert world.only().severity == "SEV4"
    assert world.kinds().count("severity") == 1


def test_an_alert_that_its_rule_makes_milder_lowers_the_severity(world):
    world.fire(severity="SEV1")
    world.wait(60)
    world.fire(severity="SEV3")
    assert world.only().severity == "SEV3"


def test_an_incident_that_opens_again_is_as_severe_as_what_fires_now(world):
    world.fire(name="Down", severity="SEV1")
    world.end(name="Down", severity="SEV1")
    world.wait(60)
    world.fire(name="Meh", severity="SEV4")
    assert (world.only().status, world.only().severity) == ("triggered", "SEV4")


def test_a_chosen_severity_does_not_follow(world):
    world.fire(severity="SEV2")
    world.fire(name="Down", severity="SEV1")
    with world.repo.work() as work:
        work.put_incident(replace(world.only(), severity="SEV1", severity_pinned=True))
    world.end(name="Down", severity="SEV1")
    assert world.only().severity == "SEV1"


def test_a_severity_that_a_person_chose_stays(world):
    world.fire(severity="SEV3")
    with world.repo.work() as work:
        work.put_incident(replace(world.only(), severity="SEV4", severity_pinned=True))
    world.fire(name="Down", severity="SEV1")
    assert world.only().severity == "SEV4"


def test_an_investigation_is_due_once_the_alerts_have_settled_and_is_not_put_off(world):
    world.fire()
    due = world.at(world.rules.settle_s)
    assert world.only().investigate_at == due
    world.wait(3)
    world.fire(name="Errors")
    assert world.only().investigate_at == due


def test_new_evidence_asks_again_after_the_cooldown_and_a_repetition_does_not(world):
    world.fire()
    investigated = replace(
        world.only(), investigate_at=None, investigated_at=world.at(10), investigations=1
    )
    with world.repo.work() as work:
        work.put_incident(investigated)
    world.wait(20)
    world.fire()
    assert world.only().investigate_at is None
    world.fire(name="Errors")
    assert world.only().investigate_at == world.at(10) + timedelta(seconds=world.rules.cooldown_s)


# ---- rounds


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
